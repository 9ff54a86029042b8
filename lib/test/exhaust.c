/*
 * Every sequence of operations of a small scope, through the fuzz targets
 * and so against their models: what a fuzzer finds by luck is here by count.
 *
 * exhaust: every space, each to its own depth; seconds.
 * exhaust deep: deeper, as far as a minute for each module allows.
 * exhaust SPACE DEPTH: one space, all sequences of DEPTH operations.
 *
 * A fuzz target X is built here with LLVMFuzzerTestOneInput renamed fuzz_X.
 * What the bytes mean is in the comment at its top. Every sequence has the
 * full depth: the shorter ones are its beginnings, checked on the way.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

int fuzz_limiter(const uint8_t *data, size_t len);
int fuzz_balancer(const uint8_t *data, size_t len);
int fuzz_health(const uint8_t *data, size_t len);
int fuzz_flow(const uint8_t *data, size_t len);
int fuzz_sources(const uint8_t *data, size_t len);

#define BYTES_MAX    12
#define DEPTH_MAX    20
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Some bytes of an input: a setup, or one operation. */
struct piece {
	uint8_t len;
	uint8_t bytes[BYTES_MAX];
};

struct space {
	const char *name;
	int (*run)(const uint8_t *data, size_t len);
	const struct piece *setups;
	size_t setup_len;
	const struct piece *steps;
	size_t step_len;
	unsigned quick; /* depths */
	unsigned deep;
};

/* concurrent, connections, window */
static const struct piece limiter_setups[] = {
	{3, {0, 0, 2}},
	{3, {0, 1, 1}},
	{3, {0, 1, 2}},
	{3, {0, 2, 2}},
	{3, {0, 3, 3}},
	{3, {1, 0, 2}},
	{3, {1, 1, 2}},
	{3, {1, 2, 2}},
	{3, {2, 1, 2}},
	{3, {2, 2, 2}},
	{3, {2, 3, 2}},
};

/* admit: same time, +1, +2, at 0, at the oldest + window - 1, + 0; release */
static const struct piece limiter_steps[] = {
	{1, {4}},
	{2, {0, 1}},
	{2, {0, 2}},
	{2, {2, 0}},
	{2, {3, 0}},
	{2, {3, 1}},
	{1, {1}},
};

/* number of upstreams - 1, kind of weights, seed of weights */
static const struct piece balancer_setups[] = {
	{2, {1, 0}},
	{2, {2, 0}},
	{3, {1, 2, 1}},
	{3, {2, 2, 1}},
	{3, {2, 2, 0xff}},
};

/*
 * choose, also with tried sets, and in turn until none is left; release, take
 * out and take in each upstream
 */
static const struct piece balancer_steps[] = {
	{1, {0}},
	{2, {4, 1}},
	{2, {4, 2}},
	{2, {4, 4}},
	{2, {4, 3}},
	{1, {5}},
	{2, {1, 0}},
	{2, {1, 1}},
	{2, {1, 2}},
	{2, {2, 0}},
	{2, {2, 1}},
	{2, {2, 2}},
	{2, {3, 0}},
	{2, {3, 1}},
	{2, {3, 2}},
};

/* Two upstreams, for which fewer operations are enough to go deeper. */
static const struct piece pair_setups[] = {
	{2, {1, 0}},
	{3, {1, 2, 1}},
};

/* choose, also without one or the other; release, out and in, each */
static const struct piece pair_steps[] = {
	{1, {0}},
	{2, {4, 1}},
	{2, {4, 2}},
	{2, {1, 0}},
	{2, {1, 1}},
	{2, {2, 0}},
	{2, {2, 1}},
	{2, {3, 0}},
	{2, {3, 1}},
};

/* rise - 1, fall - 1, start, interval, n - 1 and i in two bytes, enabled */
static const struct piece health_setups[] = {
	{9, {0, 0, 5, 3, 0, 0, 0, 0, 1}},
	{9, {1, 0, 5, 3, 0, 2, 0, 1, 1}},
	{9, {0, 1, 5, 3, 0, 2, 0, 2, 1}},
	{9, {1, 1, 5, 3, 0, 0, 0, 0, 1}},
	{9, {2, 2, 5, 3, 0, 0, 0, 0, 1}},
	{9, {1, 2, 5, 1, 0, 1, 0, 1, 1}},
	{9, {2, 1, 5, 3, 0, 0, 0, 0, 1}},
	{9, {1, 1, 5, 3, 0, 1, 0, 1, 0}},
};

/* take when due, late, very late, early; dialed and checked, ok or not */
static const struct piece health_steps[] = {
	{1, {0}},
	{2, {5, 1}},
	{2, {5, 7}},
	{2, {6, 1}},
	{1, {1}},
	{1, {2}},
	{1, {3}},
	{1, {4}},
};

/* capacity of the rings - 1 */
static const struct piece flow_setups[] = {
	{1, {0}},
	{1, {1}},
	{1, {2}},
};

/*
 * For each direction: fill and drain 1, all, and 1 too many; end, pass it on;
 * lend, give back, discard
 */
