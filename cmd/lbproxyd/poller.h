/*
 * Waiting for descriptors: select or epoll behind one header.
 *
 * A watch is embedded in the object that owns the descriptor. Its handler may
 * close any watch, its own included, as long as the memory stays until the
 * wait that called it has returned.
 */
#ifndef POLLER_H
#define POLLER_H

#include <stdbool.h>
#include <stdint.h>

#include "server/config.h"

enum poller_want {
	POLLER_READ = 1 << 0,
	POLLER_WRITE = 1 << 1,
	POLLER_ERROR = 1 << 2, /* is told of unasked: a reset, mostly */
};

struct watch {
	int fd;          /* -1: not watched, and not called any more */
	unsigned want;   /* READ, WRITE, both or neither */
	bool is_watched; /* like want, set by these functions only */
	/*
	 * Some of what is wanted is ready, or there is an error, which makes
	 * all of that ready.
	 */
	void (*ready)(struct watch *watch, unsigned ready);
};

struct poller;

/*
 * Makes a poller of this kind (not auto), which poller_free ends; NULL with
 * errno set if that is not possible.
 */
struct poller *poller_new(enum lbp_event_loop kind);

/* Ends a poller; NULL is allowed. */
void poller_free(struct poller *poller);

/*
 * Waits for other things on a watch from now on, and for an error in any case:
 * with 0 for nothing else. Not so the end of both directions, of which there
 * is no more to tell. Returns 0, or -1 with errno set and nothing changed;
 * ERANGE: the descriptor is too high for select. [SRV-81].
 */
int poller_set(struct poller *poller, struct watch *watch, unsigned want);

/* Stops to watch a descriptor that stays open, for errors too. */
void poller_stop(struct poller *poller, struct watch *watch);

/*
 * Stops to watch a descriptor that is about to be closed, and that nothing
 * else refers to.
 */
void poller_forget(struct poller *poller, struct watch *watch);

/*
 * Waits until something is ready or timeout_ms have passed (-1: no timeout)
 * and calls the handlers. Returns 0, or -1 with errno set.
 */
int poller_wait(struct poller *poller, int timeout_ms);

/* The two kinds; poller_new chooses. */
struct poller_ops {
	int (*set)(struct poller *poller, struct watch *watch, unsigned want);
	void (*stop)(struct poller *poller, struct watch *watch);
	void (*forget)(struct poller *poller, struct watch *watch);
	int (*wait)(struct poller *poller, int timeout_ms);
	void (*free)(struct poller *poller);
};

struct poller {
	const struct poller_ops *ops;
};

struct poller *poller_select_new(void);
struct poller *poller_epoll_new(void);

#endif
