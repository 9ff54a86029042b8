#include "server/keepalive.h"

#include <limits.h>

#include "base.h"

/* The kernel's most for TCP_KEEPIDLE and TCP_KEEPINTVL. */
#define PROBE_S_MAX 32767

/* The kernel's probes of a closed window are at most 2 min apart: one of two
 * may get lost. */
#define PROBED_MS (UINT64_C(2) * 120 * 1000)

/* n, but at least 1. */
static int within(uint64_t n, uint64_t most)
{
	if (n == 0)
		return 1;
	return (int)(n < most ? n : most);
}

struct lbp_keepalive lbp_keepalive_of(uint64_t keepalive_ns)
{
	const uint64_t rounded = keepalive_ns / LBP_NS_PER_S +
				 (keepalive_ns % LBP_NS_PER_S != 0);
	const int seconds = within(rounded, INT_MAX / 1000);
	const int idle_s = within((uint64_t)seconds / 2, PROBE_S_MAX);
	const int interval_s = within((uint64_t)seconds / 6, PROBE_S_MAX);
	const int rest_s = seconds - idle_s;

	return (struct lbp_keepalive){
		.idle_s = idle_s,
		.interval_s = interval_s,
		.probes = within(((uint64_t)rest_s + (uint64_t)interval_s - 1) /
					 (uint64_t)interval_s,
			INT_MAX),
		.timeout_ms = seconds * 1000,
		.look_ns = (uint64_t)seconds * LBP_NS_PER_S / 3,
	};
}

bool lbp_keepalive_is_answered(const struct lbp_keepalive *keepalive,
	uint32_t in_flight, uint32_t silent_ms)
{
	uint64_t most_ms = keepalive->look_ns / LBP_NS_PER_MS;

	if (in_flight == 0)
		most_ms += PROBED_MS;
	return silent_ms < most_ms;
}
