/*
 * A made-up kernel for the whole server: threads, which go on one at a time,
 * descriptors, sockets, pollers, time, signals and memory. Who goes on next,
 * and what fails, is drawn from bytes, so that an interleaving is part of an
 * input.
 *
 * What is around the server, its world, looks at the far ends of its sockets
 * and at its log, and is called whenever it is its turn.
 */
#ifndef LBP_FUZZ_KERNEL_H
#define LBP_FUZZ_KERNEL_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bytes.h"

#define KERNEL_NEVER UINT64_MAX
#define KERNEL_MS    UINT64_C(1000000)
#define KERNEL_S     (1000 * KERNEL_MS)

struct sock;

/* --- the run --- */

struct kernel_world {
	/*
	 * Some thread could go on, but it is the world's turn: it does one
	 * thing. is_at_rest: none could, until something happens or time
	 * passes.
	 */
	void (*act)(bool is_at_rest);
	/* The server connects; far_accept or far_refuse may answer at once. */
	void (*connects)(struct sock *sock, const struct sockaddr_in *to);
	/* A connection was accepted. */
	void (*accepted)(struct sock *sock);
	/*
	 * A name is resolved: writes up to max addresses (without ports), and
	 * returns how many; 0: it has none now.
	 */
	unsigned (*resolve)(
		const char *name, struct in_addr *addresses, unsigned max);
	/* The server wrote a whole line to its log. */
	void (*logged)(const char *line, size_t len);
};

struct kernel_plan {
	const char *config;  /* text of the only file there is */
	unsigned soft_limit; /* of descriptors, that may be open at once */
	unsigned hard_limit;
	unsigned buffer;  /* bytes of each direction of a socket */
	bool is_calm;     /* at first: no call fails */
	unsigned trouble; /* 0: no call fails; else 1 (seldom) to 255 */
	enum kernel_log {
		KERNEL_LOG_PIPE,
		KERNEL_LOG_SHARED_PIPE, /* that can't be opened once more */
		KERNEL_LOG_SOCKET,
		KERNEL_LOG_FILE,
		KERNEL_LOG_KINDS,
	} log;
	unsigned log_room; /* bytes that it takes before somebody reads */
};

/*
 * Runs the server's main with these arguments until all its threads have
 * returned. Returns its exit status.
 */
int kernel_run(const struct kernel_plan *plan, const struct kernel_world *world,
	struct bytes *bytes, int argc, char **argv);

/* Checks that nothing is left of a run that ended; then forgets it. */
void kernel_check_end(void);
void kernel_forget(void);

/* --- for the world --- */

uint64_t kernel_now_ns(void);

/* Lets time pass. */
void kernel_advance(uint64_t ns);

/* When time does something next, to a thread or to a socket; KERNEL_NEVER:
 * nothing. */
uint64_t kernel_next_due_ns(void);

/* From now on no call fails (true), or as the plan says. */
void kernel_calm(bool calm);

/* Calls of this run that failed for good, and when the last one did. */
unsigned kernel_faults(void);
uint64_t kernel_fault_ns(void);

/* A thread could not be started in this run. */
bool kernel_refused_thread(void);

/* So many descriptors can be opened from now on. */
void kernel_limit_descriptors(unsigned limit);
unsigned kernel_descriptors(void);

/* No local port is left for connect. */
void kernel_take_ports(bool taken);

/* A signal for the server; false: it has no handler for it now. */
bool kernel_raise(int number);

/* The log's reader takes n bytes; how many there were. */
unsigned kernel_read_log(unsigned n);
bool kernel_log_is_full(void); /* one more line may not fit */
bool kernel_was_told(void);    /* something, before there was a log */
bool kernel_log_refused(void); /* it was half full, or took no whole line */

/* Calls that failed or were cut short, and switches between threads. */
struct kernel_stats {
	uint64_t calls;
	uint64_t faults; /* the world counts its own in, too */
	uint64_t switches;
	uint64_t reads; /* of the configuration: begun, whatever came of it */
};
extern struct kernel_stats kernel_stats;

/* --- sockets, from their far end --- */

/*
 * Connects to a listener at this address, from another one. NULL: nobody
 * listens there, or the accept queue is full.
 */
struct sock *far_connect(
	const struct sockaddr_in *to, const struct sockaddr_in *from);

/* Does anybody listen on this port? */
bool far_listens(uint16_t port);

/* Answers an attempt of the server to connect; error: why it cannot. */
void far_accept(struct sock *sock);
void far_refuse(struct sock *sock, int error);
void far_be_itself(struct sock *sock); /* the server's end is both */

/* Sends up to n bytes; how many the server's kernel took. */
size_t far_send(struct sock *sock, const void *bytes, size_t n);
void far_end(struct sock *sock);
/* The connection breaks, and the server's calls say this error. */
void far_break(struct sock *sock, int error);

/*
 * The far end is gone without a word: it does nothing and answers nothing, and
 * only keepalive and TCP_USER_TIMEOUT tell the server.
 */
void far_vanish(struct sock *sock);

/* Takes up to n bytes that the server sent. */
size_t far_take(struct sock *sock, void *bytes, size_t n);

/* What the far end knows, once it has taken all bytes. */
bool far_sees_end(const struct sock *sock);
bool far_sees_reset(const struct sock *sock);

/* The server's end of it. */
bool far_is_queued(const struct sock *sock); /* not accepted yet */
bool far_end_sent(const struct sock *sock);  /* and maybe not arrived */
bool far_is_closed(const struct sock *sock); /* by the server */
size_t far_unread(const struct sock *sock);  /* bytes the server could read */
size_t far_room(const struct sock *sock);    /* bytes it could write */
bool far_no_delay(const struct sock *sock);
bool far_is_asked(const struct sock *sock); /* whether it is there */

void *far_user(const struct sock *sock);
void far_set_user(struct sock *sock, void *user);

#endif
