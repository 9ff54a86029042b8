/*
 * Waiting for descriptors: select or epoll behind one interface.
 *
 * A watch is embedded in the object that owns the descriptor. A handler may
 * stop any watch, including its own, as long as the memory stays valid until
 * poller_wait has returned.
 */
#ifndef POLLER_H
#define POLLER_H

#include <stdbool.h>
#include <stdint.h>

#include "server/config.h"

enum poller_want {
	POLLER_READ = 1 << 0,
	POLLER_WRITE = 1 << 1,
	POLLER_ERROR = 1 << 2, /* reported unasked: mostly a reset */
};

struct watch {
	int fd;          /* -1: not watched, and no longer called */
	unsigned want;   /* READ, WRITE, both or neither */
	unsigned told;   /* what the kernel is to report; epoll's */
	bool is_unheard; /* and what it has reported in vain */
	bool is_watched; /* like all of these, set by these functions only */
	/*
	 * Called when some of what is wanted is ready. An error makes all of it
	 * ready.
	 */
	void (*ready)(struct watch *watch, unsigned ready);
};

struct poller;

/*
 * Makes a poller of this kind (not auto), to be freed with poller_free. NULL
 * with errno set: failed.
 */
struct poller *poller_new(enum lbp_event_loop kind);

/* Frees a poller; NULL is allowed. */
void poller_free(struct poller *poller);

/*
 * Sets what a watch waits for. Errors are always reported, and nothing else if
 * want is 0, unless both directions have ended: then nothing is left to report.
 * Returns 0, or -1 with errno set and nothing changed. [SRV-81].
 */
int poller_set(struct poller *poller, struct watch *watch, unsigned want);

/* The same for one that is being watched, which cannot fail. */
void poller_change(struct poller *poller, struct watch *watch, unsigned want);

/* Stops watching a descriptor that stays open, even for errors. */
void poller_stop(struct poller *poller, struct watch *watch);

/*
 * Stops watching a descriptor that is about to be closed, and of which there is
 * no duplicate, in another process either.
 */
void poller_forget(struct poller *poller, struct watch *watch);

/*
 * Waits until something is ready, but for at most timeout_ms (-1: forever), and
 * calls the handlers. Returns how many there were to call, or -1 with errno
 * set, which would be a fault of the program.
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

/*
 * A descriptor of such a poller by which another one can wait for it: to be
 * read while something is ready.
 */
int poller_epoll_fd(const struct poller *poller);

#endif
