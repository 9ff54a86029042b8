/* Reading bytes from the front. Private. */
#ifndef LBP_SPAN_H
#define LBP_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lbp_span {
	const uint8_t *ptr;
	size_t len;
};

/* Takes n bytes from the front. False: there are fewer; nothing changes. */
static inline bool lbp_span_take(
	struct lbp_span *span, size_t n, struct lbp_span *taken)
{
	if (n > span->len)
		return false;
	//@ split n;
	*taken = (struct lbp_span){span->ptr, n};
	span->ptr += n;
	span->len -= n;
	return true;
}

/* Takes a big-endian number of n bytes, at most 4. False: as above. */
static inline bool lbp_span_number(
	struct lbp_span *span, size_t n, size_t *number)
{
	struct lbp_span octets;
	size_t i;

	if (!lbp_span_take(span, n, &octets))
		return false;
	*number = 0;
	for (i = 0; i < n; i++)
		*number = *number << 8 | octets.ptr[i];
	return true;
}

/* Takes a vector, which its length precedes as a number of n bytes. */
static inline bool lbp_span_vector(
	struct lbp_span *span, size_t n, struct lbp_span *taken)
{
	size_t len;

	return lbp_span_number(span, n, &len) &&
	       lbp_span_take(span, len, taken);
}

#endif
