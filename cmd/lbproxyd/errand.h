/*
 * What the admin socket's thread has done in another thread, such as a worker,
 * and waits for. There is one at a time, however many ask. It outlives those
 * who ask: what was sent out is carried out, whether anybody still waits or
 * not, and until then the next one does not begin.
 */
#ifndef ERRAND_H
#define ERRAND_H

#include <pthread.h>

#include "mailbox.h"

struct errand {
	struct mail mail;
	bool (*work)(void *user);
	void *user;
	pthread_mutex_t lock; /* of all below */
	pthread_cond_t changed;
	bool is_taken; /* somebody asks, or it is not yet carried out */
	bool is_done;
	bool is_left; /* nobody waits for it any more */
};

/* Whoever asks. */
struct asker {
	struct errand *errand;
	bool is_stopped; /* behind its lock */
};

void errand_init(struct errand *errand);

/* No thread may still ask, nor carry anything out. */
void errand_release(struct errand *errand);

/*
 * Waits until nobody else asks. What the work is about may be changed between
 * this and asker_give. False: the asker was stopped.
 */
bool asker_take(struct asker *asker);

/*
 * Has the thread of this mailbox do the work, and waits until it has. The work
 * says whether it is done, or else errand_done will be called. False: it is not
 * done, as the asker was stopped or the thread has ended.
 */
bool asker_run(struct asker *asker, struct mailbox *mailbox,
	bool (*work)(void *user), void *user);

/* To be called after asker_take, if that returned true. */
void asker_give(struct asker *asker);

/* Tells an asker, from another thread, to wait for nothing any more. */
void asker_stop(struct asker *asker);

/* The work is done. To be called in the thread that does it. */
void errand_done(struct errand *errand);

#endif
