/*
 * Linked into lbproxyd, this lets one call of the C library or one allocation
 * fail, as its driver says in the file that LBP_FAULTS names: the n-th of its
 * kind in one thread. OpenSSL's calls are among them, since these definitions
 * come before the C library's; with AddressSanitizer they stand before its own.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <execinfo.h>
#include <fcntl.h>
#include <link.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "calls.h"

/* The thread that resolves names waits by the kernel's clock. */
#define RESOLVER 1

extern const char __executable_start, etext;

/* What is here is not among the program's own functions. */
#ifdef __clang__
#pragma clang section text = "injected"
#endif
extern const char __start_injected, __stop_injected;

static struct faults *faults;
static atomic_uint threads;
/* Not yet known: nothing fails. */
#define NOBODY FAULTS_ROLES
static _Thread_local unsigned role = NOBODY;
static _Thread_local bool is_looking;
/* The call that is being made is to be held up. */
static _Thread_local bool is_late;

/*
 * The code of libmicrohttpd, which ends the program where the kernel does what
 * it never does to a healthy one; of its calls, those alone may fail that take
 * memory.
 */
static struct {
	uintptr_t begin, end;
} spared;

/* --- which call fails --- */

static bool is_here(uintptr_t at)
{
	return at >= (uintptr_t)&__start_injected &&
	       at < (uintptr_t)&__stop_injected;
}

static bool is_own(uintptr_t at)
{
	return at >= (uintptr_t)&__executable_start && at < (uintptr_t)&etext &&
	       !is_here(at);
}

/* The program's own functions that are being called, the innermost first. */
static int look_back(uint64_t *stack, int max)
{
	void *all[FAULTS_STACK];
	int i = 0, len, kept = 0;

	is_looking = true;
	len = backtrace(all, FAULTS_STACK);
	is_looking = false;
	/* A sanitizer's functions come before ours. */
	while (i < len && !is_here((uintptr_t)all[i]))
		i++;
	for (; i < len && kept < max; i++) {
		uintptr_t at = (uintptr_t)all[i];

		if (is_own(at))
			stack[kept++] = at - (uintptr_t)&__executable_start;
	}
	return kept;
}

/* A number for the innermost functions. */
static uint32_t hash(const uint64_t *stack, int len)
{
	uint32_t sum = 2166136261u;

	for (int i = len; i > 0; i--)
		sum = (sum ^ (uint32_t)stack[i - 1]) * 16777619u;
	return sum;
}

static void trace(enum faults_call call, uint32_t at)
{
	uint64_t stack[FAULTS_STACK];
	uint32_t n = atomic_fetch_add(&faults->trace_len, 1);
	int len;

	if (n >= FAULTS_TRACE)
		return;
	len = look_back(stack, FAULTS_STACK);
	faults->trace[n] = (struct faults_entry){role, call, at,
		hash(stack, len), hash(stack, len < 1 ? len : 1),
		hash(stack, len < FAULTS_NEAR ? len : FAULTS_NEAR)};
}

static bool is_meant(enum faults_call call, uint32_t at)
{
	return atomic_load(&faults->armed) && faults->role == role &&
	       faults->call == call &&
	       (faults->stays ? at >= faults->at : at == faults->at);
}

static bool is_spared(enum faults_call call, const void *caller)
{
	return call != FAULTS_alloc && call != FAULTS_epoll_ctl &&
	       (uintptr_t)caller >= spared.begin &&
	       (uintptr_t)caller < spared.end;
}

/* True: the call must fail, with errno set, or do less if that is 0. */
static bool fails_of(enum faults_call call, const void *caller)
{
	uint32_t at;

	if (faults == NULL || role == NOBODY || is_looking ||
		is_spared(call, caller))
		return false;
	at = atomic_fetch_add(&faults->counts[role][call], 1) + 1;
	if (faults->traces)
		trace(call, at);
	if (!is_meant(call, at))
		return false;
	if (faults->error < 0) {
		is_late = true;
		return false;
	}
	if (!atomic_load(&faults->fired)) {
		memset(faults->stack, 0, sizeof(faults->stack));
		look_back(faults->stack, FAULTS_STACK);
	}
	atomic_store(&faults->fired, 1);
	errno = faults->error;
	return true;
}

