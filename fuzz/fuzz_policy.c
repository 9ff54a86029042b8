/*
 * Policies that are reloaded, against a model that knows names.
 *
 * Input: a configuration (what twin_policy_draw takes), then operations: a
 * byte, modulo 14, and what it takes, where an application is a byte, modulo
 * all that there are: those of the policy, and retired ones.
 *   0 identify (the application, the serial's octet)   1 admit, or 2 leave (the
 *   application, the client's number)   3 choose (the application, the set
 *   tried)   4 a dial succeeds, 5 one fails, 6 a connection is released (the
 *   application, the upstream)   7 take a check now
 *   8 answer a check (the application, the upstream times 2, plus success)
 *   9 time goes by (bytes_time)   10 give a check up (the application, the
 *   upstream)   11 reload (a configuration)   12 try one (a configuration, a
 *   fault)   13 what the oldest reload left is given back
 * Numbers of clients and upstreams are bytes, modulo two more than there are.
 */
#include <string.h>

#include "bytes.h"
#include "model/twin_policy.h"
#include "oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define LEFTS 3

struct run {
	struct bytes bytes;
	struct twin_policy twin;
	struct twin_policy_left lefts[LEFTS]; /* the oldest first */
	uint32_t left_len;
	uint64_t now_ns;
};

/* An application with the policy that it belongs to. */
struct target {
	struct twin_app *app; /* NULL: there is none */
	const struct lbp_policy *policy;
	const uint32_t *numbers;
};

static uint32_t count_apps(const struct run *run)
{
	uint32_t n = run->twin.config.app_len;

	for (uint32_t i = 0; i < run->left_len; i++)
		n += run->lefts[i].app_len;
	return n;
}

static struct target draw_target(struct run *run)
{
	uint32_t n = count_apps(run);
	uint32_t at = bytes_u8(&run->bytes);
	uint32_t i;

	if (n == 0)
		return (struct target){0};
	at %= n;
	if (at < run->twin.config.app_len)
		return (struct target){
			&run->twin.apps[run->twin.config.apps[at]],
			&run->twin.policy, run->twin.numbers};
	at -= run->twin.config.app_len;
	for (i = 0; at >= run->lefts[i].app_len; i++)
		at -= run->lefts[i].app_len;
	return (struct target){&run->lefts[i].apps[at], &run->lefts[i].policy,
		run->lefts[i].numbers};
}

static uint32_t draw_number(struct run *run, const struct target *target)
{
	return bytes_below(
		&run->bytes, (uint32_t)target->policy->client_len + 2);
}

static uint32_t draw_upstream(struct run *run, const struct target *target)
{
	return bytes_below(&run->bytes, target->app->model.upstream_len + 2);
}

static void identify(struct run *run, const struct target *target)
{
	struct lbp_name who = twin_name(
		(uint8_t)(1 + bytes_below(&run->bytes, MODEL_APP_SERIALS + 1)));
	uint32_t got = LBP_NONE;
	uint32_t name = LBP_NONE;
	uint32_t want = LBP_NONE;
	enum lbp_err got_err =
		lbp_app_identify(target->app->app, &who, 1, &got);
	enum lbp_err want_err =
		model_app_identify(&target->app->model, &who, 1, &name);

	if (name != LBP_NONE)
		want = target->numbers[name];
	ORACLE("POL-1", got_err == want_err, "%s instead of %s",
		lbp_err_text(got_err), lbp_err_text(want_err));
	ORACLE("POL-5", got == want, "client %u instead of %u", got, want);
}

static void admit(struct run *run, const struct target *target)
{
	uint32_t number = draw_number(run, target);
	enum lbp_err got = lbp_app_admit(target->app->app, number, run->now_ns);
	enum lbp_err want = model_app_admit(&target->app->model,
		twin_policy_owner(target->numbers, number), run->now_ns);

	ORACLE("APP-9", got == want, "client %u is let in: %s instead of %s",
		number, lbp_err_text(got), lbp_err_text(want));
}

static void leave(struct run *run, const struct target *target)
{
	uint32_t number = draw_number(run, target);
	enum lbp_err got = lbp_app_leave(target->app->app, number);
	enum lbp_err want = model_app_leave(&target->app->model,
		twin_policy_owner(target->numbers, number));

	ORACLE("APP-24", got == want, "client %u leaves: %s instead of %s",
		number, lbp_err_text(got), lbp_err_text(want));
}

