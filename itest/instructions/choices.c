/*
 * Operations of lib for itest/instructions/count, so many of each kind:
 *	choices CHOICES ADMISSIONS ENTRIES
 * Each puts things back, so that one more costs as much as the others.
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/balancer.h"
#include "limiter.h"
#include "server/sources.h"

enum {
	UPSTREAMS = 16,
	OPEN = 64,
	ADMISSIONS = 128,
	PLACES = 256
};

static _Noreturn void die(const char *what)
{
	(void)fprintf(stderr, "choices: %s\n", what);
	exit(1);
}

/* With OPEN connections open: one is chosen, the oldest is given back. */
static void choose(unsigned long count)
{
	static struct lbp_balancer_slot slots[UPSTREAMS];
	static uint16_t heap[UPSTREAMS];
	struct lbp_balancer balancer;
	uint32_t open[OPEN] = {0};

	for (uint32_t i = 0; i < UPSTREAMS; i++)
		slots[i].weight = 1 + i % 7;
	lbp_balancer_init(&balancer, slots, heap, UPSTREAMS);
	for (unsigned long i = 0; i < OPEN + count; i++) {
		uint32_t *oldest = &open[i % OPEN];

		if (i >= OPEN &&
			lbp_balancer_release(&balancer, *oldest) != LBP_OK)
			die("the balancer takes nothing back");
		if (lbp_balancer_choose(&balancer, NULL, oldest) != LBP_OK)
			die("the balancer chooses none");
	}
}

/* Every other one is refused, as there were too many of late. */
static void admit(unsigned long count)
{
	static const struct lbp_limits limits = {2, ADMISSIONS, ADMISSIONS};
	static uint64_t ring[ADMISSIONS];
	struct lbp_limiter limiter;
	unsigned long refused = 0;

	lbp_limiter_init(&limiter, &limits, ring);
	for (unsigned long i = 0; i < 2 * ADMISSIONS + count; i++) {
		if (lbp_limiter_admit(&limiter, i / 2) != LBP_OK)
			refused++;
		else if (lbp_limiter_release(&limiter) != LBP_OK)
			die("the limiter takes nothing back");
	}
	if (refused < count / 3)
		die("the limiter refuses too few");
}

/* All places are taken, by sources of different sizes; each evicts one. */
static void enter(unsigned long count)
{
	static const uint64_t seed[2] = {1, 2};
	struct lbp_ticket ticket, evicted;
	struct lbp_sources *sources;

	if (lbp_sources_new(&sources, PLACES, seed) != LBP_OK)
		die("no memory");
	for (unsigned long i = 0; i < 4 * PLACES + count; i++) {
		struct lbp_source source = {i * i % 61, 0};

		lbp_sources_enter(sources, &source, &ticket, &evicted);
	}
	if (lbp_sources_taken(sources) != PLACES)
		die("a place is free");
	lbp_sources_free(sources);
}

int main(int argc, char **argv)
{
	if (argc != 4)
		die("usage: choices CHOICES ADMISSIONS ENTRIES");
	choose(strtoul(argv[1], NULL, 10));
	admit(strtoul(argv[2], NULL, 10));
	enter(strtoul(argv[3], NULL, 10));
	return 0;
}
