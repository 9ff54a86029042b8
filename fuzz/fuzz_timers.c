/*
 * Timers against their model.
 *
 * Input:
 * - the capacity, a byte modulo 33;
 * - operations, a byte modulo 5 and what it takes, where a timer is a byte
 *   modulo the capacity plus 2:
 * - 0: take at the next due time
 * - 1: arm a timer for a bytes_time
 * - 2: disarm a timer
 * - 3: take at a bytes_time
 * - 4: arm a timer for a byte modulo 4
 */
#include <stdlib.h>

#include "bytes.h"
#include "model/model_timers.h"
#include "oracle.h"
#include "timers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define CAP_MAX 32

struct pair {
	struct lbp_timers timers;
	struct model_timers model;
	struct lbp_timer pool[CAP_MAX + 2];
};

static void check_state(const struct pair *pair)
{
	uint32_t armed = model_timers_armed(&pair->model);

	ORACLE("TMR-3", pair->timers.heap.len == armed,
		"%u armed instead of %u", pair->timers.heap.len, armed);
	ORACLE("TMR-5",
		lbp_timers_due(&pair->timers) == model_timers_due(&pair->model),
		"another next due time");
	ORACLE("TMR-2", lbp_timers_validate(&pair->timers),
		"the heap is not one");
	for (uint32_t i = 0; i < pair->timers.heap.cap + 2; i++)
		ORACLE("TMR-4",
			lbp_timer_is_armed(&pair->pool[i]) ==
				model_timers_is_armed(&pair->model, i),
			"timer %u is armed or not", i);
}

static void take(struct pair *pair, uint64_t now_ns)
{
	struct lbp_timer *got = lbp_timers_take(&pair->timers, now_ns);
	uint32_t want = model_timers_take(&pair->model, now_ns);

	ORACLE("TMR-1", (got != NULL) == (want != LBP_NONE),
		"a timer is taken too early or not when due");
	if (got == NULL)
		return;
	ORACLE("TMR-1", lbp_timer_due(got) <= now_ns, "taken too early");
	ORACLE("TMR-4", !lbp_timer_is_armed(got), "armed when taken");
	ORACLE("TMR-2", got == &pair->pool[want], "timer %td instead of %u",
		got - pair->pool, want);
}

static void arm(struct pair *pair, uint32_t i, uint64_t due_ns)
{
	enum lbp_err got =
		lbp_timers_arm(&pair->timers, &pair->pool[i], due_ns);
	enum lbp_err want = model_timers_arm(&pair->model, i, due_ns);

	ORACLE("TMR-3", got == want, "%s instead of %s", lbp_err_text(got),
		lbp_err_text(want));
	ORACLE("TMR-3",
		got != LBP_OK || lbp_timer_due(&pair->pool[i]) == due_ns,
		"armed for another time");
}

static void operate(struct pair *pair, struct bytes *bytes)
{
	uint32_t limit = pair->timers.heap.cap + 2;
	uint32_t i;

	switch (bytes_below(bytes, 5)) {
	case 0:
		take(pair, model_timers_due(&pair->model));
		break;
	case 1:
		i = bytes_below(bytes, limit);
		arm(pair, i, bytes_time(bytes));
		break;
	case 2:
		i = bytes_below(bytes, limit);
		lbp_timers_disarm(&pair->timers, &pair->pool[i]);
		model_timers_disarm(&pair->model, i);
		break;
	case 3:
		take(pair, bytes_time(bytes));
		break;
	case 4:
		i = bytes_below(bytes, limit);
		arm(pair, i, bytes_below(bytes, 4));
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct pair pair;
	struct bytes bytes = {data, len};
	struct lbp_heap_node **heap;

	model_timers_start(&pair.model, bytes_below(&bytes, CAP_MAX + 1));
	/* Of exactly the size that was asked for, for the sanitizers. */
	heap = malloc(pair.model.cap * sizeof(*heap));
	lbp_timers_init(&pair.timers, heap, pair.model.cap);
	for (uint32_t i = 0; i < CAP_MAX + 2; i++)
		lbp_timer_init(&pair.pool[i]);
	check_state(&pair);
	while (bytes.len > 0 && pair.model.len < MODEL_TIMERS_EVENTS) {
		operate(&pair, &bytes);
		check_state(&pair);
	}
	free(heap);
	return 0;
}
