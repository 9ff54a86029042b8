/*
 * Who somebody is, whether that may enter, and what decides, by what the server
 * itself would go by. [EXP-1] to [EXP-7].
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lbproxyd/snapshot.h"
#include "answer.h"
#include "ask.h"
#include "certificate.h"
#include "command.h"
#include "live.h"
#include "memory.h"
#include "server/explain.h"

/* What is asked, as far as it has been found out. */
struct question {
	const struct options *options;
	struct snapshot *snapshot;
	struct lbp_policy policy;
	struct lbp_toml *doc; /* the configuration's own file */
	struct certificate certificate;
	struct lbp_name name; /* of a serial, or of a line */
	json_t *line;         /* of the log */
	struct live live;     /* what a running server says */
	struct answer answer;
	struct decision *decisions; /* room for one at each app */
	/* What was decided about a line, or about a certificate. */
	enum lbp_reason reason;
	uint32_t ca;
	uint32_t app; /* LBP_NONE: each */
};

/* What was given is not repeated: it may come from a stranger. */
static int fail(const char *option, const char *why)
{
	fprintf(stderr, "lbproxyctl: --%s: %s\n", option, why);
	return EXIT_USAGE;
}

/* --- the configuration -------------------------------------------------- */

static bool load(struct question *question)
{
	const struct options *options = question->options;
	struct lbp_toml_error error;
	const struct file *own;

	question->snapshot = snapshot_load(options->config, 0, NULL);
	if (question->snapshot == NULL)
		return false;
	own = &question->snapshot->texts.items[0].file;
	question->decisions = need(calloc(question->snapshot->config->app_len,
		sizeof(*question->decisions)));
	/* Nothing else can be wrong with it any more. */
	if (lbp_toml_parse(own->text, own->len, &question->doc, &error) !=
			LBP_OK ||
		lbp_policy_init(&question->policy, question->snapshot->config,
			0) != LBP_OK)
		out_of_memory();
	question->answer = (struct answer){
		.snapshot = question->snapshot,
		.policy = &question->policy,
		.client = LBP_NONE,
		.decisions = question->decisions,
	};
	return true;
}

static void release(struct question *question)
{
	certificate_release(&question->certificate);
	lbp_toml_free(question->doc);
	lbp_policy_release(&question->policy);
	snapshot_free(question->snapshot);
	free(question->decisions);
	json_decref(question->line);
	live_release(&question->live);
}

static bool find_app(
	const struct question *question, const char *id, uint32_t *app)
{
	const struct lbp_config *config = question->snapshot->config;

	for (*app = 0; *app < config->app_len; (*app)++) {
		if (strcmp(config->apps[*app].id.ptr, id) == 0)
			return true;
	}
	*app = LBP_NONE;
	return false;
}

static bool find_client(
	const struct lbp_config *config, const char *id, uint32_t *client)
{
	for (*client = 0; *client < config->client_len; (*client)++) {
		if (strcmp(config->clients[*client].id.ptr, id) == 0)
			return true;
	}
	*client = LBP_NONE;
	return false;
}

/* --- decisions ---------------------------------------------------------- */

static void decide(struct question *question, uint32_t app,
	struct lbp_explain_verdict verdict, uint32_t client)
{
	const struct lbp_config *config = question->snapshot->config;
	const struct lbp_config_grant *grant =
		app != LBP_NONE && client != LBP_NONE
			? lbp_explain_grant(config, client, app)
			: NULL;
	const struct lbp_explain_about about = {app, question->ca, grant};

	/* Who lists nothing has no place of its own. */
	if (verdict.reason != LBP_REASON_NONE && verdict.pos.line == 0)
		verdict.pos = lbp_explain_place(config,
			lbp_toml_root(question->doc), verdict.reason, &about);
	question->decisions[question->answer.len++] = (struct decision){
		.app = app, .verdict = verdict, .grant = grant};
}

static void decide_at(struct question *question, uint32_t client, uint32_t app)
{
	const struct lbp_explain_verdict verdict = lbp_explain_authorize(
		question->snapshot->config, &question->policy, client, app);

	/* A line's reason goes before what would come after it. */
	if (verdict.reason == LBP_REASON_NONE &&
		question->reason != LBP_REASON_NONE)
		decide(question, app,
			(struct lbp_explain_verdict){
				.reason = question->reason, .client = client},
			client);
	else
		decide(question, app, verdict, client);
}

