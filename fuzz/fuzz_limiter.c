/*
 * Limiter against its model.
 *
 * Input:
 * - concurrent and connections, a byte each, modulo 16;
 * - the window, a bytes_time;
 * - operations, a byte modulo 5 and what it takes; or, if it is above 0xf8,
 *   new limits (concurrent, connections and the window, of which connections is
 *   modulo one more than at first):
 * - 0: admit a bytes_time after the latest time
 * - 1: release
 * - 2: admit at a bytes_time
 * - 3: admit when the oldest kept admission leaves the window, plus a byte
 *   modulo 3, minus 1
 * - 4: admit at the latest time
 */
#include <stdlib.h>

#include "bytes.h"
#include "limiter.h"
#include "model/model_limiter.h"
#include "oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define RING_MAX 16

static void check_state(
	const struct lbp_limiter *limiter, const struct model_limiter *model)
{
	uint64_t times[RING_MAX];
	uint32_t kept = model_limiter_last(model, times, limiter->room);
	uint32_t open = model_limiter_open(model);

	ORACLE("LIM-6", limiter->open == open, "%u open instead of %u",
		limiter->open, open);
	ORACLE("LIM-5", limiter->last_ns == model_limiter_clock(model),
		"the latest time is not the latest one seen");
	ORACLE("LIM-2", limiter->len == kept, "%u kept instead of %u",
		limiter->len, kept);
	for (uint32_t i = 0; i < kept; i++) {
		uint32_t at = (limiter->head + i) % kept;

		ORACLE("LIM-2", limiter->ring[at] == times[i],
			"time %u of %u is wrong", i, kept);
	}
}

/* Is everything but the clock as before? check_state sees to the ring. */
static bool is_same(const struct lbp_limiter *a, const struct lbp_limiter *b)
{
	return a->head == b->head && a->len == b->len && a->open == b->open;
}

static void admit(struct lbp_limiter *limiter, struct model_limiter *model,
	uint64_t now_ns)
{
	struct lbp_limiter before = *limiter;
	enum lbp_err want = model_limiter_admit(model, now_ns);
	enum lbp_err got = lbp_limiter_admit(limiter, now_ns);

	ORACLE("LIM-1", want != LBP_ERR_CONCURRENT || got != LBP_OK,
		"admitted above the cap");
	ORACLE("LIM-2", want != LBP_ERR_RATE || got != LBP_OK,
		"admitted above the rate");
	ORACLE("LIM-3", want != LBP_OK || got == LBP_OK,
		"refused without need: %s", lbp_err_text(got));
	ORACLE("LIM-4", got == want, "%s instead of %s", lbp_err_text(got),
		lbp_err_text(want));
	if (got != LBP_OK)
		ORACLE("LIM-4", is_same(&before, limiter),
			"a refusal changed the limiter");
}

static void release(struct lbp_limiter *limiter, struct model_limiter *model)
{
	struct lbp_limiter before = *limiter;
	enum lbp_err want = model_limiter_release(model);
	enum lbp_err got = lbp_limiter_release(limiter);

	ORACLE("LIM-6", got == want, "%s instead of %s", lbp_err_text(got),
		lbp_err_text(want));
	if (got != LBP_OK)
		ORACLE("LIM-6", is_same(&before, limiter),
			"a failed release changed the limiter");
}

static uint64_t oldest_leaves(
	const struct model_limiter *model, struct bytes *bytes)
{
	uint64_t times[RING_MAX] = {0};

	model_limiter_last(model, times, model->limits.connections);
	return times[0] + model->limits.window_ns + bytes_below(bytes, 3) - 1;
}

static struct lbp_limits draw_limits(struct bytes *bytes, uint32_t room)
{
	struct lbp_limits limits;

	limits.concurrent = bytes_below(bytes, RING_MAX);
	limits.connections = bytes_below(bytes, room + 1);
	limits.window_ns = bytes_time(bytes);
	if (limits.window_ns == 0)
		limits.window_ns = 1;
	return limits;
}

static void set_limits(struct lbp_limiter *limiter, struct model_limiter *model,
	struct bytes *bytes)
{
	struct lbp_limiter before = *limiter;
	struct lbp_limits limits = draw_limits(bytes, limiter->room);

	model_limiter_set_limits(model, &limits);
	lbp_limiter_set_limits(limiter, &limits);
	ORACLE("LIM-8",
		is_same(&before, limiter) && before.last_ns == limiter->last_ns,
		"new limits changed what is counted");
}

static void operate(struct lbp_limiter *limiter, struct model_limiter *model,
	struct bytes *bytes)
{
	uint64_t clock = model_limiter_clock(model);
	uint8_t what = bytes_u8(bytes);

	if (what > 0xf8) {
		set_limits(limiter, model, bytes);
		return;
	}
	switch (what % 5) {
	case 0:
		admit(limiter, model, clock + bytes_time(bytes));
		break;
	case 1:
		release(limiter, model);
		break;
	case 2:
		admit(limiter, model, bytes_time(bytes));
		break;
	case 3:
		admit(limiter, model, oldest_leaves(model, bytes));
		break;
	case 4:
		admit(limiter, model, clock);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct model_limiter model;
	struct bytes bytes = {data, len};
	struct lbp_limits limits;
	struct lbp_limiter limiter;
	bool is_changed = false;
	uint64_t *ring;

	limits = draw_limits(&bytes, RING_MAX - 1);
	model_limiter_start(&model, &limits);
	/* Of exactly the size that was asked for, for the sanitizers. */
	ring = malloc(model.limits.connections * sizeof(*ring));
	lbp_limiter_init(&limiter, &model.limits, ring);
	check_state(&limiter, &model);
	while (bytes.len > 0 && model.len < MODEL_LIMITER_EVENTS) {
		is_changed = is_changed || *bytes.ptr > 0xf8;
		operate(&limiter, &model, &bytes);
		check_state(&limiter, &model);
	}
	ORACLE("LIM-2",
		is_changed || model.limits.connections == 0 ||
			model_limiter_densest(&model) <=
				model.limits.connections,
		"too many in one window");
	free(ring);
	return 0;
}
