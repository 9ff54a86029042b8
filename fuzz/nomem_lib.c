/*
 * Out of memory in everything of lib that allocates: linked into a fuzz
 * target, with the calls wrapped that make something. Each is first carried
 * out as often as it allocates, with another allocation failing each time;
 * once, and together with all after it. That has to give LBP_ERR_NOMEM, no
 * result, and back all that was allocated. Then the call is carried out for
 * the target. So what is tried is what the committed inputs make of lib.
 *
 * LBP_NOMEM_STEP=n tries each n-th allocation only, beginning with another
 * one for each call.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lbproxy.h"
#include "oracle.h"
#include "server/config.h"
#include "server/policy.h"
#include "server/toml.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t len, size_t size);
void *__real_realloc(void *ptr, size_t size);
void __real_free(void *ptr);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t len, size_t size);
void *__wrap_realloc(void *ptr, size_t size);
void __wrap_free(void *ptr);

enum lbp_err __real_lbp_toml_parse(const char *text, size_t len,
	struct lbp_toml **out, struct lbp_toml_error *error);
enum lbp_err __real_lbp_config_parse(const char *text, size_t len,
	struct lbp_config **out, struct lbp_config_errors *errors);
enum lbp_err __real_lbp_acl_new(
	struct lbp_acl **out, const struct lbp_acl_options *options);
enum lbp_err __real_lbp_app_prepare(struct lbp_app **out,
	const struct lbp_app *app, const struct lbp_app_options *options,
	uint64_t now_ns);
enum lbp_err __real_lbp_policy_prepare(struct lbp_policy *next,
	const struct lbp_policy *policy, const struct lbp_config *config,
	uint64_t now_ns);
enum lbp_err __wrap_lbp_toml_parse(const char *text, size_t len,
	struct lbp_toml **out, struct lbp_toml_error *error);
enum lbp_err __wrap_lbp_config_parse(const char *text, size_t len,
	struct lbp_config **out, struct lbp_config_errors *errors);
enum lbp_err __wrap_lbp_acl_new(
	struct lbp_acl **out, const struct lbp_acl_options *options);
enum lbp_err __wrap_lbp_app_prepare(struct lbp_app **out,
	const struct lbp_app *app, const struct lbp_app_options *options,
	uint64_t now_ns);
enum lbp_err __wrap_lbp_policy_prepare(struct lbp_policy *next,
	const struct lbp_policy *policy, const struct lbp_config *config,
	uint64_t now_ns);

/* A call with its arguments. */
struct call {
	const char *id; /* the requirement, for messages */
	enum lbp_err (*make)(struct call *call);
	/* What a call that failed has to have left. */
	bool (*is_empty)(const struct call *call);
	void (*release)(struct call *call);

	const char *text;
	size_t len;
	struct lbp_toml *toml;
	struct lbp_toml_error toml_error;
	struct lbp_config *config;
	struct lbp_config_errors errors;
	const struct lbp_acl_options *list;
	struct lbp_acl *acl;
	const struct lbp_app_options *options;
	uint64_t now_ns;
	struct lbp_app *app;
	const struct lbp_app *from_app;  /* which is reloaded, or NULL */
	const struct lbp_config *source; /* of the policy */
	struct lbp_policy policy;
	const struct lbp_policy *from_policy; /* which is reloaded, or NULL */
};

static struct {
	bool armed;
	bool stays;       /* all after it fail too */
	unsigned long at; /* 0: none fails */
	unsigned long count;
	long held; /* allocated and not given back */
} failure;

static unsigned long calls;
static unsigned long runs;
static unsigned long step;

/* --- allocations -------------------------------------------------------- */

static bool fails(void)
{
	if (!failure.armed)
		return false;
	failure.count++;
	return failure.at != 0 &&
	       (failure.count == failure.at ||
		       (failure.stays && failure.count > failure.at));
}

static void *take(void *ptr)
{
	failure.held += failure.armed && ptr != NULL;
	return ptr;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : take(__real_malloc(size));
}

void *__wrap_calloc(size_t len, size_t size)
{
	return fails() ? NULL : take(__real_calloc(len, size));
}

void *__wrap_realloc(void *ptr, size_t size)
{
	void *got = fails() ? NULL : __real_realloc(ptr, size);

	return ptr == NULL ? take(got) : got;
}

void __wrap_free(void *ptr)
{
	failure.held -= failure.armed && ptr != NULL;
	__real_free(ptr);
}

/* --- calls -------------------------------------------------------------- */

static void require(const struct call *call, bool ok, const char *what)
{
	char text[160];

	if (ok)
		return;
	snprintf(text, sizeof(text), "%s, allocation %lu of %lu, stays %d",
		what, failure.at, failure.count, failure.stays);
	oracle_fail(call->id, __FILE__, __LINE__, "%s", text);
}

/* One call in which an allocation fails; false if there are fewer. */
static bool fail_once(struct call *call, unsigned long at, bool stays)
{
	enum lbp_err err;

	failure.at = at;
	failure.stays = stays;
	failure.count = 0;
	failure.held = 0;
	failure.armed = true;
	err = call->make(call);
	failure.armed = false;
	if (failure.count < at) {
		call->release(call);
		return false;
	}
	runs++;
	require(call, err == LBP_ERR_NOMEM, lbp_err_text(err));
	require(call, call->is_empty(call), "something is left");
	require(call, failure.held == 0, "memory is not given back");
	return true;
}

