/*
 * What the drivers of ci/eva share.
 *
 * A driver is a program that is never run: Frama-C's EVA follows every path
 * of its main at once, over every value that unknown input may have, into
 * the sources of lib. What it can not show to be defined is an alarm, and
 * fails ci/eva. LEN_MAX, set by ci/eva, is the longest text.
 */
#ifndef EVA_H
#define EVA_H

#include <stddef.h>

#ifdef __FRAMAC__
#include "__fc_builtin.h"
#else
/* Frama-C's own: any value from min to max; any len bytes. */
size_t Frama_C_size_t_interval(size_t min, size_t max);
unsigned Frama_C_unsigned_int_interval(unsigned min, unsigned max);
int Frama_C_interval(int min, int max);
void Frama_C_make_unknown(char *bytes, size_t len);
#endif

#ifndef LEN_MAX
#define LEN_MAX 8
#endif
#ifndef LEN_SHORT
#define LEN_SHORT LEN_MAX
#endif

/* What the texts' lengths are: all up to LEN_SHORT, and LEN_MAX. */
static inline size_t any_len(void)
{
	return Frama_C_interval(0, 1) ? LEN_MAX
				      : Frama_C_size_t_interval(0, LEN_SHORT);
}

#endif