/* Who it is has been found out. */
static void decide_all(
	struct question *question, const struct lbp_explain_verdict *who)
{
	const struct lbp_config *config = question->snapshot->config;

	question->answer.client = who->client;
	if (who->client == LBP_NONE) {
		decide(question, question->app, *who, LBP_NONE);
		return;
	}
	for (uint32_t app = 0; app < config->app_len; app++) {
		if (question->app == LBP_NONE || question->app == app)
			decide_at(question, who->client, app);
	}
}

/* The certificate, or the connection, is refused whoever it is. */
static void decide_refused(struct question *question)
{
	decide(question, question->app,
		(struct lbp_explain_verdict){
			.reason = question->reason, .client = LBP_NONE},
		LBP_NONE);
}

static void decide_by_names(struct question *question)
{
	const struct lbp_explain_verdict who = lbp_explain_identify(
		question->snapshot->config, &question->policy,
		question->answer.names, question->answer.name_len);

	decide_all(question, &who);
}

/* What a server counts where the client may enter. */
static void ask_live(struct question *question)
{
	const struct lbp_config *config = question->snapshot->config;
	size_t i;

	live_open(&question->live, question->options);
	for (i = 0; i < question->answer.len; i++) {
		struct decision *decision = &question->decisions[i];

		if (decision->verdict.reason != LBP_REASON_NONE)
			continue;
		decision->use = live_client(&question->live,
			config->apps[decision->app].id.ptr,
			config->clients[question->answer.client].id.ptr);
		decision->upstreams = live_upstreams(
			&question->live, config->apps[decision->app].id.ptr);
	}
}

static int answer(struct question *question)
{
	ask_live(question);
	answer_print(&question->answer, question->options->json);
	return answer_is_let_in(&question->answer) ? EXIT_SUCCESS
						   : EXIT_FAILURE;
}

/* --- a certificate ------------------------------------------------------ */

static int explain_cert(struct question *question)
{
	struct certificate *certificate = &question->certificate;
	const char *path = question->options->cert;

	if (!certificate_judge(certificate, question->snapshot->tls, path))
		return fail("cert", certificate->why);
	question->ca = certificate->ca;
	question->answer.names = certificate->tls.names;
	question->answer.name_len = certificate->tls.name_len;
	question->answer.detail = certificate->detail;
	question->reason = certificate->reason;
	if (certificate->reason != LBP_REASON_NONE)
		decide_refused(question);
	else
		decide_by_names(question);
	return answer(question);
}

/* --- a serial ----------------------------------------------------------- */

/* What is known of a serial under a CA. */
static void use_serial(
	struct question *question, const struct lbp_serial *serial, uint32_t ca)
{
	const struct lbp_config *config = question->snapshot->config;
	const struct lbp_config_serial of = {.serial = *serial, .ca = ca};

	question->ca = ca;
	question->name = lbp_name_of_issued(serial, config->cas[ca].number);
	question->answer.names = &question->name;
	question->answer.name_len = 1;
	if (tls_server_revokes(question->snapshot->tls, &of))
		question->reason = LBP_REASON_REVOKED;
}

/* The CA with the id before a slash; without one it is the first. */
static bool find_ca(const struct lbp_config *config, const char *text,
	const char *slash, uint32_t *ca)
{
	*ca = 0;
	if (slash == NULL)
		return true;
	for (; *ca < config->ca_len; (*ca)++) {
		const char *id = config->cas[*ca].id.ptr;

		if (id != NULL && strlen(id) == (size_t)(slash - text) &&
			memcmp(id, text, strlen(id)) == 0)
			return true;
	}
	return false;
}

static int explain_serial(struct question *question)
{
	const char *text = question->options->serial;
	const char *slash = strrchr(text, '/');
	const char *hex = slash == NULL ? text : slash + 1;
	struct lbp_serial serial;
	uint32_t ca;

	if (!find_ca(question->snapshot->config, text, slash, &ca))
		return fail("serial", "no [[tls.client_ca]] has this id");
	if (lbp_serial_from_hex(&serial, hex, strlen(hex)) != LBP_OK)
		return fail("serial",
			"it is none; accepted: hex like 1A:2B:3C, positive and "
			"at "
			"most 20 octets, or ID/HEX with a CA's id");
	use_serial(question, &serial, ca);
	if (question->reason != LBP_REASON_NONE)
		decide_refused(question);
	else
		decide_by_names(question);
	return answer(question);
}

