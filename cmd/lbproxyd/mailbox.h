/*
 * A thread's mailbox: how other threads tell it something. Whatever is posted
 * is delivered once, in the order of posting, by the thread's own loop; there
 * is no state beside it that has to be looked at in time. [SRV-50].
 *
 * Messages are intrusive: whoever posts one embeds a struct mail in it, so
 * that posting allocates nothing and cannot fail.
 */
#ifndef MAILBOX_H
#define MAILBOX_H

#include <pthread.h>

#include "poller.h"

/* A message; {.deliver = handler} is one that is not posted. */
struct mail {
	/*
	 * Called by the mailbox's thread. The message is the handler's then: it
	 * may be posted again or freed.
	 */
	void (*deliver)(struct mail *mail);
	struct mail *next; /* the mailbox's, from here on */
	bool posted;       /* and not delivered yet */
};

struct mailbox {
	struct watch watch; /* on the descriptor that wakes its thread */
	pthread_mutex_t lock;
	struct mail *first;
	struct mail **last;
};

/*
 * Makes an empty mailbox that is delivered by the loop of this poller. False
 * with errno set: mailbox_release is still due. The poller must outlive it.
 */
bool mailbox_init(struct mailbox *mailbox, struct poller *poller);

/* No thread may use it any more; what was not delivered is forgotten. */
void mailbox_release(struct mailbox *mailbox);

/*
 * Posts a message, and wakes the mailbox's thread if need be. Any thread may
 * call it; the message must stay until it is delivered. One that
 * is posted already, here, stays where it is and is delivered once.
 */
void mailbox_post(struct mailbox *mailbox, struct mail *mail);

/*
 * Wakes the mailbox's thread, without a message. For signal handlers: it is
 * async-signal-safe, never blocks, and a thread that is about to wait wakes.
 */
void mailbox_wake(const struct mailbox *mailbox);

#endif
