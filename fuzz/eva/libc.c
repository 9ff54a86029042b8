/*
 * vsnprintf for EVA, which has no model of it: reads each argument that the
 * format names, and leaves any text with a NUL in place of what it would
 * write. Of a %s it reads the first byte; that quoted texts, the only ones
 * that are no literals, have an end is what eva_cursor.c is for.
 */
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "eva.h"

static bool is_modifier(char byte)
{
	return byte == 'l' || byte == 'z' || (byte >= '0' && byte <= '9');
}

int vsnprintf(char *restrict out, size_t size, const char *restrict format,
	va_list args)
{
	size_t len = Frama_C_size_t_interval(0, size - 1);
	const char *next = format;

	//@ loop unroll 8;
	while ((next = strchr(next, '%')) != NULL) {
		bool is_long = false;

		//@ loop unroll 8;
		for (next++; is_modifier(*next); next++)
			is_long = is_long || *next == 'l' || *next == 'z';
		if (*next == 's')
			(void)*(const volatile char *)va_arg(
				args, const char *);
		else if (is_long)
			(void)va_arg(args, long);
		else
			(void)va_arg(args, int);
	}
	Frama_C_make_unknown(out, len);
	out[len] = '\0';
	return Frama_C_interval(0, INT_MAX);
}
