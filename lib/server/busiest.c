#include "server/busiest.h"

/* Of counts up to a million, which the configuration bounds. */
#define WAITS_SHIFT 62
#define OPEN_SHIFT  31

void lbp_busiest_init(struct lbp_busiest *busiest, uint64_t *uses, uint32_t cap)
{
	*busiest = (struct lbp_busiest){.uses = uses, .cap = cap};
}

uint64_t lbp_busiest_use(const struct lbp_client_look *look)
{
	return (uint64_t)(look->wait_ns > 0) << WAITS_SHIFT |
	       (uint64_t)(look->open & INT32_MAX) << OPEN_SHIFT |
	       (look->admitted & INT32_MAX);
}

static void find_least(struct lbp_busiest *busiest)
{
	uint32_t i;

	busiest->least = 0;
	for (i = 1; i < busiest->len; i++) {
		if (busiest->uses[i] < busiest->uses[busiest->least])
			busiest->least = i;
	}
}

uint32_t lbp_busiest_offer(struct lbp_busiest *busiest, uint64_t use)
{
	uint32_t place = busiest->least;

	if (use == 0)
		return LBP_NONE;
	if (busiest->len < busiest->cap) {
		place = busiest->len++;
	} else {
		busiest->left_out++;
		if (busiest->cap == 0 || use <= busiest->uses[place])
			return LBP_NONE;
	}
	busiest->uses[place] = use;
	find_least(busiest);
	return place;
}
