/*
 * A thread's mailbox, through which other threads send it messages. Each
 * message is delivered once, in the order of posting, by the thread's own loop;
 * threads share no other state that would have to be polled. [SRV-50].
 *
 * Messages are intrusive: a struct mail is embedded in each, so that posting
 * allocates nothing and cannot fail.
 */
#ifndef MAILBOX_H
#define MAILBOX_H

#include <pthread.h>

#include "poller.h"

/* A message; {.deliver = handler} initializes it. */
struct mail {
	/*
	 * Called by the mailbox's thread. The handler owns the message, and may
	 * post it again or free it.
	 */
	void (*deliver)(struct mail *mail);
	struct mail *next; /* from here on, the mailbox's */
	bool posted;       /* and not yet delivered */
};

struct mailbox {
	struct watch watch; /* on the descriptor that wakes its thread */
	pthread_mutex_t lock;
	struct mail *first;
	struct mail **last;
	bool is_closed;
};

/*
 * Makes an empty mailbox, whose messages the loop of this poller delivers. The
 * poller must outlive it. False with errno set: mailbox_release must still be
 * called.
 */
bool mailbox_init(struct mailbox *mailbox, struct poller *poller);

/* No thread may still use it; undelivered messages are discarded. */
void mailbox_release(struct mailbox *mailbox);

/*
 * Posts a message, and wakes the mailbox's thread if necessary. Any thread may
 * call this; the message must live until it is delivered. One that is already
 * posted to this mailbox keeps its place and is delivered once. False: it was
 * closed, and the message is not delivered.
 */
bool mailbox_post(struct mailbox *mailbox, struct mail *mail);

/*
 * Takes no more messages, unless there are some to be delivered first: then it
 * returns false. To be called by its thread, which delivers none afterwards.
 */
bool mailbox_close(struct mailbox *mailbox);

/*
 * Wakes the mailbox's thread without a message. For signal handlers: it is
 * async-signal-safe, never blocks, and also wakes a thread about to wait.
 */
void mailbox_wake(const struct mailbox *mailbox);

#endif