/* The same for calls that can do less: then *len is what is left to do. */
static bool fails_or_shortens(
	enum faults_call call, size_t *len, const void *caller)
{
	/* What wakes a thread is an eventfd, which always takes it. */
	if (call == FAULTS_write && *len == sizeof(uint64_t))
		return false;
	if (!fails_of(call, caller))
		return false;
	if (faults->error != 0)
		return true;
	*len = *len > sizeof(uint64_t) ? 1 : *len;
	return false;
}

/* After a call that can be held up. */
static void wait_if_late(void)
{
	const struct timespec pause = {.tv_nsec = 5000000};

	if (!is_late)
		return;
	is_late = false;
	atomic_store(&faults->fired, 1);
	while (atomic_load(&faults->armed))
		nanosleep(&pause, NULL);
}

/* To be used in the function that stands for the C library's. */
#define CALLER      __builtin_return_address(0)
#define fails(call) fails_of(call, CALLER)

/* For dl_iterate_phdr. */
static int find_spared(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)size;
	(void)arg;
	if (strstr(info->dlpi_name, "/libmicrohttpd.so") == NULL)
		return 0;
	for (int i = 0; i < info->dlpi_phnum; i++) {
		const ElfW(Phdr) *part = &info->dlpi_phdr[i];

		if (part->p_type != PT_LOAD || (part->p_flags & PF_X) == 0)
			continue;
		spared.begin = info->dlpi_addr + part->p_vaddr;
		spared.end = spared.begin + part->p_memsz;
	}
	return 1;
}

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("LBP_FAULTS");
	void *first[1];
	void *map;
	int fd;

	/* The first call allocates. */
	backtrace(first, 1);
	if (path == NULL)
		return;
	fd = open(path, O_RDWR | O_CLOEXEC);
	map = mmap(NULL, sizeof(*faults), PROT_READ | PROT_WRITE, MAP_SHARED,
		fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		abort();
	dl_iterate_phdr(find_spared, NULL);
	faults = map;
	role = 0;
}

/* --- allocations --- */

/* REAL(NAME): the sanitizer's definition, or else the C library's. */
#define DECLARE(name)                                                          \
	extern __typeof__(name) __interceptor_##name __attribute__((weak));
