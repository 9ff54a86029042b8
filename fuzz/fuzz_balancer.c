/*
 * Balancer against its model.
 *
 * Input:
 * - how many upstreams: a byte n, n % 16 + 1 of them, or from 0xf8 on one
 *   more byte, modulo 64, plus 1;
 * - a byte for the weights: 0 makes all of them 1; for 1 all are the next
 *   byte + 1; else upstream i has 1 + (i + 1) * the next byte % 256;
 * - operations, a byte modulo 6 and what it takes, where an upstream is a
 *   byte, modulo the number of upstreams plus 2:
 * - 0: choose
 * - 1: release an upstream
 * - 2: make an upstream ineligible
 * - 3: make an upstream eligible
 * - 4: choose with a tried set, one byte for every eight upstreams, the last
 *   one again where the input ends
 * - 5: choose anew after each failed dial, until none is left
 */
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "core/balancer.h"
#include "model/model_balancer.h"
#include "oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Large enough for a deep heap, small enough for a slow model. */
#define MANY 64

struct pair {
	struct lbp_balancer balancer;
	struct model_balancer model;
	uint8_t tried[LBP_TRIED_BYTES(LBP_UPSTREAMS_MAX)];
};

static void check_slot(const struct lbp_balancer *balancer, uint32_t i,
	const struct model_upstream *want)
{
	const struct lbp_balancer_slot *slot = &balancer->slots[i];

	ORACLE("BAL-3", slot->open == want->open,
		"upstream %u: %u open instead of %u", i, slot->open,
		want->open);
	ORACLE("BAL-7", slot->chosen == want->chosen,
		"upstream %u was chosen last at another time", i);
	ORACLE("BAL-7", lbp_balancer_is_eligible(balancer, i) == want->eligible,
		"upstream %u has another eligibility", i);
}

static void check_state(struct pair *pair)
{
	const struct model_upstream *state = model_balancer_state(&pair->model);
	uint32_t len = pair->model.upstream_len;

	for (uint32_t i = 0; i < len; i++)
		check_slot(&pair->balancer, i, &state[i]);
	ORACLE("BAL-7", !lbp_balancer_is_eligible(&pair->balancer, len),
		"an upstream that does not exist is eligible");
	ORACLE("BAL-5", lbp_balancer_validate(&pair->balancer),
		"the heap is not one");
}

/* What one operation of many may have changed; all is checked after them. */
static void check_touched(struct pair *pair, uint32_t i)
{
	check_slot(&pair->balancer, i, &model_balancer_state(&pair->model)[i]);
	ORACLE("BAL-5", lbp_balancer_validate(&pair->balancer),
		"the heap is not one");
}

/* Which requirement would a wrong choice break? */
static void check_choice(const struct pair *pair, const uint8_t *tried,
	uint32_t got, uint32_t want)
{
	const struct lbp_balancer_slot *a = &pair->balancer.slots[got];
	const struct lbp_balancer_slot *b = &pair->balancer.slots[want];

	ORACLE("BAL-1", lbp_balancer_is_eligible(&pair->balancer, got),
		"upstream %u is not eligible", got);
	ORACLE("BAL-1", tried == NULL || !lbp_tried_has(tried, got),
		"upstream %u has been tried", got);
	ORACLE("BAL-1",
		model_compare_fractions(a->open - 1, a->weight,
			b->open - (got == want), b->weight) == 0,
		"upstream %u is not the least loaded, %u is", got, want);
	ORACLE("BAL-2", got == want, "upstream %u instead of %u", got, want);
}

/* Chooses; an upstream that was found is the result, or else LBP_NONE. */
static uint32_t choose(struct pair *pair, const uint8_t *tried)
{
	uint32_t got = LBP_NONE;
	uint32_t want = LBP_NONE;
	enum lbp_err got_err =
		lbp_balancer_choose(&pair->balancer, tried, &got);
	enum lbp_err want_err =
		model_balancer_choose(&pair->model, tried, &want);

	ORACLE("BAL-4", got_err == want_err, "%s instead of %s",
		lbp_err_text(got_err), lbp_err_text(want_err));
	if (got_err == LBP_OK)
		check_choice(pair, tried, got, want);
	else
		ORACLE("BAL-4", got == LBP_NONE,
			"a failed choice has a result");
	return got;
}

