/*
 * An application against its model.
 *
 * Input: what twin_app_draw takes, a byte for faulty options (see spoil),
 * then operations: a byte, modulo 13, and what it takes:
 *   0 identify (the serial's octet)   1 admit (the client)   2 leave likewise
 *   3 choose (the set tried)   4 a dial succeeds, or 5 fails (the upstream)
 *   6 release (the upstream)   7 take a check at bytes_time from now, without
 *   waiting   8 answer a check (the upstream, times 2, plus success)
 *   9 time goes by (bytes_time), or back to 0 (0xff and a byte of 0)
 *   10 give a check up (the upstream)
 *   11 reload (what twin_app_draw_config takes); every other one commits only
 *   after the next operation, unless that is 11 or 12
 *   12 retire (0xff), after which no reload comes; from 0x80 on the upstream
 *   loses its address, or gets one again (the bit 0x20); else nothing
 * Clients and upstreams are bytes, modulo two more than there are.
 */
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "model/twin_app.h"
#include "oracle.h"
#include "reload.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct run {
	struct bytes bytes;
	struct twin_app twin;
	uint64_t now_ns;
};

static void expect_same(const char *what, enum lbp_err got, enum lbp_err want)
{
	ORACLE("APP-2", got == want, "%s: %s instead of %s", what,
		lbp_err_text(got), lbp_err_text(want));
}

static uint32_t draw_client(struct run *run)
{
	return bytes_below(&run->bytes, run->twin.model.client_len + 2);
}

static uint32_t draw_upstream(struct run *run)
{
	return bytes_below(&run->bytes, run->twin.model.upstream_len + 2);
}

static void identify(struct run *run)
{
	struct lbp_name name = twin_name(
		(uint8_t)(1 + bytes_below(&run->bytes, MODEL_APP_SERIALS + 1)));
	uint32_t got = LBP_NONE;
	uint32_t want = LBP_NONE;
	enum lbp_err got_err = lbp_app_identify(run->twin.app, &name, 1, &got);
	enum lbp_err want_err =
		model_app_identify(&run->twin.model, &name, 1, &want);

	ORACLE("ACL-3", got_err == want_err, "%s instead of %s",
		lbp_err_text(got_err), lbp_err_text(want_err));
	ORACLE("APP-3", got == want, "client %u instead of %u", got, want);
}

static void admit(struct run *run)
{
	uint32_t client = draw_client(run);
	enum lbp_err got = lbp_app_admit(run->twin.app, client, run->now_ns);
	enum lbp_err want =
		model_app_admit(&run->twin.model, client, run->now_ns);

	if (run->twin.reloads > 0)
		ORACLE("APP-9", got == want, "%s instead of %s",
			lbp_err_text(got), lbp_err_text(want));
	expect_same("admit", got, want);
}

static void leave(struct run *run)
{
	uint32_t client = draw_client(run);

	expect_same("leave", lbp_app_leave(run->twin.app, client),
		model_app_leave(&run->twin.model, client));
}

static void choose(struct run *run)
{
	uint8_t tried = bytes_u8(&run->bytes);
	uint32_t got = LBP_NONE;
	uint32_t want = LBP_NONE;
	enum lbp_err got_err = lbp_app_choose(run->twin.app, &tried, &got);
	enum lbp_err want_err =
		model_app_choose(&run->twin.model, tried, &want);

	ORACLE("APP-5", got_err == want_err && got == want,
		"chose %u instead of %u", got, want);
	if (got_err != LBP_OK)
		return;
	ORACLE("BAL-10",
		run->twin.model.upstreams[got].most == 0 ||
			lbp_app_open(run->twin.app, got) <=
				run->twin.model.upstreams[got].most,
		"more than its bound on upstream %u", got);
	ORACLE("BAL-11",
		!run->twin.model.upstreams[got].backup ||
			run->twin.model.upstreams[want].backup,
		"a backup before its time");
}

static void dialed(struct run *run, bool ok)
{
	uint32_t upstream = draw_upstream(run);
	enum lbp_health_change got =
		lbp_app_dialed(run->twin.app, upstream, ok);
	enum lbp_health_change want =
		model_app_dialed(&run->twin.model, upstream, ok);

	ORACLE("APP-4", got == want, "upstream %u: change %d instead of %d",
		upstream, (int)got, (int)want);
}

static void release(struct run *run)
{
	uint32_t upstream = draw_upstream(run);
	enum lbp_err got = lbp_app_release(run->twin.app, upstream);
	enum lbp_err want = model_app_release(&run->twin.model, upstream);

	ORACLE("APP-4", got == want, "release: %s instead of %s",
		lbp_err_text(got), lbp_err_text(want));
}

static void pass_time(struct run *run)
{
	uint64_t by_ns = bytes_time(&run->bytes);

	/* Only admissions see a clock that goes back. */
	if (by_ns == LBP_NEVER)
		run->now_ns = 0;
	else if (by_ns < LBP_NEVER - run->now_ns)
		run->now_ns += by_ns;
}

static void answer(struct run *run)
{
	uint8_t what = bytes_u8(&run->bytes);

	twin_app_checked(&run->twin,
		what / 2 % (run->twin.model.upstream_len + 2), what & 1);
}

