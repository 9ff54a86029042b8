#include "sink.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* The pipe buffer to ask for: room for some thousand lines. */
#define PIPE_BYTES (1 << 20)

/* How often and how long to wait for a reader at the end. */
#define FLUSH_TRIES 10
#define FLUSH_MS    100

/* A name by which standard error can be opened once more. */
#define SELF "/proc/self/fd/2"

enum kind {
	KIND_OTHER,
	KIND_FILE,
	KIND_PIPE,
	KIND_SOCKET,
};

static struct {
	pthread_mutex_t lock; /* around all of it */
	enum kind kind;
	int fd;
	/* The rest of a partly written line; it is written before any other. */
	char rest[SINK_LINE_MAX];
	size_t rest_len;
} sink = {.lock = PTHREAD_MUTEX_INITIALIZER, .fd = STDERR_FILENO};

/*
 * A descriptor of our own can be made non-blocking; standard error is shared
 * with processes that may not expect that. If it cannot be opened, we do
 * without.
 */
static void open_own(void)
{
	int fd = open(SELF, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd >= 0)
		sink.fd = fd;
}

/* Ends a file's last line, if somebody left it unfinished. */
static void end_last_line(off_t size)
{
	int fd = open(SELF, O_RDONLY | O_NOCTTY | O_CLOEXEC);
	char last = '\n';
	ssize_t n;

	if (fd < 0)
		return;
	/* There may be none. */
	n = pread(fd, &last, 1, size - 1);
	(void)n;
	if (last != '\n') {
		sink.rest[0] = '\n';
		sink.rest_len = 1;
	}
	close(fd);
}

void sink_open(void)
{
	struct stat st;

	sink.kind = KIND_OTHER;
	sink.fd = STDERR_FILENO;
	if (fstat(STDERR_FILENO, &st) != 0)
		return;
	if (S_ISREG(st.st_mode)) {
		sink.kind = KIND_FILE;
		end_last_line(st.st_size);
	} else if (S_ISSOCK(st.st_mode)) {
		sink.kind = KIND_SOCKET;
	} else if (S_ISFIFO(st.st_mode)) {
		sink.kind = KIND_PIPE;
		(void)fcntl(STDERR_FILENO, F_SETPIPE_SZ, PIPE_BYTES);
		open_own();
	} else if (isatty(STDERR_FILENO)) {
		open_own();
	}
}

/* Returns true if half of its buffer is free, as far as we can tell. */
static bool has_room_to_spare(void)
{
	int used = 0;
	int size = 0;
	socklen_t len = sizeof(size);

	if (sink.kind == KIND_PIPE) {
		size = fcntl(sink.fd, F_GETPIPE_SZ);
		(void)ioctl(sink.fd, FIONREAD, &used);
	} else if (sink.kind == KIND_SOCKET) {
		(void)getsockopt(sink.fd, SOL_SOCKET, SO_SNDBUF, &size, &len);
		(void)ioctl(sink.fd, SIOCOUTQ, &used);
	}
	return used <= size / 2;
}

/* Returns true if a write would not block. */
static bool takes_some(void)
{
	struct pollfd fd = {.fd = sink.fd, .events = POLLOUT};
	int n;

	do {
		n = poll(&fd, 1, 0);
	} while (n < 0 && errno == EINTR);
	return n == 1 && (fd.revents & POLLOUT);
}

/* Writes as much as it takes now; -1: nothing. */
static ssize_t write_some(const char *ptr, size_t len)
{
	bool is_socket = sink.kind == KIND_SOCKET;
	ssize_t n;

	/* If it could not be opened once more, a write could block. */
	if (!is_socket && !takes_some())
		return -1;
	do {
		n = is_socket ? send(sink.fd, ptr, len,
					MSG_DONTWAIT | MSG_NOSIGNAL)
			      : write(sink.fd, ptr, len);
	} while (n < 0 && errno == EINTR);
	return n;
}

/*
 * Takes back the last n bytes of a file on a full disk, if nobody else has
 * written since: a reader need not wait for the rest of the line.
 */
static bool take_back(off_t n)
{
	off_t end = sink.kind == KIND_FILE ? lseek(sink.fd, 0, SEEK_CUR) : -1;
	struct stat st = {.st_size = -1};

	(void)fstat(sink.fd, &st);
	if (end < n || st.st_size != end || ftruncate(sink.fd, end - n) != 0)
		return false;
	(void)lseek(sink.fd, end - n, SEEK_SET);
	return true;
}

static bool write_line(const char *line, size_t len)
{
	ssize_t n = write_some(line, len);

	if (n <= 0)
		return false;
	if ((size_t)n == len)
		return true;
	if (take_back(n))
		return false;
	sink.rest_len = len - (size_t)n;
	memcpy(sink.rest, line + n, sink.rest_len);
	return true;
}

/* True: the last line is complete. */
static bool write_rest(void)
{
	ssize_t n;

	if (sink.rest_len == 0)
		return true;
	n = write_some(sink.rest, sink.rest_len);
	if (n <= 0)
		return false;
	sink.rest_len -= (size_t)n;
	memmove(sink.rest, sink.rest + n, sink.rest_len);
	return sink.rest_len == 0;
}

bool sink_write(const char *line, size_t len, bool yields)
{
	bool ok;

	pthread_mutex_lock(&sink.lock);
	ok = (!yields || has_room_to_spare()) && write_rest() &&
	     write_line(line, len);
	pthread_mutex_unlock(&sink.lock);
	return ok;
}

void sink_flush(void)
{
	struct pollfd fd = {.fd = sink.fd, .events = POLLOUT};
	int i;

	pthread_mutex_lock(&sink.lock);
	for (i = 0; i < FLUSH_TRIES && !write_rest(); i++)
		(void)poll(&fd, 1, FLUSH_MS);
	pthread_mutex_unlock(&sink.lock);
}