#define REAL(name)                                                             \
	(__interceptor_##name != NULL ? __interceptor_##name : LIBC(name))
#define LIBC(name) (__extension__(__typeof__(&name)) dlsym(RTLD_NEXT, #name))

DECLARE(malloc)
DECLARE(calloc)
DECLARE(realloc)
DECLARE(posix_memalign)
DECLARE(aligned_alloc)

void *malloc(size_t size)
{
	return fails(FAULTS_alloc) ? NULL : REAL(malloc)(size);
}

void *calloc(size_t len, size_t size)
{
	return fails(FAULTS_alloc) ? NULL : REAL(calloc)(len, size);
}

void *realloc(void *ptr, size_t size)
{
	return fails(FAULTS_alloc) ? NULL : REAL(realloc)(ptr, size);
}

int posix_memalign(void **out, size_t alignment, size_t size)
{
	return fails(FAULTS_alloc) ? ENOMEM
				   : REAL(posix_memalign)(out, alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return fails(FAULTS_alloc) ? NULL
				   : REAL(aligned_alloc)(alignment, size);
}

char *strndup(const char *text, size_t len)
{
	size_t n = strnlen(text, len);
	char *copy = malloc(n + 1);

	if (copy == NULL)
		return NULL;
	memcpy(copy, text, n);
	copy[n] = '\0';
	return copy;
}

char *strdup(const char *text)
{
	return strndup(text, strlen(text));
}

/* --- calls --- */

/* CALL(result, name, parameters, arguments, what it returns if it fails) */
#define CALL(type, name, params, args, failed)                                 \
	DECLARE(name)                                                          \
	type name params                                                       \
	{                                                                      \
		return fails(FAULTS_##name) ? (failed) : REAL(name) args;      \
	}

/* The same for one that takes as many bytes as it can. */
#define CALL_BYTES(name, params, args)                                         \
	DECLARE(name)                                                          \
	ssize_t name params                                                    \
	{                                                                      \
		return fails_or_shortens(FAULTS_##name, &len, CALLER)          \
			       ? -1                                            \
			       : REAL(name) args;                              \
	}

CALL_BYTES(read, (int fd, void *buf, size_t len), (fd, buf, len))
CALL_BYTES(pread, (int fd, void *buf, size_t len, off_t at), (fd, buf, len, at))
CALL_BYTES(write, (int fd, const void *buf, size_t len), (fd, buf, len))
CALL_BYTES(
	recv, (int fd, void *buf, size_t len, int flags), (fd, buf, len, flags))
CALL_BYTES(send, (int fd, const void *buf, size_t len, int flags),
	(fd, buf, len, flags))
CALL_BYTES(
	getrandom, (void *buf, size_t len, unsigned flags), (buf, len, flags))

CALL(int, fstat, (int fd, struct stat *st), (fd, st), -1)
CALL(int, fstatat, (int fd, const char *path, struct stat *st, int flags),
	(fd, path, st, flags), -1)
CALL(off_t, lseek, (int fd, off_t offset, int from), (fd, offset, from), -1)
CALL(int, ftruncate, (int fd, off_t len), (fd, len), -1)
CALL(int, isatty, (int fd), (fd), 0)
CALL(int, poll, (struct pollfd * fds, nfds_t len, int ms), (fds, len, ms), -1)
CALL(int, select,
	(int len, fd_set *reads, fd_set *writes, fd_set *others,
		struct timeval *timeout),
	(len, reads, writes, others, timeout), -1)
CALL(int, epoll_create1, (int flags), (flags), -1)
/* Only a new watch takes memory. */
DECLARE(epoll_ctl)
int epoll_ctl(int set, int op, int fd, struct epoll_event *event)
{
	if (op == EPOLL_CTL_ADD && fails(FAULTS_epoll_ctl))
		return -1;
	return REAL(epoll_ctl)(set, op, fd, event);
}

CALL(int, epoll_wait, (int set, struct epoll_event *events, int max, int ms),
	(set, events, max, ms), -1)
CALL(int, eventfd, (unsigned count, int flags), (count, flags), -1)
CALL(int, socket, (int family, int type, int protocol),
	(family, type, protocol), -1)
CALL(int, bind, (int fd, __CONST_SOCKADDR_ARG address, socklen_t len),
	(fd, address, len), -1)
CALL(int, listen, (int fd, int backlog), (fd, backlog), -1)
CALL(int, accept4, (int fd, __SOCKADDR_ARG address, socklen_t *len, int flags),
	(fd, address, len, flags), -1)
CALL(int, connect, (int fd, __CONST_SOCKADDR_ARG address, socklen_t len),
	(fd, address, len), -1)
CALL(int, getsockname, (int fd, __SOCKADDR_ARG address, socklen_t *len),
	(fd, address, len), -1)
CALL(int, getpeername, (int fd, __SOCKADDR_ARG address, socklen_t *len),
	(fd, address, len), -1)
CALL(int, getsockopt,
	(int fd, int level, int option, void *value, socklen_t *len),
	(fd, level, option, value, len), -1)
CALL(int, setsockopt,
	(int fd, int level, int option, const void *value, socklen_t len),
	(fd, level, option, value, len), -1)
CALL(int, shutdown, (int fd, int how), (fd, how), -1)
CALL(DIR *, opendir, (const char *path), (path), NULL)
CALL(struct dirent *, readdir, (DIR * dir), (dir), NULL)
CALL(int, getrlimit, (__rlimit_resource_t what, struct rlimit *limit),
	(what, limit), -1)
CALL(int, setrlimit, (__rlimit_resource_t what, const struct rlimit *limit),
	(what, limit), -1)
CALL(int, sched_getaffinity, (pid_t pid, size_t size, cpu_set_t *set),
	(pid, size, set), -1)
CALL(int, chmod, (const char *path, mode_t mode), (path, mode), -1)
CALL(int, fchmod, (int fd, mode_t mode), (fd, mode), -1)
CALL(int, lstat, (const char *path, struct stat *st), (path, st), -1)
CALL(int, rename, (const char *from, const char *to), (from, to), -1)
CALL(ssize_t, sendmsg, (int fd, const struct msghdr *message, int flags),
	(fd, message, flags), -1)
CALL(FILE *, fopen, (const char *path, const char *mode), (path, mode), NULL)

/* The descriptor is gone all the same. */
DECLARE(close)
int close(int fd)
{
	bool failed = fails(FAULTS_close);
	int error = errno;
	int rc = REAL(close)(fd);

	if (failed)
		errno = error;
	return failed ? -1 : rc;
}

DECLARE(open)
int open(const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
	va_end(args);
	return fails(FAULTS_open) ? -1 : REAL(open)(path, flags, mode);
}

DECLARE(openat)
int openat(int dir, const char *path, int flags, ...)
{
	va_list args;
	mode_t mode;

	va_start(args, flags);
	mode = flags & O_CREAT ? va_arg(args, mode_t) : 0;
	va_end(args);
	return fails(FAULTS_openat) ? -1 : REAL(openat)(dir, path, flags, mode);
}

DECLARE(fcntl)
int fcntl(int fd, int command, ...)
{
	va_list args;
	long value;

	va_start(args, command);
	value = va_arg(args, long);
	va_end(args);
	return fails(FAULTS_fcntl) ? -1 : REAL(fcntl)(fd, command, value);
}

DECLARE(ioctl)
int ioctl(int fd, unsigned long command, ...)
{
	va_list args;
	void *value;

	va_start(args, command);
	value = va_arg(args, void *);
	va_end(args);
	return fails(FAULTS_ioctl) ? -1 : REAL(ioctl)(fd, command, value);
}

/* errors above 1000 are what getaddrinfo itself returns: EAI_SYSTEM + 1000 is
 * a failed system call, and so on. */
#define EAI_BASE 1000

DECLARE(getaddrinfo)

/* A name with two addresses. */
static int find_both(const char *service, const struct addrinfo *hints,
	struct addrinfo **out)
{
	int rc = REAL(getaddrinfo)("127.0.0.1", service, hints, out);
	struct addrinfo *last;

	if (rc != 0)
		return rc;
	for (last = *out; last->ai_next != NULL;)
		last = last->ai_next;
	rc = REAL(getaddrinfo)("127.0.0.2", service, hints, &last->ai_next);
	if (rc != 0)
		freeaddrinfo(*out);
	return rc;
}

int getaddrinfo(const char *host, const char *service,
	const struct addrinfo *hints, struct addrinfo **out)
{
	bool is_both = host != NULL && strcmp(host, "both.test") == 0;
	bool is_later = host != NULL && strcmp(host, "later.test") == 0;
	bool is_name = host != NULL && strpbrk(host, "lt") != NULL;

	/* A literal address needs nothing but memory. */
	if (is_name && fails(FAULTS_getaddrinfo)) {
		if (faults->error > EAI_BASE)
			return EAI_BASE - faults->error;
		return EAI_SYSTEM;
	}
	if (is_later && faults != NULL && !atomic_load(&faults->resolves))
		return EAI_AGAIN;
	if (is_both)
		return find_both(service, hints, out);
	return REAL(getaddrinfo)(
		is_later ? "127.0.0.1" : host, service, hints, out);
}

DECLARE(clock_gettime)
int clock_gettime(clockid_t clock, struct timespec *now)
{
	int rc = REAL(clock_gettime)(clock, now);

	if (faults != NULL && clock == CLOCK_MONOTONIC && role != RESOLVER)
		now->tv_sec +=
			(time_t)(atomic_load(&faults->ahead_ns) / 1000000000u);
	return rc;
}

/* --- threads have numbers --- */

struct start {
	void *(*main)(void *);
	void *arg;
	unsigned role;
};

static void *thread_main(void *arg)
{
	struct start start = *(struct start *)arg;

	free(arg);
	role = start.role;
	return start.main(start.arg);
}

DECLARE(pthread_create)
int pthread_create(pthread_t *thread, const pthread_attr_t *attr,
	void *(*main)(void *), void *arg)
{
	struct start *start;
	int rc;

	if (fails(FAULTS_pthread_create))
		return errno;
	start = REAL(malloc)(sizeof(*start));
	if (start == NULL)
		return EAGAIN;
	*start = (struct start){main, arg, atomic_fetch_add(&threads, 1) + 1};
	if (start->role >= FAULTS_ROLES)
		start->role = FAULTS_ROLES - 1;
	rc = REAL(pthread_create)(thread, attr, thread_main, start);
	if (rc != 0)
		free(start);
	wait_if_late();
	return rc;
}

/*
 * What the dynamic linker keeps for good; the sanitizer would know that by the
 * caller of malloc, which is in here now.
 */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:ld-linux\nleak:dl_open_worker\nleak:_dl_\n";
}
