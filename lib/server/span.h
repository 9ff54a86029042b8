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
bool lbp_span_take(struct lbp_span *span, size_t n, struct lbp_span *taken);

/* Takes a big-endian number of n bytes, at most 4. False: as above. */
bool lbp_span_number(struct lbp_span *span, size_t n, size_t *number);

/* Takes a vector, which its length precedes as a number of n bytes. */
bool lbp_span_vector(struct lbp_span *span, size_t n, struct lbp_span *taken);

#endif
