#include "handshakes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "entropy.h"

bool handshakes_init(struct handshakes *handshakes, uint32_t max)
{
	uint64_t seed[2];

	*handshakes = (struct handshakes){0};
	pthread_mutex_init(&handshakes->lock, NULL);
	if (!entropy_draw(seed, sizeof(seed)))
		return false;
	handshakes->places = calloc(max, sizeof(struct handshake *));
	if (handshakes->places != NULL &&
		lbp_sources_new(&handshakes->sources, max, seed) == LBP_OK)
		return true;
	errno = ENOMEM;
	return false;
}

void handshakes_release(struct handshakes *handshakes)
{
	lbp_sources_free(handshakes->sources);
	free(handshakes->places);
	pthread_mutex_destroy(&handshakes->lock);
}

/* Under the lock: tells its worker, which then has no place to return. */
static struct evictions *evict(struct handshake *handshake)
{
	struct evictions *evictions = handshake->evictions;

	handshake->evicted = true;
	handshake->next = evictions->first;
	evictions->first = handshake;
	return evictions;
}

bool handshakes_enter(struct handshakes *handshakes,
	struct handshake *handshake, struct evictions *evictions,
	const union address *peer)
{
	struct lbp_source source = address_source(peer);
	struct evictions *told = NULL;
	struct lbp_ticket evicted;

	handshake->evictions = evictions;
	pthread_mutex_lock(&handshakes->lock);
	lbp_sources_enter(
		handshakes->sources, &source, &handshake->ticket, &evicted);
	if (evicted.order != 0)
		told = evict(handshakes->places[evicted.place]);
	handshakes->places[handshake->ticket.place] = handshake;
	pthread_mutex_unlock(&handshakes->lock);
	if (told != NULL)
		mailbox_post(told->mailbox, &told->mail);
	return told == NULL;
}

void handshakes_move(struct handshakes *handshakes, struct handshake *handshake,
	const union address *peer)
{
	struct lbp_source source = address_source(peer);
	struct lbp_ticket evicted;

	pthread_mutex_lock(&handshakes->lock);
	/* If it was evicted, its worker will be told. */
	if (lbp_sources_leave(handshakes->sources, handshake->ticket) ==
		LBP_OK) {
		/* One place is free now: nobody is evicted. */
		lbp_sources_enter(handshakes->sources, &source,
			&handshake->ticket, &evicted);
		handshakes->places[handshake->ticket.place] = handshake;
		handshake->heard = false;
	}
	pthread_mutex_unlock(&handshakes->lock);
}

void handshakes_heard(
	struct handshakes *handshakes, struct handshake *handshake)
{
	if (handshake->heard)
		return;
	handshake->heard = true;
	pthread_mutex_lock(&handshakes->lock);
	/* If it was evicted, its worker will be told. */
	(void)lbp_sources_heard(handshakes->sources, handshake->ticket);
	pthread_mutex_unlock(&handshakes->lock);
}

/* Under the lock. */
static void take_out(struct handshake *handshake)
{
	struct handshake **link = &handshake->evictions->first;

	while (*link != handshake)
		link = &(*link)->next;
	*link = handshake->next;
	handshake->evicted = false;
}

bool handshakes_leave(
	struct handshakes *handshakes, struct handshake *handshake)
{
	bool had_place;

	pthread_mutex_lock(&handshakes->lock);
	had_place = lbp_sources_leave(handshakes->sources, handshake->ticket) ==
		    LBP_OK;
	if (handshake->evicted)
		take_out(handshake);
	pthread_mutex_unlock(&handshakes->lock);
	handshake->ticket.order = 0;
	return had_place;
}

struct handshake *handshakes_next_evicted(
	struct handshakes *handshakes, struct evictions *evictions)
{
	struct handshake *handshake;

	pthread_mutex_lock(&handshakes->lock);
	handshake = evictions->first;
	if (handshake != NULL)
		take_out(handshake);
	pthread_mutex_unlock(&handshakes->lock);
	return handshake;
}
