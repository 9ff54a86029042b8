/*
 * The system's calls and the C library's, as hooks.h has the server call them:
 * each does what the one of its name without "kernel_" does.
 */
#ifndef LBP_FUZZ_KERNEL_CALLS_H
#define LBP_FUZZ_KERNEL_CALLS_H

#include <dirent.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <time.h>

/* The server's main. */
int server_main(int argc, char **argv);

void kernel_atomic(void);
int kernel_thread_create(pthread_t *thread, const pthread_attr_t *attr,
	void *(*run)(void *), void *arg);
int kernel_thread_detach(pthread_t number);
int kernel_thread_join(pthread_t number, void **result);
int kernel_thread_sigmask(int how, const sigset_t *set, sigset_t *old);
int kernel_mutex_destroy(pthread_mutex_t *mutex);
int kernel_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attr);
int kernel_mutex_lock(pthread_mutex_t *mutex);
int kernel_mutex_unlock(pthread_mutex_t *mutex);
int kernel_cond_destroy(pthread_cond_t *cond);
int kernel_cond_init(pthread_cond_t *cond, const pthread_condattr_t *attr);
int kernel_cond_signal(pthread_cond_t *cond);
int kernel_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex);
int kernel_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
	const struct timespec *until);

int kernel_clock_gettime(clockid_t clock, struct timespec *ts);
time_t kernel_time(time_t *out);
int kernel_sigaction(
	int number, const struct sigaction *action, struct sigaction *old);
int kernel_sigprocmask(int how, const sigset_t *set, sigset_t *old);

void *kernel_calloc(size_t count, size_t size);
void kernel_free(void *memory);
void *kernel_malloc(size_t size);
void *kernel_realloc(void *memory, size_t size);
char *kernel_strndup(const char *text, size_t max);

int kernel_fprintf(FILE *file, const char *format, ...);
int kernel_fputc(int c, FILE *file);
int kernel_vfprintf(FILE *file, const char *format, va_list args);

int kernel_close(int fd);
int kernel_closedir(DIR *dir);
int kernel_eventfd(unsigned count, int flags);
int kernel_fcntl(int fd, int what, ...);
int kernel_fstat(int fd, struct stat *status);
int kernel_ftruncate(int fd, off_t len);
ssize_t kernel_getrandom(void *buf, size_t len, unsigned flags);
char *kernel_getenv(const char *name);
int kernel_getrlimit(int what, struct rlimit *limit);
int kernel_ioctl(int fd, unsigned long what, ...);
int kernel_isatty(int fd);
off_t kernel_lseek(int fd, off_t at, int whence);
int kernel_open(const char *path, int flags, ...);
int kernel_openat(int dir_fd, const char *path, int flags, ...);
DIR *kernel_opendir(const char *path);
ssize_t kernel_pread(int fd, void *buf, size_t len, off_t at);
ssize_t kernel_read(int fd, void *buf, size_t len);
int kernel_setrlimit(int what, const struct rlimit *limit);
ssize_t kernel_write(int fd, const void *buf, size_t len);

int kernel_epoll_create1(int flags);
int kernel_epoll_ctl(int epoll, int what, int fd, struct epoll_event *event);
int kernel_epoll_wait(
	int epoll, struct epoll_event *events, int max, int timeout_ms);
int kernel_poll(struct pollfd *fds, nfds_t n, int timeout_ms);
int kernel_select(int end, fd_set *reads, fd_set *writes, fd_set *errors,
	struct timeval *timeout);

int kernel_accept4(int fd, struct sockaddr *address, socklen_t *len, int flags);
int kernel_bind(int fd, const struct sockaddr *address, socklen_t len);
int kernel_connect(int fd, const struct sockaddr *address, socklen_t len);
int kernel_getpeername(int fd, struct sockaddr *address, socklen_t *len);
int kernel_getsockname(int fd, struct sockaddr *address, socklen_t *len);
int kernel_getsockopt(int fd, int level, int name, void *value, socklen_t *len);
int kernel_listen(int fd, int backlog);
ssize_t kernel_recv(int fd, void *buf, size_t len, int flags);
ssize_t kernel_send(int fd, const void *buf, size_t len, int flags);
int kernel_setsockopt(
	int fd, int level, int name, const void *value, socklen_t len);
int kernel_shutdown(int fd, int how);
int kernel_socket(int family, int type, int protocol);

void kernel_freeaddrinfo(struct addrinfo *infos);
int kernel_getaddrinfo(const char *host, const char *service,
	const struct addrinfo *hints, struct addrinfo **out);

#endif
