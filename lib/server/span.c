#include "server/span.h"

bool lbp_span_take(struct lbp_span *span, size_t n, struct lbp_span *taken)
{
	if (n > span->len)
		return false;
	//@ split n;
	*taken = (struct lbp_span){span->ptr, n};
	span->ptr += n;
	span->len -= n;
	return true;
}

bool lbp_span_number(struct lbp_span *span, size_t n, size_t *number)
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

bool lbp_span_vector(struct lbp_span *span, size_t n, struct lbp_span *taken)
{
	size_t len;

	return lbp_span_number(span, n, &len) &&
	       lbp_span_take(span, len, taken);
}
