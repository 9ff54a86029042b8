/* What the parts of the made-up kernel know of each other. */
#ifndef LBP_FUZZ_KERNEL_INSIDE_H
#define LBP_FUZZ_KERNEL_INSIDE_H

#include "kernel.h"
#include "oracle.h"

#define FDS_MAX 256

enum file_kind {
	FILE_CLOSED,
	FILE_STANDARD, /* input and output */
	FILE_LOG,
	FILE_TEXT,
	FILE_DIRECTORY,
	FILE_EVENT,
	FILE_EPOLL,
	FILE_SOCKET,
};

struct file {
	enum file_kind kind;
	unsigned edge;  /* changes of its readiness, for EPOLLET */
	uint64_t count; /* of an event; where the next read of a text is */
	struct sock *sock;
	struct epoll *epoll;
};

enum sock_state {
	SOCK_NEW,
	SOCK_CONNECTING,
	SOCK_OPEN,
	SOCK_LISTENING,
	SOCK_DEAD, /* could not connect, or broken */
};

struct sock {
	enum sock_state state;
	struct sockaddr_in own;
	struct sockaddr_in peer;
	/* What the far end sent. */
	uint8_t *in;
	size_t in_len;
	bool in_end;
	/* What the server wrote and the far end has not taken. */
	uint8_t *out;
	size_t out_len;
	bool out_end;
	int error;      /* pending */
	bool was_reset; /* by the far end, or after a close: no use any more */
	bool resets;    /* its close is one */
	bool sent_reset;
	bool is_closed;
	bool no_delay;
	bool keeps_alive;
	int idle_s;
	int user_timeout_ms;
	uint64_t stalled_ns; /* since when out waits, unless it is empty */
	bool has_vanished;   /* the far end answers nothing any more */
	uint64_t vanished_ns;
	int fd; /* while it is open, or -1 */
	/* Of a listener: those that wait, first come first. */
	struct sock *first;
	struct sock *next; /* in that queue */
	unsigned queued;
	unsigned backlog;
	bool is_queued;
	void *user;
	struct sock *all_next;
	struct sock *live_next;
};

struct kernel {
	struct kernel_plan plan;
	const struct kernel_world *world;
	struct bytes *bytes;
	uint64_t now_ns;
	bool is_calm;
	bool was_told;
	unsigned fault_in; /* calls until the next fault; 0: none */
	unsigned faults;
	uint64_t fault_ns; /* when the last one was */
	bool refused_thread;
	bool no_ports;
	uint16_t ports; /* that were given out */
	unsigned limit;
	struct file files[FDS_MAX];
	struct sock *socks;
	struct sock *live; /* of them, without most that are closed or dead */
};

extern struct kernel kernel;

/* --- threads.c --- */

void threads_start(void);

/* Another thread may go on here. */
void kernel_point(void);

/* Blocks until can(object), or this time; false: time is up, or a signal. */
bool kernel_block(
	bool (*can)(const void *object), const void *object, uint64_t until_ns);

/* The current thread was interrupted by a signal since this was called. */
bool kernel_interrupted(void);

/* --- faults --- */

#define FAULT_SHORT (-1) /* it does a part */

/* Draws whether this call fails now; 0, or one of n errors. */
int kernel_fault(const int *errors, unsigned n);
#define FAULT(...)                                                             \
	kernel_fault((const int[]){__VA_ARGS__},                               \
		sizeof((const int[]){__VA_ARGS__}) / sizeof(int))

/*
 * The beginning of a call, before which others may go on; error, or 0, is drawn
 * for it. True: errno says so, and nothing else happens.
 */
bool kernel_fails(int error);

/* A part of n, at least 1. */
size_t kernel_part(size_t n);

/* --- descriptors --- */

struct file *kernel_file(int fd);       /* an open one */
int kernel_new_fd(enum file_kind kind); /* -1 with errno set: none is left */
unsigned kernel_readiness(int fd);      /* as poll says */
void kernel_poll_forget(int fd);

void net_close(struct sock *sock);
unsigned net_readiness(const struct sock *sock);
bool net_listens(int fd); /* on TCP connections */
void net_forget(void);
void net_time_passed(void);
uint64_t net_next_due_ns(void); /* of what passing time does */

unsigned log_readiness(void);
void log_refuse(int fd); /* if it is the log's, a line may be dropped */
void log_start(void);
long log_write(const char *bytes, size_t len, bool is_own);

void memory_start(void);
void memory_check(void);

#endif
