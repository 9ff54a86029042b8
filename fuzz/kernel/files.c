/* Descriptors, the log, the configuration, and memory. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>

#include "../../cmd/lbproxyd/sink.h"
#include "calls.h"
#include "inside.h"

#define LINE_MAX_BYTES 8192
#define BLOCKS_MAX     (1u << 15)

/* --- descriptors --- */

struct file *kernel_file(int fd)
{
	ORACLE("SRV-54",
		fd >= 0 && fd < FDS_MAX && kernel.files[fd].kind != FILE_CLOSED,
		"descriptor %d, which is closed, is used", fd);
	return &kernel.files[fd];
}

int kernel_new_fd(enum file_kind kind)
{
	unsigned fd;

	for (fd = 0; kernel.files[fd].kind != FILE_CLOSED; fd++)
		continue;
	if (fd >= kernel.limit || fd == FDS_MAX - 1) {
		errno = EMFILE;
		return -1;
	}
	kernel.files[fd] = (struct file){.kind = kind};
	return (int)fd;
}

unsigned kernel_descriptors(void)
{
	unsigned n = 0;

	for (unsigned fd = 0; fd < FDS_MAX; fd++)
		n += kernel.files[fd].kind != FILE_CLOSED;
	return n;
}

void kernel_limit_descriptors(unsigned limit)
{
	kernel.limit = limit;
}

void kernel_take_ports(bool taken)
{
	kernel.no_ports = taken;
}

int kernel_close(int fd)
{
	struct file *file = kernel_file(fd);

	kernel_point();
	kernel_poll_forget(fd);
	if (file->kind == FILE_SOCKET)
		net_close(file->sock);
	*file = (struct file){.kind = FILE_CLOSED};
	return 0;
}

int kernel_eventfd(unsigned count, int flags)
{
	int fd;

	(void)flags;
	if (kernel_fails(FAULT(EMFILE, ENFILE, ENOMEM)))
		return -1;
	fd = kernel_new_fd(FILE_EVENT);
	if (fd >= 0)
		kernel.files[fd].count = count;
	return fd;
}

static ssize_t read_text(struct file *file, void *buf, size_t len)
{
	const char *text = kernel.plan.config + file->count;
	size_t n = strlen(text) < len ? strlen(text) : len;

	memcpy(buf, text, n);
	file->count += n;
	return (ssize_t)n;
}

ssize_t kernel_read(int fd, void *buf, size_t len)
{
	struct file *file;

	kernel_point();
	file = kernel_file(fd);
	if (file->kind == FILE_TEXT)
		return read_text(file, buf, len);
	if (file->kind != FILE_EVENT)
		abort();
	errno = EAGAIN;
	if (file->count == 0)
		return -1;
	memcpy(buf, &file->count, sizeof(file->count));
	file->count = 0;
	return (ssize_t)len;
}

ssize_t kernel_write(int fd, const void *buf, size_t len)
{
	struct file *file;
	uint64_t count;

	kernel_point();
	file = kernel_file(fd);
	if (file->kind == FILE_LOG)
		return log_write(buf, len, fd != 2);
	if (file->kind != FILE_EVENT)
		abort();
	memcpy(&count, buf, sizeof(count));
	file->count += count;
	file->edge++;
	return (ssize_t)len;
}

/* --- what is there to open --- */

static int open_path(const char *path)
{
	enum file_kind kind = FILE_DIRECTORY;

	kernel_stats.reads += strcmp(path, "lbproxyd.toml") == 0;
	if (kernel_fails(FAULT(EMFILE, ENFILE, ENOMEM)))
		return -1;
	if (strcmp(path, "lbproxyd.toml") == 0)
		kind = FILE_TEXT;
	else if (strcmp(path, "/proc/self/fd/2") == 0)
		kind = FILE_LOG;
	else if (strcmp(path, "/dev/null") == 0)
		kind = FILE_STANDARD;
	if (kind != FILE_LOG || kernel.plan.log != KERNEL_LOG_SHARED_PIPE)
		return kernel_new_fd(kind);
	errno = EACCES;
	return -1;
}

int kernel_open(const char *path, int flags, ...)
{
	(void)flags;
	return open_path(path);
}

int kernel_openat(int dir_fd, const char *path, int flags, ...)
{
	(void)dir_fd, (void)flags;
	return open_path(path);
}

DIR *kernel_opendir(const char *path)
{
	(void)path;
	errno = ENOENT;
	return NULL;
}

int kernel_closedir(DIR *dir)
{
	(void)dir;
	return 0;
}

int kernel_fcntl(int fd, int what, ...)
{
	errno = EBADF;
	if (what == F_GETFD)
		return fd < FDS_MAX && kernel.files[fd].kind != FILE_CLOSED
			       ? 0
			       : -1;
	(void)kernel_file(fd);
	return what == F_GETPIPE_SZ ? (int)kernel.plan.log_room : 0;
}

