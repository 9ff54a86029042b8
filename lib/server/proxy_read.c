#include <string.h>

#include "server/proxy_state.h"

static const char line_start[] = "PROXY ";

/* Returns true if all of the bytes, or its first len, are those of a start. */
static bool begins_as(struct lbp_span bytes, const char *start, size_t len)
{
	return memcmp(bytes.ptr, start, bytes.len < len ? bytes.len : len) == 0;
}

enum lbp_proxy_found lbp_proxy_read(
	const uint8_t *bytes, size_t len, struct lbp_proxy_header *out)
{
	struct lbp_span all = {bytes, len};

	*out = (struct lbp_proxy_header){0};
	if (len == 0)
		return LBP_PROXY_MORE;
	if (begins_as(all, line_start, sizeof(line_start) - 1))
		return lbp_proxy_read_v1(all, out);
	if (begins_as(all, LBP_PROXY_SIGNATURE, LBP_PROXY_SIGNATURE_LEN))
		return lbp_proxy_read_v2(all, out);
	return lbp_proxy_bad(out, "no PROXY header");
}