/* --- a line of the log -------------------------------------------------- */

/* A text of the line; NULL: it has none such. */
static const char *find(const struct question *question, const char *key)
{
	return json_string_value(json_object_get(question->line, key));
}

/* A serial of the log has no CA with it: some client's, or the first one's. */
static void use_logged_serial(
	struct question *question, const struct lbp_serial *serial)
{
	const struct lbp_config *config = question->snapshot->config;
	uint32_t ca = (uint32_t)config->ca_len;

	while (ca > 0) {
		struct lbp_name name =
			lbp_name_of_issued(serial, config->cas[--ca].number);

		if (lbp_explain_name(config, &question->policy, &name).client !=
			LBP_NONE)
			break;
	}
	use_serial(question, serial, ca);
}

/* Takes the name that the log gives; it may give none. */
static bool take_name(struct question *question)
{
	const char *name = find(question, "name");
	const char *serial_text = find(question, "serial");
	struct lbp_serial serial;

	if (name != NULL && name[0] != '\0') {
		question->name = strchr(name, ':') != NULL
					 ? lbp_name_of_uri(name)
					 : lbp_name_of_dns(name);
		question->answer.names = &question->name;
		question->answer.name_len = 1;
		return true;
	}
	if (serial_text == NULL || lbp_serial_from_hex(&serial, serial_text,
					   strlen(serial_text)) != LBP_OK)
		return false;
	use_logged_serial(question, &serial);
	return true;
}

/* What may have changed since; the configuration alone decides it. */
static bool is_decided_anew(enum lbp_reason reason)
{
	return reason == LBP_REASON_UNKNOWN_CLIENT ||
	       reason == LBP_REASON_AMBIGUOUS ||
	       reason == LBP_REASON_NOT_ALLOWED || reason == LBP_REASON_REVOKED;
}

/* Who a line is about: its client, if that is still there, or a name. */
static void decide_line(struct question *question, enum lbp_reason logged)
{
	const struct lbp_config *config = question->snapshot->config;
	struct lbp_explain_verdict who = {.reason = logged};
	const char *id = find(question, "client");
	bool has_name = take_name(question);

	/* It is revoked now. */
	if (question->reason == LBP_REASON_REVOKED) {
		decide_refused(question);
		return;
	}
	if (!is_decided_anew(logged))
		question->reason = logged;
	if (id != NULL && find_client(config, id, &who.client))
		decide_all(question, &who);
	else if (has_name && (question->reason == LBP_REASON_NONE))
		decide_by_names(question);
	else {
		question->reason = logged;
		decide_refused(question);
	}
}

static int explain_reject(struct question *question)
{
	const char *reason, *app;
	enum lbp_reason logged;

	question->line = json_loads(question->options->reject, 0, NULL);
	if (!json_is_object(question->line))
		return fail("reject",
			"what it gives is not a JSON object; accepted: a line "
			"of lbproxyd's log");
	reason = find(question, "reason");
	logged = reason == NULL ? LBP_REASON_NONE
				: lbp_explain_reason_of(reason);
	if (logged == LBP_REASON_NONE)
		return fail("reject",
			"the line has no reason of SPEC.md; accepted: a reject "
			"or session line of lbproxyd's log");
	app = find(question, "app");
	if (question->app == LBP_NONE && app != NULL)
		(void)find_app(question, app, &question->app);
	decide_line(question, logged);
	return answer(question);
}

/* --- the command -------------------------------------------------------- */

static int explain(struct question *question)
{
	const struct options *options = question->options;

	question->app = LBP_NONE;
	if (options->app != NULL &&
		!find_app(question, options->app, &question->app))
		return fail("app",
			"the configuration has none with this id; accepted: "
			"an app's id");
	if (options->cert != NULL)
		return explain_cert(question);
	if (options->serial != NULL)
		return explain_serial(question);
	return explain_reject(question);
}

int explain_run(const struct options *options, int word_len, char **words)
{
	struct question question = {.options = options};
	int status = EXIT_USAGE;

	if (word_len > 0)
		return usage_error("unexpected '%s'", words[0]);
	if ((options->cert != NULL) + (options->serial != NULL) +
			(options->reject != NULL) !=
		1)
		return usage_error("explain takes one of --cert FILE, --serial "
				   "HEX and --reject LINE");
	if (load(&question))
		status = explain(&question);
	release(&question);
	return status;
}
