#include "sockets/log_sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "oracle.h"

/* The descriptor of what was opened once more. */
#define OWN_FD 1000

/* What a pipe or a socket holds. */
#define ROOM 1000

/* What becomes of an attempt to write. */
enum outcome {
	TAKEN,
	NOT_READY, /* poll says so */
	FAILED,
	CUT,
};

struct log_sink log_sink;

static enum outcome polled; /* of the attempt that poll allowed */
static bool is_polled;
static bool is_closed; /* what was opened for a look at the last line */

#define WRAP(type, name, ...)                                                  \
	type __wrap_##name(__VA_ARGS__);                                       \
	type __real_##name(__VA_ARGS__)

WRAP(int, poll, struct pollfd *fds, nfds_t len, int timeout_ms);
WRAP(ssize_t, write, int fd, const void *buf, size_t len);
WRAP(ssize_t, send, int fd, const void *buf, size_t len, int flags);
WRAP(ssize_t, pread, int fd, void *buf, size_t len, off_t at);
WRAP(int, close, int fd);
WRAP(int, fstat, int fd, struct stat *st);
WRAP(int, isatty, int fd);
WRAP(int, ftruncate, int fd, off_t size);
WRAP(off_t, lseek, int fd, off_t offset, int whence);
WRAP(int, getsockopt, int fd, int level, int name, void *value, socklen_t *len);
int __wrap_open(const char *path, int flags, ...);
int __real_open(const char *path, int flags, ...);
int __wrap_fcntl(int fd, int command, ...);
int __real_fcntl(int fd, int command, ...);
int __wrap_ioctl(int fd, unsigned long request, ...);
int __real_ioctl(int fd, unsigned long request, ...);

bool log_sink_is_torn(void)
{
	return log_sink.line_at < log_sink.line_len;
}

static bool is_file(void)
{
	return log_sink.kind == LOG_SINK_FILE ||
	       log_sink.kind == LOG_SINK_TORN_FILE;
}

bool log_sink_can_take_back(void)
{
	return is_file() && !log_sink.is_shared;
}

static bool is_pipe(void)
{
	return log_sink.kind == LOG_SINK_PIPE ||
	       log_sink.kind == LOG_SINK_SHARED_PIPE;
}

static bool is_own(void)
{
	return log_sink.kind == LOG_SINK_TERMINAL ||
	       log_sink.kind == LOG_SINK_PIPE;
}

static enum outcome next_outcome(void)
{
	enum outcome outcome = (enum outcome)(log_sink.outcomes & 3);

	log_sink.outcomes >>= 2;
	return outcome;
}

/* A line is new only when the one before it is whole. */
static void check_written(const char *buf, size_t len)
{
	struct model_log_line *line = &log_sink.lines[log_sink.len];

	if (log_sink_is_torn()) {
		ORACLE("LOG-13",
			len == log_sink.line_len - log_sink.line_at &&
				memcmp(buf, log_sink.line + log_sink.line_at,
					len) == 0,
			"other bytes after a part of a line: %.*s", (int)len,
			buf);
		return;
	}
	ORACLE("LOG-6", len <= SINK_LINE_MAX, "%zu bytes in one line", len);
	ORACLE("LOG-1",
		log_sink.len < LOG_SINK_LINES && model_log_read(line, buf, len),
		"not a line of JSON: %.*s", (int)len, buf);
	ORACLE("LOG-1", line->len >= 3 && model_log_is_header(line),
		"it does not begin with ts, level and event");
}

static void arrives(const char *buf, size_t len, size_t n)
{
	if (!log_sink_is_torn()) {
		memcpy(log_sink.line, buf, len);
		log_sink.line_len = len;
		log_sink.line_at = 0;
		log_sink.len++;
	}
	log_sink.line_at += n;
	ORACLE("LOG-9", log_sink.at == log_sink.size, "a hole in the file");
	log_sink.size += (off_t)n;
	log_sink.at = log_sink.size;
}

/* What one attempt comes to that was given len bytes. */
static ssize_t attempt(enum outcome outcome, const char *buf, size_t len)
{
	size_t n = len;

	check_written(buf, len);
	if (outcome == CUT)
		n = len * log_sink.cut / 16;
	if (outcome == TAKEN || outcome == CUT) {
		log_sink.refused = log_sink.refused || n < len;
		if (n > 0)
			arrives(buf, len, n);
		return (ssize_t)n;
	}
	errno = ENOSPC;
	if (log_sink.interrupts)
		errno = EINTR;
	else
		log_sink.refused = true;
	log_sink.interrupts = false;
	return -1;
}

int __wrap_poll(struct pollfd *fds, nfds_t len, int timeout_ms)
{
	if (!log_sink.capture)
		return __real_poll(fds, len, timeout_ms);
	ORACLE("LOG-7", timeout_ms == 0, "poll waits");
	polled = next_outcome();
	is_polled = polled != NOT_READY;
	log_sink.refused = log_sink.refused || !is_polled;
	fds->revents = is_polled ? POLLOUT : POLLERR;
	return 1;
}

