#include "server/spread.h"

uint32_t lbp_spread_choose(const uint32_t *loads, uint32_t len, uint32_t last)
{
	uint32_t best = last;
	uint32_t i;

	for (i = 1; i < len; i++) {
		uint32_t other = (last + i) % len;

		if (loads[other] < loads[best])
			best = other;
	}
	return best;
}