static void release(struct pair *pair, uint32_t i)
{
	enum lbp_err got = lbp_balancer_release(&pair->balancer, i);
	enum lbp_err want = model_balancer_release(&pair->model, i);

	ORACLE("BAL-6", got == want, "%s instead of %s", lbp_err_text(got),
		lbp_err_text(want));
}

static void set_eligible(struct pair *pair, uint32_t i, bool eligible)
{
	enum lbp_err got =
		lbp_balancer_set_eligible(&pair->balancer, i, eligible);
	enum lbp_err want =
		model_balancer_set_eligible(&pair->model, i, eligible);

	ORACLE("BAL-7", got == want, "%s instead of %s", lbp_err_text(got),
		lbp_err_text(want));
}

static void choose_untried(struct pair *pair, struct bytes *bytes)
{
	uint32_t tried_len = LBP_TRIED_BYTES(pair->model.upstream_len);
	uint8_t last = 0;

	for (uint32_t i = 0; i < tried_len; i++) {
		if (bytes->len > 0)
			last = bytes_u8(bytes);
		pair->tried[i] = last;
	}
	choose(pair, pair->tried);
}

static void dial_in_turn(struct pair *pair)
{
	uint32_t i;

	memset(pair->tried, 0, sizeof(pair->tried));
	while (pair->model.len + 2 < MODEL_BALANCER_EVENTS) {
		i = choose(pair, pair->tried);
		if (i == LBP_NONE)
			break;
		ORACLE("BAL-1", !lbp_tried_has(pair->tried, i), "tried twice");
		lbp_tried_add(pair->tried, i);
		release(pair, i);
		check_touched(pair, i);
	}
}

static void operate(struct pair *pair, struct bytes *bytes)
{
	uint32_t limit = pair->model.upstream_len + 2;

	switch (bytes_below(bytes, 6)) {
	case 0:
		choose(pair, NULL);
		break;
	case 1:
		release(pair, bytes_below(bytes, limit));
		break;
	case 2:
		set_eligible(pair, bytes_below(bytes, limit), false);
		break;
	case 3:
		set_eligible(pair, bytes_below(bytes, limit), true);
		break;
	case 4:
		choose_untried(pair, bytes);
		break;
	case 5:
		dial_in_turn(pair);
		break;
	}
}

static void draw_setup(struct pair *pair, struct bytes *bytes)
{
	uint32_t kind = bytes_u8(bytes);
	uint32_t seed;

	pair->model.upstream_len = kind % 16 + 1;
	if (kind >= 0xf8)
		pair->model.upstream_len = bytes_below(bytes, MANY) + 1;
	kind = bytes_u8(bytes);
	seed = kind > 0 ? bytes_u8(bytes) : 0;
	for (uint32_t i = 0; i < pair->model.upstream_len; i++)
		pair->model.weights[i] =
			1 + seed * (kind > 1 ? i + 1 : 1) % LBP_WEIGHT_MAX;
	model_balancer_start(&pair->model);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct pair pair;
	struct bytes bytes = {data, len};
	struct lbp_balancer_slot *slots;
	uint16_t *heap;
	uint32_t n;

	draw_setup(&pair, &bytes);
	n = pair.model.upstream_len;
	/* Of exactly the size that is needed, for the sanitizers. */
	slots = calloc(n, sizeof(*slots));
	heap = calloc(n, sizeof(*heap));
	if (slots == NULL || heap == NULL)
		goto out;
	for (uint32_t i = 0; i < n; i++)
		slots[i].weight = pair.model.weights[i];
	lbp_balancer_init(&pair.balancer, slots, heap, n);
	check_state(&pair);
	while (bytes.len > 0 && pair.model.len < MODEL_BALANCER_EVENTS) {
		operate(&pair, &bytes);
		check_state(&pair);
	}
out:
	free(heap);
	free(slots);
	return 0;
}
