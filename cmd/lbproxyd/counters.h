/*
 * What one thread counts and others read: no lock, and a count is one addition.
 * Figures of one reading need not be of the same moment.
 */
#ifndef COUNTERS_H
#define COUNTERS_H

#include <stdatomic.h>

#include "server/figures.h"

/* The numbers of struct lbp_counts, by LBP_COUNT_AT. Starts as zeros. */
struct counters {
	_Atomic(uint64_t) values[LBP_COUNTS];
};

/* To be called by the one thread that writes. */
static inline void counters_add(
	struct counters *counters, size_t at, uint64_t n)
{
	_Atomic(uint64_t) *value = &counters->values[at];

	atomic_store_explicit(value,
		atomic_load_explicit(value, memory_order_relaxed) + n,
		memory_order_relaxed);
}

/* The same for a time; at is where its struct lbp_times begins. */
static inline void counters_add_time(
	struct counters *counters, size_t at, uint64_t ns)
{
	counters_add(counters, at + lbp_times_bucket(ns), 1);
	counters_add(counters, at + LBP_TIMES_BUCKETS, ns);
}

/* Adds what was counted to a sum; any thread may call this. */
static inline void counters_sum(
	const struct counters *counters, struct lbp_counts *sum)
{
	uint64_t *numbers = (uint64_t *)(void *)sum;
	size_t i;

	for (i = 0; i < LBP_COUNTS; i++)
		numbers[i] += atomic_load_explicit(
			&counters->values[i], memory_order_relaxed);
}

#endif