static const struct piece flow_steps[] = {
	{2, {0, 1}},
	{2, {0, 0xf0}},
	{2, {0, 0xf1}},
	{2, {4, 1}},
	{2, {4, 0xf0}},
	{2, {4, 0xf1}},
	{1, {8}},
	{1, {10}},
	{1, {12}},
	{2, {14, 0}},
	{2, {14, 0xff}},
	{2, {1, 1}},
	{2, {1, 0xf0}},
	{2, {1, 0xf1}},
	{2, {5, 1}},
	{2, {5, 0xf0}},
	{2, {5, 0xf1}},
	{1, {9}},
	{1, {11}},
	{1, {13}},
	{2, {15, 0}},
	{2, {15, 0xff}},
};

/*
 * One direction, without what never succeeds, to go deeper: a call that fails
 * leaves the pipe as it is, which the shorter sequences above have checked.
 */
static const struct piece pipe_setups[] = {
	{1, {1}},
	{1, {2}},
};

static const struct piece pipe_steps[] = {
	{2, {0, 1}},
	{2, {0, 0xf0}},
	{2, {4, 1}},
	{2, {4, 0xf0}},
	{1, {8}},
	{1, {10}},
	{1, {12}},
	{2, {14, 0}},
	{2, {14, 0xff}},
};

/* places minus one; an odd seed has one bucket for all */
static const struct piece sources_setups[] = {
	{2, {0, 0}},
	{2, {1, 0}},
	{2, {2, 0}},
	{2, {2, 1}},
	{2, {3, 1}},
};

/* enter from one of three, leave one that entered, hear of it */
static const struct piece sources_steps[] = {
	{3, {0, 0, 1}},
	{3, {0, 0, 2}},
	{3, {0, 0, 3}},
	{2, {1, 0}},
	{2, {1, 1}},
	{2, {1, 2}},
	{1, {4}},
	{2, {0xf0, 0}},
	{2, {0xf0, 1}},
};

#define SPACE(name, run, setups, steps, quick, deep)                           \
	{                                                                      \
		name, run, setups, COUNT(setups), steps, COUNT(steps), quick,  \
			deep                                                   \
	}

static const struct space spaces[] = {
	SPACE("limiter", fuzz_limiter, limiter_setups, limiter_steps, 7, 8),
	SPACE("balancer", fuzz_balancer, balancer_setups, balancer_steps, 5, 6),
	SPACE("balancer-pair", fuzz_balancer, pair_setups, pair_steps, 6, 8),
	SPACE("health", fuzz_health, health_setups, health_steps, 6, 8),
	SPACE("flow", fuzz_flow, flow_setups, flow_steps, 4, 5),
	SPACE("sources", fuzz_sources, sources_setups, sources_steps, 6, 7),
	SPACE("flow-pipe", fuzz_flow, pipe_setups, pipe_steps, 6, 8),
};

/* Runs every way to go on after len bytes; returns how many there are. */
static unsigned long go_on(
	const struct space *space, uint8_t *data, size_t len, unsigned depth)
{
	unsigned long count = 0;

	if (depth == 0) {
		space->run(data, len);
		return 1;
	}
	for (size_t i = 0; i < space->step_len; i++) {
		const struct piece *step = &space->steps[i];

		memcpy(data + len, step->bytes, step->len);
		count += go_on(space, data, len + step->len, depth - 1);
	}
	return count;
}

static void exhaust(const struct space *space, unsigned depth)
{
	uint8_t data[(DEPTH_MAX + 1) * BYTES_MAX];
	unsigned long count = 0;
	clock_t start = clock();

	for (size_t i = 0; i < space->setup_len; i++) {
		const struct piece *setup = &space->setups[i];

		memcpy(data, setup->bytes, setup->len);
		count += go_on(space, data, setup->len, depth);
	}
	printf("%s: %lu sequences of %u operations, %zu of them possible, "
	       "in %.1f s\n",
		space->name, count, depth, space->step_len,
		(double)(clock() - start) / CLOCKS_PER_SEC);
	fflush(stdout);
}

static int usage(void)
{
	fprintf(stderr,
		"usage: exhaust [deep | SPACE DEPTH], where DEPTH is 1 "
		"to %d and SPACE one of\n",
		DEPTH_MAX);
	for (size_t i = 0; i < COUNT(spaces); i++)
		fprintf(stderr, "\t%s\n", spaces[i].name);
	return 2;
}

int main(int argc, char **argv)
{
	bool deep = argc == 2 && strcmp(argv[1], "deep") == 0;
	unsigned long depth = argc == 3 ? strtoul(argv[2], NULL, 10) : 0;

	if (argc == 1 || deep) {
		for (size_t i = 0; i < COUNT(spaces); i++)
			exhaust(&spaces[i],
				deep ? spaces[i].deep : spaces[i].quick);
		return 0;
	}
	if (depth < 1 || depth > DEPTH_MAX)
		return usage();
	for (size_t i = 0; i < COUNT(spaces); i++) {
		if (strcmp(argv[1], spaces[i].name) == 0) {
			exhaust(&spaces[i], (unsigned)depth);
			return 0;
		}
	}
	return usage();
}
