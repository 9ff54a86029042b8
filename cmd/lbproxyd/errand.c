#include "errand.h"

#include "container.h"

static void deliver(struct mail *mail)
{
	struct errand *errand = CONTAINER_OF(mail, struct errand, mail);

	if (errand->work(errand->user))
		errand_done(errand);
}

void errand_init(struct errand *errand)
{
	*errand = (struct errand){.mail.deliver = deliver};
	pthread_mutex_init(&errand->lock, NULL);
	pthread_cond_init(&errand->changed, NULL);
}

void errand_release(struct errand *errand)
{
	pthread_cond_destroy(&errand->changed);
	pthread_mutex_destroy(&errand->lock);
}

bool asker_take(struct asker *asker)
{
	struct errand *errand = asker->errand;
	bool ok;

	pthread_mutex_lock(&errand->lock);
	while (errand->is_taken && !asker->is_stopped)
		pthread_cond_wait(&errand->changed, &errand->lock);
	ok = !asker->is_stopped;
	if (ok)
		errand->is_taken = true;
	pthread_mutex_unlock(&errand->lock);
	return ok;
}

/* Under the lock, which is released while it waits. */
static bool wait_until_done(struct asker *asker)
{
	struct errand *errand = asker->errand;

	while (!errand->is_done && !asker->is_stopped)
		pthread_cond_wait(&errand->changed, &errand->lock);
	errand->is_left = !errand->is_done;
	return errand->is_done;
}

bool asker_run(struct asker *asker, struct mailbox *mailbox,
	bool (*work)(void *user), void *user)
{
	struct errand *errand = asker->errand;
	bool ok;

	pthread_mutex_lock(&errand->lock);
	/* The last one may still be under way then. */
	ok = !asker->is_stopped;
	if (ok) {
		errand->work = work;
		errand->user = user;
		errand->is_done = false;
		ok = mailbox_post(mailbox, &errand->mail) &&
		     wait_until_done(asker);
	}
	pthread_mutex_unlock(&errand->lock);
	return ok;
}

void asker_give(struct asker *asker)
{
	struct errand *errand = asker->errand;

	pthread_mutex_lock(&errand->lock);
	errand->is_taken = errand->is_left;
	pthread_cond_broadcast(&errand->changed);
	pthread_mutex_unlock(&errand->lock);
}

void asker_stop(struct asker *asker)
{
	struct errand *errand = asker->errand;

	pthread_mutex_lock(&errand->lock);
	asker->is_stopped = true;
	pthread_cond_broadcast(&errand->changed);
	pthread_mutex_unlock(&errand->lock);
}

void errand_done(struct errand *errand)
{
	pthread_mutex_lock(&errand->lock);
	errand->is_done = true;
	if (errand->is_left)
		errand->is_taken = false;
	errand->is_left = false;
	pthread_cond_broadcast(&errand->changed);
	pthread_mutex_unlock(&errand->lock);
}