static void retire_or_lose(struct run *run)
{
	uint8_t how = bytes_u8(&run->bytes);
	uint32_t upstream = (how & 0x1fu) % (run->twin.model.upstream_len + 2);

	if (how == 0xff)
		twin_app_retire(&run->twin);
	else if (how >= 0x80)
		twin_app_set_address(&run->twin, upstream, (how & 0x20) != 0);
	else if (how >= 0x40)
		twin_app_set_draining(&run->twin, upstream, (how & 0x20) != 0);
}

static void operate_on(struct run *run, uint8_t what);

/* Before the commit of every other one comes the next operation. */
static void reload(struct run *run)
{
	if (run->twin.model.retired)
		return;
	twin_app_draw_config(&run->twin, &run->bytes);
	twin_app_prepare(&run->twin, run->now_ns);
	if (run->twin.reloads % 2 == 0 && run->bytes.len > 0 &&
		*run->bytes.ptr % 13 < 11)
		operate_on(run, (uint8_t)bytes_below(&run->bytes, 13));
	twin_app_commit(&run->twin);
}

static void operate_on(struct run *run, uint8_t what)
{
	switch (what) {
	case 0:
		identify(run);
		break;
	case 1:
		admit(run);
		break;
	case 2:
		leave(run);
		break;
	case 3:
		choose(run);
		break;
	case 4:
		dialed(run, true);
		break;
	case 5:
		dialed(run, false);
		break;
	case 6:
		release(run);
		break;
	case 7:
		twin_app_take(&run->twin, run->now_ns);
		break;
	case 8:
		answer(run);
		break;
	case 9:
		pass_time(run);
		break;
	case 10:
		twin_app_check_dropped(&run->twin, draw_upstream(run));
		break;
	case 11:
		reload(run);
		break;
	case 12:
		retire_or_lose(run);
		break;
	}
}

static void check_sessions(const struct twin_app *twin)
{
	const struct model_app *model = &twin->model;

	for (uint32_t i = 0; i < model->client_len + 2; i++) {
		uint32_t got = lbp_app_sessions(twin->app, i);
		uint32_t want =
			i < model->client_len ? model->clients[i].open : 0;

		ORACLE("APP-26", got == want,
			"client %u: %u sessions instead of %u", i, got, want);
	}
}

/* Options with a fault, by its number; the error that it should give. */
static enum lbp_err spoil(struct lbp_app_options *options, uint8_t fault)
{
	static const struct lbp_upstream light[] = {
		{.name = "a", .weight = 1}, {.name = "b"}};
	static const struct lbp_upstream heavy[] = {{.name = "a", .weight = 1},
		{.name = "b", .weight = LBP_WEIGHT_MAX + 1}};
	static const struct lbp_upstream same[] = {
		{.name = "a", .weight = 1}, {.name = "a", .weight = 1}};

	switch (fault) {
	case 0:
		options->upstream_len = 0;
		return LBP_ERR_FEW_UPSTREAMS;
	case 1:
		options->upstream_len = LBP_UPSTREAMS_MAX + 1;
		return LBP_ERR_MANY_UPSTREAMS;
	case 2:
		options->upstreams = light;
		return LBP_ERR_WEIGHT;
	case 3:
		options->upstreams = heavy;
		return LBP_ERR_WEIGHT;
	case 4:
		options->health.rise = 0;
		return LBP_ERR_RISE;
	case 5:
		options->health.fall = 0;
		return LBP_ERR_FALL;
	case 6:
		options->health.interval_ns = 0;
		return LBP_ERR_INTERVAL;
	case 7:
		options->number = 2;
		return LBP_ERR_APP_NUMBER;
	case 8:
		options->id = NULL;
		return LBP_ERR_NULL;
	case 9:
		options->upstreams = same;
		return LBP_ERR_NAME_TWICE;
	}
	return LBP_OK;
}

static void check_refusal(const struct twin_app *twin, uint8_t fault)
{
	static const struct lbp_upstream upstreams[LBP_UPSTREAMS_MAX + 1] = {
		{.name = "a", .weight = 1}, {.name = "b", .weight = 1}};
	struct lbp_app *app = twin->app;
	struct lbp_app_options options;
	enum lbp_err want, got;

	lbp_app_options_init(&options);
	options.id = "spoilt";
	options.acl = twin->acl;
	options.upstreams = upstreams;
	options.upstream_len = 2;
	options.health.enabled = true;
	want = spoil(&options, fault);
	got = lbp_app_new(&app, &options, 0);
	ORACLE("APP-20", got == want, "fault %u: %s", fault, lbp_err_text(got));
	ORACLE("APP-1", (app == NULL) == (want != LBP_OK),
		"fault %u: app is %s", fault, app == NULL ? "NULL" : "there");
	lbp_app_free(app);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct run run;

	run.bytes = (struct bytes){data, len};
	run.now_ns = 0;
	twin_app_draw(&run.twin, &run.bytes);
	twin_app_make(&run.twin, run.now_ns);
	check_refusal(&run.twin, bytes_u8(&run.bytes));
	ORACLE("APP-1", strcmp(lbp_app_id(run.twin.app), "twin") == 0,
		"another id");
	ORACLE("APP-1",
		lbp_app_upstreams(run.twin.app) == run.twin.model.upstream_len,
		"%u upstreams", lbp_app_upstreams(run.twin.app));
	twin_app_check(&run.twin);
	while (run.bytes.len > 0) {
		operate_on(&run, (uint8_t)bytes_below(&run.bytes, 13));
		twin_app_check(&run.twin);
		check_sessions(&run.twin);
	}
	twin_app_free(&run.twin);
	return 0;
}