/* Nobody started it but the simulation. */
char *kernel_getenv(const char *name)
{
	(void)name;
	return NULL;
}

int kernel_getrlimit(int what, struct rlimit *limit)
{
	(void)what;
	limit->rlim_cur = kernel.plan.soft_limit;
	limit->rlim_max = kernel.plan.hard_limit;
	return 0;
}

int kernel_setrlimit(int what, const struct rlimit *limit)
{
	(void)what;
	kernel.limit = (unsigned)limit->rlim_cur;
	return 0;
}

ssize_t kernel_getrandom(void *buf, size_t len, unsigned flags)
{
	(void)flags;
	if (kernel_fails(FAULT(EINTR, ENOSYS)))
		return -1;
	memset(buf, 7, len);
	return (ssize_t)len;
}

/* --- the log --- */

static struct {
	char line[LINE_MAX_BYTES];
	size_t len;  /* of what has arrived of a line */
	size_t used; /* bytes that nobody has read */
	bool refused;
} the_log;

void log_start(void)
{
	the_log.len = the_log.used = 0;
	the_log.refused = false;
}

static size_t log_room(void)
{
	return the_log.used < kernel.plan.log_room
		       ? kernel.plan.log_room - the_log.used
		       : 0;
}

unsigned log_readiness(void)
{
	size_t least = kernel.plan.log == KERNEL_LOG_PIPE ||
				       kernel.plan.log == KERNEL_LOG_SHARED_PIPE
			       ? 4096
			       : 1;

	/* A full disk takes a write, and says then that it is full. */
	return kernel.plan.log == KERNEL_LOG_FILE || log_room() >= least
		       ? POLLOUT
		       : 0;
}

unsigned kernel_read_log(unsigned n)
{
	if (n > the_log.used)
		n = (unsigned)the_log.used;
	the_log.used -= n;
	return n;
}

bool kernel_log_is_full(void)
{
	return log_room() < SINK_LINE_MAX;
}

bool kernel_log_refused(void)
{
	return the_log.refused;
}

void log_refuse(int fd)
{
	if (kernel_file(fd)->kind == FILE_LOG)
		the_log.refused = true;
}

static void take_log(const char *bytes, size_t len)
{
	the_log.used += len;
	/* Lines about strangers leave the other half free. [LOG-12]. */
	if (the_log.used > kernel.plan.log_room / 2)
		the_log.refused = true;
	for (size_t i = 0; i < len; i++) {
		ORACLE("LOG-6", the_log.len < LINE_MAX_BYTES,
			"a line without end");
		the_log.line[the_log.len++] = bytes[i];
		if (bytes[i] != '\n')
			continue;
		kernel.world->logged(the_log.line, the_log.len);
		the_log.len = 0;
	}
}

long log_write(const char *bytes, size_t len, bool is_own)
{
	bool is_pipe = kernel.plan.log == KERNEL_LOG_PIPE ||
		       kernel.plan.log == KERNEL_LOG_SHARED_PIPE;
	size_t room = log_room();
	int error = is_pipe ? FAULT(EINTR)
			    : FAULT(EINTR, FAULT_SHORT, FAULT_SHORT, ENOSPC);

	kernel_point();
	/* It is not ours to make non-blocking. */
	ORACLE("LOG-7", is_own || !is_pipe || room >= len,
		"a write that blocks on a reader");
	if (error == FAULT_SHORT)
		room = kernel_part(room < len ? room : len);
	else if (error == EINTR) {
		errno = EINTR;
		return -1;
	}
	if (error == ENOSPC || room == 0 || (is_pipe && room < len)) {
		the_log.refused = true;
		errno = kernel.plan.log == KERNEL_LOG_FILE ? ENOSPC : EAGAIN;
		return -1;
	}
	if (len > room) {
		the_log.refused = true;
		len = room;
	}
	take_log(bytes, len);
	return (long)len;
}

int kernel_fstat(int fd, struct stat *status)
{
	static const mode_t modes[KERNEL_LOG_KINDS] = {
		S_IFIFO, S_IFIFO, S_IFSOCK, S_IFREG};

	memset(status, 0, sizeof(*status));
	status->st_mode = S_IFREG;
	if (kernel_file(fd)->kind != FILE_LOG)
		return 0;
	status->st_mode = modes[kernel.plan.log];
	status->st_size = (off_t)the_log.len;
	return 0;
}

/* Where its line is torn stands for the end of the file. */
off_t kernel_lseek(int fd, off_t at, int whence)
{
	(void)kernel_file(fd);
	return whence == SEEK_CUR ? (off_t)the_log.len : at;
}

