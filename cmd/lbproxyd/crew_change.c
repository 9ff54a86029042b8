/* How all threads turn to another snapshot. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "container.h"
#include "crew.h"
#include "log.h"

/* One worker's part. */
struct crew_part {
	struct worker_change change;
	struct mail done;
	struct crew_change *all;
};

static void part_done(struct crew_change *change)
{
	if (--change->pending == 0)
		change->done(change);
}

static void deliver_acceptor_done(struct mail *mail)
{
	part_done(CONTAINER_OF(mail, struct crew_change, acceptor_done));
}

static void deliver_worker_done(struct mail *mail)
{
	part_done(CONTAINER_OF(mail, struct crew_part, done)->all);
}

static bool prepare_workers(struct crew_change *change,
	const struct served_change *served, const struct snapshot *snapshot)
{
	struct crew *crew = change->crew;
	bool ok = true;
	uint32_t i;

	change->parts = calloc(crew->len, sizeof(*change->parts));
	if (change->parts == NULL)
		return false;
	for (i = 0; i < crew->len; i++) {
		struct crew_part *part = &change->parts[i];

		ok = worker_prepare(&part->change, &crew->workers[i], served,
			     snapshot) &&
		     ok;
		part->change.reply_to = &crew->mailbox;
		part->change.done = &part->done;
		part->done.deliver = deliver_worker_done;
		part->all = change;
	}
	return ok;
}

bool crew_prepare(struct crew_change *change, struct crew *crew,
	const struct served_change *served, const struct snapshot *snapshot)
{
	*change = (struct crew_change){.crew = crew,
		.acceptor.reply_to = &crew->mailbox,
		.acceptor.done = &change->acceptor_done,
		.acceptor_done.deliver = deliver_acceptor_done};
	if (prepare_workers(change, served, snapshot))
		return listeners_open(&change->acceptor.listeners,
			&crew->acceptor.listeners, served, snapshot);
	log_error(LBP_LOG_ERROR, "cannot load the configuration",
		strerror(ENOMEM));
	return false;
}

/* Those that were opened for a reload that does not take place. */
static void undo_listeners(struct crew_change *change)
{
	if (change->acceptor.listeners.items != NULL && !change->is_ordered)
		listeners_undo(&change->acceptor.listeners,
			&change->crew->acceptor.listeners);
}

void crew_change_release(struct crew_change *change)
{
	uint32_t i;

	undo_listeners(change);
	listeners_release(&change->acceptor.listeners);
	for (i = 0; change->parts != NULL && i < change->crew->len; i++)
		worker_change_release(&change->parts[i].change);
	free(change->parts);
	*change = (struct crew_change){0};
}

/* The main thread says which of the listeners stay. */
static void mark_listeners(struct crew_change *change)
{
	const struct listeners *before = &change->crew->acceptor.listeners;
	const struct listeners *after = &change->acceptor.listeners;
	size_t i;

	for (i = 0; i < before->len; i++)
		before->items[i]->stays = false;
	for (i = 0; i < after->len; i++)
		after->items[i]->stays = true;
	change->is_ordered = true;
}

bool crew_adopt(struct crew_change *change)
{
	struct crew *crew = change->crew;
	uint32_t i;

	mark_listeners(change);
	for (i = 0; i < crew->len; i++)
		worker_adopt(&crew->workers[i], &change->parts[i].change);
	if (acceptor_adopt(&crew->acceptor, &change->acceptor))
		return true;
	log_error(LBP_LOG_ERROR, "cannot start accepting connections",
		strerror(errno));
	return false;
}

void crew_order(struct crew_change *change)
{
	struct crew *crew = change->crew;
	uint32_t i;

	mark_listeners(change);
	change->pending = crew->len + 1;
	/* Workers first: they get connections of new applications then. */
	for (i = 0; i < crew->len; i++)
		worker_order(&crew->workers[i], &change->parts[i].change);
	acceptor_order(&crew->acceptor, &change->acceptor);
}