static void try_all(struct call *call)
{
	unsigned long first;

	if (step == 0) {
		const char *text = getenv("LBP_NOMEM_STEP");

		step = text != NULL ? strtoul(text, NULL, 10) : 1;
		step = step > 0 ? step : 1;
	}
	first = 1 + calls++ % step;
	for (int stays = 0; stays < 2; stays++) {
		for (unsigned long at = first; fail_once(call, at, stays != 0);
			at += step)
			continue;
	}
}

/* --- what can be made --------------------------------------------------- */

static enum lbp_err make_toml(struct call *call)
{
	memset(&call->toml_error, 0, sizeof(call->toml_error));
	return __real_lbp_toml_parse(
		call->text, call->len, &call->toml, &call->toml_error);
}

static bool is_toml_empty(const struct call *call)
{
	/* The place reached is all that is left. */
	return call->toml == NULL && call->toml_error.pos.line > 0 &&
	       call->toml_error.pos.column > 0;
}

static void release_toml(struct call *call)
{
	lbp_toml_free(call->toml);
}

static enum lbp_err make_config(struct call *call)
{
	memset(&call->errors, 0xa5, sizeof(call->errors));
	return __real_lbp_config_parse(
		call->text, call->len, &call->config, &call->errors);
}

static bool is_config_empty(const struct call *call)
{
	return call->config == NULL && call->errors.items == NULL &&
	       call->errors.len == 0 && call->errors.arena == NULL;
}

static void release_config(struct call *call)
{
	lbp_config_free(call->config);
	lbp_config_errors_release(&call->errors);
}

static enum lbp_err make_acl(struct call *call)
{
	return __real_lbp_acl_new(&call->acl, call->list);
}

static bool is_acl_empty(const struct call *call)
{
	return call->acl == NULL;
}

static void release_acl(struct call *call)
{
	lbp_acl_free(call->acl);
}

static enum lbp_err make_app(struct call *call)
{
	return __real_lbp_app_prepare(
		&call->app, call->from_app, call->options, call->now_ns);
}

static bool is_app_empty(const struct call *call)
{
	return call->app == NULL;
}

static void release_app(struct call *call)
{
	lbp_app_free(call->app);
}

static enum lbp_err make_policy(struct call *call)
{
	memset(&call->policy, 0xa5, sizeof(call->policy));
	return __real_lbp_policy_prepare(
		&call->policy, call->from_policy, call->source, call->now_ns);
}

static bool is_policy_empty(const struct call *call)
{
	return call->policy.acl == NULL && call->policy.apps == NULL &&
	       call->policy.app_len == 0;
}

static void release_policy(struct call *call)
{
	lbp_policy_release(&call->policy);
}

/* --- what the targets call ---------------------------------------------- */

enum lbp_err __wrap_lbp_toml_parse(const char *text, size_t len,
	struct lbp_toml **out, struct lbp_toml_error *error)
{
	struct call call = {.id = "TOM-30",
		.make = make_toml,
		.is_empty = is_toml_empty,
		.release = release_toml,
		.text = text,
		.len = len};

	if (!failure.armed)
		try_all(&call);
	return __real_lbp_toml_parse(text, len, out, error);
}

/* A configuration that is good is put to work, too. */
enum lbp_err __wrap_lbp_config_parse(const char *text, size_t len,
	struct lbp_config **out, struct lbp_config_errors *errors)
{
	struct call call = {.id = "CFG-16",
		.make = make_config,
		.is_empty = is_config_empty,
		.release = release_config,
		.text = text,
		.len = len};
	struct call policy = {.id = "POL-1",
		.make = make_policy,
		.is_empty = is_policy_empty,
		.release = release_policy};
	enum lbp_err err;

	if (!failure.armed)
		try_all(&call);
	err = __real_lbp_config_parse(text, len, out, errors);
	policy.source = *out;
	if (!failure.armed && err == LBP_OK)
		try_all(&policy);
	return err;
}

enum lbp_err __wrap_lbp_acl_new(
	struct lbp_acl **out, const struct lbp_acl_options *options)
{
	struct call call = {.id = "ACL-1",
		.make = make_acl,
		.is_empty = is_acl_empty,
		.release = release_acl,
		.list = options};

	if (!failure.armed)
		try_all(&call);
	return __real_lbp_acl_new(out, options);
}

/* An application that is new, or what one is to become. */
enum lbp_err __wrap_lbp_app_prepare(struct lbp_app **out,
	const struct lbp_app *app, const struct lbp_app_options *options,
	uint64_t now_ns)
{
	struct call call = {.id = app == NULL ? "APP-1" : "APP-8",
		.make = make_app,
		.is_empty = is_app_empty,
		.release = release_app,
		.from_app = app,
		.options = options,
		.now_ns = now_ns};

	if (!failure.armed)
		try_all(&call);
	return __real_lbp_app_prepare(out, app, options, now_ns);
}

enum lbp_err __wrap_lbp_policy_prepare(struct lbp_policy *next,
	const struct lbp_policy *policy, const struct lbp_config *config,
	uint64_t now_ns)
{
	struct call call = {.id = policy == NULL ? "POL-1" : "POL-4",
		.make = make_policy,
		.is_empty = is_policy_empty,
		.release = release_policy,
		.from_policy = policy,
		.source = config,
		.now_ns = now_ns};

	if (!failure.armed)
		try_all(&call);
	return __real_lbp_policy_prepare(next, policy, config, now_ns);
}

/* None at all would be a gate that looks at nothing. */
__attribute__((destructor)) static void report(void)
{
	printf("nomem: %lu runs with a failure, in %lu calls\n", runs, calls);
	fflush(stdout);
	if (runs == 0)
		_exit(1);
}
