#include "mailbox.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include "container.h"

/* Messages in one turn; if more are left, the loop serves others first. */
#ifndef MAILBOX_BATCH
#define MAILBOX_BATCH 16
#endif

void mailbox_wake(const struct mailbox *mailbox)
{
	const uint64_t one = 1;
	/* It fails only if the counter is full, which wakes the thread too. */
	ssize_t n = write(mailbox->watch.fd, &one, sizeof(one));

	(void)n;
}

bool mailbox_post(struct mailbox *mailbox, struct mail *mail)
{
	bool was_empty, is_closed;

	pthread_mutex_lock(&mailbox->lock);
	is_closed = mailbox->is_closed;
	was_empty = mailbox->first == NULL;
	if (!is_closed && !mail->posted) {
		mail->posted = true;
		mail->next = NULL;
		*mailbox->last = mail;
		mailbox->last = &mail->next;
	}
	pthread_mutex_unlock(&mailbox->lock);
	/* Else whoever posted first has woken the thread, which takes all. */
	if (was_empty && !is_closed)
		mailbox_wake(mailbox);
	return !is_closed;
}

bool mailbox_close(struct mailbox *mailbox)
{
	bool is_closed;

	pthread_mutex_lock(&mailbox->lock);
	mailbox->is_closed = mailbox->first == NULL;
	is_closed = mailbox->is_closed;
	pthread_mutex_unlock(&mailbox->lock);
	return is_closed;
}

/* NULL: the mailbox is empty, and the next post wakes this thread. */
static struct mail *take(struct mailbox *mailbox)
{
	struct mail *mail;

	pthread_mutex_lock(&mailbox->lock);
	mail = mailbox->first;
	if (mail != NULL) {
		mailbox->first = mail->next;
		if (mail->next == NULL)
			mailbox->last = &mailbox->first;
		mail->posted = false;
	}
	pthread_mutex_unlock(&mailbox->lock);
	return mail;
}

static void wake_ready(struct watch *watch, unsigned ready)
{
	struct mailbox *mailbox = CONTAINER_OF(watch, struct mailbox, watch);
	struct mail *mail;
	uint64_t count;
	/*
	 * The wake-up is consumed first: otherwise that of a message posted
	 * after the last look would be lost. There may be none any more.
	 */
	ssize_t got = read(watch->fd, &count, sizeof(count));
	int n;

	(void)ready, (void)got;
	for (n = 0; n < MAILBOX_BATCH; n++) {
		mail = take(mailbox);
		if (mail == NULL)
			return;
		mail->deliver(mail);
	}
	mailbox_wake(mailbox);
}

bool mailbox_init(struct mailbox *mailbox, struct poller *poller)
{
	*mailbox = (struct mailbox){.watch.ready = wake_ready};
	mailbox->last = &mailbox->first;
	pthread_mutex_init(&mailbox->lock, NULL);
	mailbox->watch.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return mailbox->watch.fd >= 0 &&
	       poller_set(poller, &mailbox->watch, POLLER_READ) == 0;
}

void mailbox_release(struct mailbox *mailbox)
{
	/* All zero: it was never made. */
	if (mailbox->watch.ready == NULL)
		return;
	if (mailbox->watch.fd >= 0)
		close(mailbox->watch.fd);
	pthread_mutex_destroy(&mailbox->lock);
	*mailbox = (struct mailbox){.watch.fd = -1};
}
