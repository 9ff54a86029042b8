#include "server/dial_time.h"

#include "base.h"

#define SETTLE_MIN_NS (100 * LBP_NS_PER_MS)

uint64_t lbp_dial_due(uint64_t now_ns, uint64_t end_ns, uint32_t left)
{
	return now_ns < end_ns ? now_ns + (end_ns - now_ns) / left : end_ns;
}

uint64_t lbp_dial_settle_due(
	uint64_t start_ns, uint64_t now_ns, uint64_t end_ns)
{
	uint64_t took = now_ns - start_ns;
	uint64_t wait = took < SETTLE_MIN_NS ? SETTLE_MIN_NS : took;

	return now_ns < end_ns && wait < end_ns - now_ns ? now_ns + wait
							 : end_ns;
}
