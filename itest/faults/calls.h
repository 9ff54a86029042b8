/*
 * What itest/faults/inject.c can let fail, and the memory by which it is told
 * to. The program that drives it reads the names, their order and the sizes
 * here too.
 */
#ifndef FAULTS_CALLS_H
#define FAULTS_CALLS_H

#include <stdint.h>

/* clang-format off */
#define FAULTS_CALLS(X) \
	X(alloc) X(open) X(openat) X(read) X(pread) X(write) X(close) \
	X(fstat) X(fstatat) X(lseek) X(ftruncate) X(fcntl) X(ioctl) \
	X(isatty) X(poll) X(select) X(epoll_create1) X(epoll_ctl) \
	X(epoll_wait) X(eventfd) X(socket) X(bind) X(listen) X(accept4) \
	X(connect) X(getsockname) X(getpeername) X(getsockopt) \
	X(setsockopt) X(recv) X(send) X(shutdown) X(opendir) X(readdir) \
	X(getrandom) X(getrlimit) X(setrlimit) X(sched_getaffinity) \
	X(pthread_create) X(getaddrinfo) X(fopen) X(chmod) X(fchmod) \
	X(lstat) X(rename) X(sendmsg)
/* clang-format on */

#define FAULTS_NUMBER(name) FAULTS_##name,
enum faults_call {
	FAULTS_CALLS(FAULTS_NUMBER) FAULTS_LEN
};

#define FAULTS_ROLES 8
#define FAULTS_STACK 32
#define FAULTS_NEAR  3
#define FAULTS_TRACE 65536

/* One call that was made. */
struct faults_entry {
	uint32_t role; /* 0: the main thread; then in the order of starting */
	uint32_t call;
	uint32_t at;   /* the at-th of this call in this thread */
	uint32_t site; /* a hash of the program's functions on the stack */
	uint32_t place, near; /* of the innermost; of FAULTS_NEAR */
};

/* A file that the program and its driver both have in memory. */
struct faults {
	_Atomic uint32_t armed;
	uint32_t role, call, at; /* which is to fail */
	/* 0: it does less than it was asked for; below 0: all is done, but it
	 * returns no sooner than nothing is armed any more, if it can wait. */
	int32_t error;
	uint32_t stays; /* all later ones fail too */
	_Atomic uint32_t fired;
	_Atomic uint32_t resolves; /* later.test has an address now */
	uint32_t traces;
	_Atomic uint32_t trace_len;
	_Atomic uint64_t ahead_ns;    /* of the clock */
	uint64_t stack[FAULTS_STACK]; /* of what failed, in the program */
	_Atomic uint32_t counts[FAULTS_ROLES][FAULTS_LEN];
	struct faults_entry trace[FAULTS_TRACE];
};

#endif