static void choose(struct run *run, const struct target *target)
{
	uint8_t tried = bytes_u8(&run->bytes);
	uint32_t got = LBP_NONE;
	uint32_t want = LBP_NONE;
	enum lbp_err got_err = lbp_app_choose(target->app->app, &tried, &got);
	enum lbp_err want_err =
		model_app_choose(&target->app->model, tried, &want);

	ORACLE("APP-10", got_err == want_err && got == want,
		"chose %u instead of %u", got, want);
}

static void dialed(struct run *run, const struct target *target, bool ok)
{
	uint32_t upstream = draw_upstream(run, target);
	enum lbp_health_change got =
		lbp_app_dialed(target->app->app, upstream, ok);
	enum lbp_health_change want =
		model_app_dialed(&target->app->model, upstream, ok);

	ORACLE("APP-10", got == want, "upstream %u: change %d instead of %d",
		upstream, (int)got, (int)want);
}

static void release(struct run *run, const struct target *target)
{
	uint32_t upstream = draw_upstream(run, target);
	enum lbp_err got = lbp_app_release(target->app->app, upstream);
	enum lbp_err want = model_app_release(&target->app->model, upstream);

	ORACLE("APP-11", got == want, "release: %s instead of %s",
		lbp_err_text(got), lbp_err_text(want));
}

static void answer(struct run *run, const struct target *target)
{
	uint8_t what = bytes_u8(&run->bytes);

	twin_app_checked(target->app,
		what / 2 % (target->app->model.upstream_len + 2), what & 1);
}

static void pass_time(struct run *run)
{
	uint64_t by_ns = bytes_time(&run->bytes);

	if (by_ns < LBP_NEVER - run->now_ns)
		run->now_ns += by_ns;
}

/* What is open on the oldest applications that are retired is given back. */
static void end_oldest(struct run *run)
{
	if (run->left_len == 0)
		return;
	twin_policy_left_end(&run->lefts[0]);
	run->left_len--;
	memmove(&run->lefts[0], &run->lefts[1],
		run->left_len * sizeof(run->lefts[0]));
}

static void reload(struct run *run)
{
	struct twin_policy_config config;

	twin_policy_draw(&config, &run->bytes);
	if (run->left_len == LEFTS)
		end_oldest(run);
	twin_policy_reload(
		&run->twin, &config, run->now_ns, &run->lefts[run->left_len++]);
}

static void try(struct run *run)
{
	struct twin_policy_config config;

	twin_policy_draw(&config, &run->bytes);
	twin_policy_try(&run->twin, &config, run->now_ns,
		bytes_below(&run->bytes, TWIN_POLICY_FAULTS));
}

static void operate_on(
	struct run *run, uint32_t what, const struct target *target)
{
	switch (what) {
	case 0:
		identify(run, target);
		break;
	case 1:
		admit(run, target);
		break;
	case 2:
		leave(run, target);
		break;
	case 3:
		choose(run, target);
		break;
	case 4:
		dialed(run, target, true);
		break;
	case 5:
		dialed(run, target, false);
		break;
	case 6:
		release(run, target);
		break;
	case 7:
		twin_app_take(target->app, run->now_ns);
		break;
	case 8:
		answer(run, target);
		break;
	case 10:
		twin_app_check_dropped(target->app, draw_upstream(run, target));
		break;
	}
}

static void operate(struct run *run)
{
	uint32_t what = bytes_below(&run->bytes, 14);
	struct target target;

	switch (what) {
	case 9:
		pass_time(run);
		break;
	case 11:
		reload(run);
		break;
	case 12:
		try(run);
		break;
	case 13:
		end_oldest(run);
		break;
	default:
		target = draw_target(run);
		if (target.app != NULL)
			operate_on(run, what, &target);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct run run;
	struct twin_policy_config config;

	run.bytes = (struct bytes){data, len};
	run.now_ns = 0;
	run.left_len = 0;
	twin_policy_draw(&config, &run.bytes);
	twin_policy_make(&run.twin, &config, run.now_ns);
	while (run.bytes.len > 0) {
		operate(&run);
		twin_policy_check(&run.twin);
		for (uint32_t i = 0; i < run.left_len; i++)
			twin_policy_left_check(&run.lefts[i]);
	}
	twin_policy_end(&run.twin);
	while (run.left_len > 0)
		end_oldest(&run);
	return 0;
}