ssize_t __wrap_write(int fd, const void *buf, size_t len)
{
	enum outcome outcome = polled;

	if (!log_sink.capture)
		return __real_write(fd, buf, len);
	ORACLE("LOG-7", is_polled && log_sink.kind != LOG_SINK_SOCKET,
		"a write that can block");
	ORACLE("LOG-7", fd == (is_own() ? OWN_FD : STDERR_FILENO),
		"a write to descriptor %d", fd);
	/* After EINTR it may go on without another look. */
	if (outcome == FAILED && log_sink.interrupts)
		polled = next_outcome();
	else
		is_polled = false;
	return attempt(outcome, buf, len);
}

ssize_t __wrap_send(int fd, const void *buf, size_t len, int flags)
{
	if (!log_sink.capture)
		return __real_send(fd, buf, len, flags);
	ORACLE("LOG-7",
		fd == STDERR_FILENO && log_sink.kind == LOG_SINK_SOCKET &&
			flags == (MSG_DONTWAIT | MSG_NOSIGNAL),
		"a send that can block");
	return attempt(next_outcome(), buf, len);
}

int __wrap_open(const char *path, int flags, ...)
{
	if (!log_sink.capture)
		return __real_open(path, flags);
	ORACLE("LOG-7", is_file() || (flags & O_NONBLOCK) != 0,
		"what is opened can block");
	is_closed = false;
	return log_sink.kind == LOG_SINK_SHARED_PIPE ? -1 : OWN_FD;
}

ssize_t __wrap_pread(int fd, void *buf, size_t len, off_t at)
{
	if (!log_sink.capture)
		return __real_pread(fd, buf, len, at);
	ORACLE("LOG-16", fd == OWN_FD && len == 1 && at + 1 == log_sink.size,
		"not the last byte");
	*(char *)buf = log_sink.kind == LOG_SINK_TORN_FILE ? 'x' : '\n';
	return 1;
}

int __wrap_close(int fd)
{
	if (!log_sink.capture)
		return __real_close(fd);
	is_closed = true;
	return 0;
}

int __wrap_isatty(int fd)
{
	if (!log_sink.capture)
		return __real_isatty(fd);
	return log_sink.kind == LOG_SINK_TERMINAL;
}

int __wrap_fstat(int fd, struct stat *st)
{
	if (!log_sink.capture)
		return __real_fstat(fd, st);
	*st = (struct stat){.st_size = log_sink.size + log_sink.is_shared};
	st->st_mode = is_file()                            ? S_IFREG
		      : is_pipe()                          ? S_IFIFO
		      : log_sink.kind == LOG_SINK_TERMINAL ? S_IFCHR
							   : S_IFSOCK;
	return 0;
}

off_t __wrap_lseek(int fd, off_t offset, int whence)
{
	if (!log_sink.capture)
		return __real_lseek(fd, offset, whence);
	ORACLE("LOG-9",
		is_file() && (whence == SEEK_CUR ? offset == 0
						 : offset == log_sink.size),
		"another place");
	if (whence == SEEK_SET)
		log_sink.at = offset;
	return log_sink.at;
}

int __wrap_ftruncate(int fd, off_t size)
{
	if (!log_sink.capture)
		return __real_ftruncate(fd, size);
	ORACLE("LOG-15",
		is_file() && !log_sink.is_shared && log_sink_is_torn() &&
			log_sink.len > 0 &&
			size == log_sink.size - (off_t)log_sink.line_at,
		"%ld bytes of %ld are left", (long)size, (long)log_sink.size);
	log_sink.size = size;
	log_sink.line_len = log_sink.line_at = 0;
	log_sink.len--;
	return 0;
}

int __wrap_fcntl(int fd, int command, ...)
{
	va_list args;
	long value;

	va_start(args, command);
	value = va_arg(args, long);
	va_end(args);
	if (!log_sink.capture)
		return __real_fcntl(fd, command, value);
	return is_pipe() ? ROOM : -1;
}

int __wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list args;
	int *value;

	va_start(args, request);
	value = va_arg(args, int *);
	va_end(args);
	if (!log_sink.capture)
		return __real_ioctl(fd, request, value);
	*value = ROOM / 2 + log_sink.is_full;
	return is_pipe() || log_sink.kind == LOG_SINK_SOCKET ? 0 : -1;
}

int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	if (!log_sink.capture)
		return __real_getsockopt(fd, level, name, value, len);
	*(int *)value = ROOM;
	return 0;
}

void log_sink_open(enum log_sink_kind kind)
{
	log_sink.kind = kind;
	log_sink.size = 0;
	log_sink.is_shared = false;
	if (is_file())
		log_sink.size = 10;
	log_sink.at = log_sink.size;
	log_sink.capture = true;
	sink_open();
	log_sink.capture = false;
	ORACLE("LOG-9", !is_file() || is_closed, "a descriptor is left open");
	/* All that may follow such a line is its end. */
	if (kind == LOG_SINK_TORN_FILE) {
		memcpy(log_sink.line, "x\n", 2);
		log_sink.line_len = 2;
		log_sink.line_at = 1;
	}
}
