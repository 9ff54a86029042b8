#include "server/alpn.h"

#include <string.h>

#include "server/span.h"

bool lbp_alpn_add(struct lbp_alpn *alpn, const void *name, size_t len)
{
	if (len >= (size_t)(LBP_ALPN_BYTES_MAX - alpn->len))
		return false;
	alpn->list[alpn->len] = (uint8_t)len;
	memcpy(alpn->list + alpn->len + 1, name, len);
	alpn->len = (uint8_t)(alpn->len + 1 + len);
	return true;
}

/* Where a name stands in our list, in bytes; its length if it does not. */
static size_t rank_of(const struct lbp_alpn *alpn, const struct lbp_span *name)
{
	size_t at = 0;

	while (at < alpn->len &&
		(alpn->list[at] != name->len ||
			memcmp(alpn->list + at + 1, name->ptr, name->len) != 0))
		at += 1 + (size_t)alpn->list[at];
	return at;
}

enum lbp_alpn_choice lbp_alpn_choose(const struct lbp_alpn *alpn,
	const uint8_t *offered, size_t len, struct lbp_alpn_name *chosen)
{
	struct lbp_span rest = {offered, len};
	struct lbp_alpn_name best = {NULL, 0};
	size_t best_at = alpn->len;
	struct lbp_span name;

	if (alpn->len == 0)
		return LBP_ALPN_IGNORED;
	while (rest.len > 0) {
		size_t at;

		if (!lbp_span_vector(&rest, 1, &name))
			return LBP_ALPN_NONE;
		at = rank_of(alpn, &name);
		if (at >= best_at)
			continue;
		best_at = at;
		best = (struct lbp_alpn_name){name.ptr, (uint8_t)name.len};
	}
	if (best.ptr == NULL)
		return LBP_ALPN_NONE;
	*chosen = best;
	return LBP_ALPN_CHOSEN;
}
