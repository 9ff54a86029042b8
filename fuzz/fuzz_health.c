/*
 * Health against its model.
 *
 * Input:
 * - rise and fall, a byte each, modulo 4, plus 1;
 * - the start and the interval, a bytes_time each;
 * - n and i, two bytes each, modulo 1024, plus 1, and modulo n;
 * - a byte, 0 modulo 8 if checks are disabled;
 * - operations, a byte modulo 7 (from 0xf8 on: 7, 8) and what it takes:
 * - 0: take a check at the due time
 * - 1: dialed, ok
 * - 2: dialed, failed
 * - 3: checked, ok
 * - 4: checked, failed
 * - 5: take a check a bytes_time after the due time
 * - 6: take a check a bytes_time before the due time
 * - 7: it loses its address (even) or 8: gets one again (odd)
 */
#include "bytes.h"
#include "core/health_state.h"
#include "model/model_health.h"
#include "oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct pair {
	struct lbp_health health;
	struct model_health model;
};

static void check_state(const struct pair *pair)
{
	const struct lbp_health_options *options = &pair->model.options;
	uint64_t due = lbp_health_due(&pair->health, options);
	bool checking = model_health_is_checking(&pair->model);
	bool up = model_health_is_up(&pair->model);

	ORACLE("HLT-6", pair->health.checking == checking,
		"a check runs: %d instead of %d", pair->health.checking,
		checking);
	ORACLE("HLT-6", !checking || due == LBP_NEVER,
		"due while a check runs");
	ORACLE("HLT-8", pair->health.due_ns == model_health_next(&pair->model),
		"next due at another time");
	ORACLE("HLT-8", due == model_health_due(&pair->model),
		"due at another time");
	ORACLE("HLT-2", !pair->health.up || up, "still eligible");
	ORACLE("HLT-4", pair->health.up || !up, "still ineligible");
	ORACLE("HLT-9",
		options->enabled || (pair->health.up == !pair->model.lost &&
					    due == LBP_NEVER),
		"checks are disabled");
}

/* Which requirement would a wrong change break? */
static void check_change(
	enum lbp_health_change got, enum lbp_health_change want, bool ok)
{
	ORACLE("HLT-2", want != LBP_HEALTH_DOWN || got == want, "stays up");
	ORACLE("HLT-3", got != LBP_HEALTH_DOWN || got == want, "goes down");
	ORACLE("HLT-4", want != LBP_HEALTH_UP || got == want, "stays down");
	ORACLE("HLT-5", got != LBP_HEALTH_UP || got == want, "comes up");
	ORACLE("HLT-3", !ok || got != LBP_HEALTH_DOWN,
		"a success is a failure");
}

static void dialed(struct pair *pair, bool ok)
{
	check_change(lbp_health_dialed(&pair->health, &pair->model.options, ok),
		model_health_dialed(&pair->model, ok), ok);
}

static void checked(struct pair *pair, bool ok)
{
	struct lbp_health before = pair->health;
	bool checking = model_health_is_checking(&pair->model);

	check_change(
		lbp_health_checked(&pair->health, &pair->model.options, ok),
		model_health_checked(&pair->model, ok), ok);
	if (!checking)
		ORACLE("HLT-6",
			before.run == pair->health.run &&
				before.up == pair->health.up,
			"a result without a check changed something");
}

static void take(struct pair *pair, uint64_t now_ns)
{
	bool want = model_health_take(&pair->model, now_ns);
	bool got = lbp_health_take(&pair->health, &pair->model.options, now_ns);

	ORACLE("HLT-6", got == want, "taken: %d instead of %d", got, want);
}

static void set_address(struct pair *pair, bool has_address)
{
	enum lbp_health_change got =
		lbp_health_set_address(&pair->health, has_address);
	enum lbp_health_change want =
		model_health_set_address(&pair->model, has_address);

	ORACLE("HLT-12", got == want, "change %d instead of %d", (int)got,
		(int)want);
	ORACLE("HLT-12", has_address || !pair->health.up,
		"up without an address");
}

static void operate(struct pair *pair, struct bytes *bytes)
{
	uint64_t next = model_health_next(&pair->model);
	uint8_t what = bytes_u8(bytes);
	uint32_t kind = what >= 0xf8 ? 7 + what % 2u : what % 7u;
	uint64_t by;

	switch (kind) {
	case 0:
		take(pair, next);
		break;
	case 1:
	case 2:
		dialed(pair, kind == 1);
		break;
	case 3:
	case 4:
		checked(pair, kind == 3);
		break;
	case 5:
		by = bytes_time(bytes);
		take(pair, next + (by < UINT64_MAX - next ? by : 0));
		break;
	case 6:
		by = bytes_time(bytes);
		take(pair, next - (by < next ? by : next));
		break;
	default:
		set_address(pair, kind == 8);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct pair pair;
	struct bytes bytes = {data, len};
	struct model_health *model = &pair.model;

	model->options.rise = bytes_below(&bytes, 4) + 1;
	model->options.fall = bytes_below(&bytes, 4) + 1;
	model->start_ns = bytes_time(&bytes);
	model->options.interval_ns = bytes_time(&bytes);
	if (model->options.interval_ns == 0)
		model->options.interval_ns = 1;
	model->n = (uint32_t)bytes_uint(&bytes, 2) % 1024 + 1;
	model->i = (uint32_t)bytes_uint(&bytes, 2) % model->n;
	model->options.enabled = bytes_u8(&bytes) % 8 != 0;
	model_health_start(model);
	lbp_health_init(&pair.health, &model->options, model->start_ns,
		model->i, model->n);
	ORACLE("HLT-1", pair.health.up, "starts ineligible");
	ORACLE("HLT-7", pair.health.due_ns == model_health_next(model),
		"first due at another time");
	check_state(&pair);
	while (bytes.len > 0 && model->len < MODEL_HEALTH_EVENTS) {
		operate(&pair, &bytes);
		check_state(&pair);
	}
	return 0;
}