int kernel_ftruncate(int fd, off_t len)
{
	size_t gone = the_log.len - (size_t)len;

	(void)kernel_file(fd);
	kernel_point();
	/* Some of it may have been read. */
	the_log.used -= gone < the_log.used ? gone : the_log.used;
	the_log.len = (size_t)len;
	return 0;
}

ssize_t kernel_pread(int fd, void *buf, size_t len, off_t at)
{
	(void)kernel_file(fd), (void)at;
	memset(buf, '\n', len);
	return (ssize_t)len;
}

int kernel_isatty(int fd)
{
	(void)kernel_file(fd);
	return 0;
}

int kernel_ioctl(int fd, unsigned long what, ...)
{
	const struct file *file = kernel_file(fd);
	__builtin_va_list args;
	int *out;

	__builtin_va_start(args, what);
	out = __builtin_va_arg(args, int *);
	__builtin_va_end(args);
	kernel_point();
	if (what == FIONREAD || file->kind == FILE_LOG)
		*out = (int)the_log.used;
	else if (what == SIOCOUTQ && file->kind == FILE_SOCKET)
		*out = (int)file->sock->out_len;
	else
		abort();
	return 0;
}

/* --- what is said before there is a log: that it was is enough --- */

int kernel_fprintf(FILE *file, const char *format, ...)
{
	(void)file, (void)format;
	kernel.was_told = true;
	return 0;
}

int kernel_vfprintf(FILE *file, const char *format, va_list args)
{
	(void)file, (void)format, (void)args;
	kernel.was_told = true;
	return 0;
}

int kernel_fputc(int c, FILE *file)
{
	(void)file;
	return c;
}

bool kernel_was_told(void)
{
	return kernel.was_told;
}

/* --- memory --- */

static const void *blocks[BLOCKS_MAX];
static unsigned block_len;

void memory_start(void)
{
	if (block_len > 0)
		memset(blocks, 0, sizeof(blocks));
	block_len = 0;
}

static unsigned slot_of(const void *memory)
{
	unsigned slot = (unsigned)((uintptr_t)memory >> 4) * 2654435761u;

	for (slot %= BLOCKS_MAX; blocks[slot] != NULL && blocks[slot] != memory;
		slot = (slot + 1) % BLOCKS_MAX)
		continue;
	return slot;
}

static void *noted(void *memory)
{
	if (memory == NULL || block_len >= BLOCKS_MAX / 2)
		abort();
	blocks[slot_of(memory)] = memory;
	block_len++;
	return memory;
}

/* Moves up those that collided with one that is gone. */
static void unnote(const void *memory)
{
	unsigned slot = slot_of(memory);

	/* What the C library or lib allocated is theirs to count. */
	if (blocks[slot] == NULL)
		return;
	blocks[slot] = NULL;
	block_len--;
	for (slot = (slot + 1) % BLOCKS_MAX; blocks[slot] != NULL;
		slot = (slot + 1) % BLOCKS_MAX) {
		const void *moved = blocks[slot];

		blocks[slot] = NULL;
		blocks[slot_of(moved)] = moved;
	}
}

static bool is_out_of_memory(void)
{
	int error;

	kernel_point();
	error = FAULT(ENOMEM);
	/* Success leaves errno as it is. */
	if (error != 0)
		errno = error;
	return error != 0;
}

void *kernel_malloc(size_t size)
{
	return is_out_of_memory() ? NULL : noted(malloc(size));
}

void *kernel_calloc(size_t count, size_t size)
{
	return is_out_of_memory() ? NULL : noted(calloc(count, size));
}

void *kernel_realloc(void *memory, size_t size)
{
	void *made;

	if (is_out_of_memory())
		return NULL;
	unnote(memory);
	made = realloc(memory, size);
	return noted(made);
}

char *kernel_strndup(const char *text, size_t max)
{
	return is_out_of_memory() ? NULL : noted(strndup(text, max));
}

void kernel_free(void *memory)
{
	if (memory != NULL)
		unnote(memory);
	free(memory);
}

void kernel_check_end(void)
{
	/* Standard input, output and error, and the log once more. */
	for (int fd = 3; fd < FDS_MAX; fd++)
		ORACLE("SRV-54",
			kernel.files[fd].kind == FILE_CLOSED ||
				kernel.files[fd].kind == FILE_LOG,
			"descriptor %d is left open", fd);
	ORACLE("SRV-54", block_len == 0, "%u blocks of memory are left",
		block_len);
}

void kernel_forget(void)
{
	for (unsigned i = 0; block_len > 0 && i < BLOCKS_MAX; i++) {
		if (blocks[i] != NULL)
			free((void *)(uintptr_t)blocks[i]);
	}
	memory_start();
	for (int fd = 0; fd < FDS_MAX; fd++) {
		if (kernel.files[fd].kind == FILE_EPOLL)
			kernel_poll_forget(fd);
	}
	net_forget();
}
