#include "server/config.h"

#include <string.h>

#include "base.h"
#include "server/config_app.h"
#include "server/config_ca.h"
#include "server/config_client.h"
#include "server/config_errors.h"
#include "server/config_field.h"
#include "server/config_state.h"

#define AT(member) offsetof(struct lbp_config, member)
#define LEN(array) (sizeof(array) / sizeof((array)[0]))

static const char *const event_loops[] = {"auto", "select", "epoll", NULL};
static const char *const tls_versions[] = {"1.2", "1.3", NULL};
static const char *const expired_sessions[] = {"close", "keep", NULL};
static const char *const log_levels[] = {
	"error", "warn", "info", "debug", NULL};

/* Whether select fits is known only later, so its place is kept. */
static void read_event_loop(
	struct lbp_config_reader *reader, const struct lbp_config_field *field)
{
	struct lbp_config *config = field->out;
	struct lbp_config_field choice = *field;

	config->event_loop_pos = lbp_config_pos(field->value->pos);
	choice.out = &config->event_loop;
	lbp_config_read_choice(reader, &choice);
}

/* The keys of these sections are stored in the configuration itself. */
static const struct lbp_config_key server_keys[] = {
	{.name = "workers",
		.read = lbp_config_read_integer,
		.offset = AT(workers),
		.min = 1,
		.max = 256},
	{.name = "event_loop", .read = read_event_loop, .choices = event_loops},
	{.name = "max_connections",
		.read = lbp_config_read_integer,
		.offset = AT(max_connections),
		.min = 1,
		.max = 1000000},
	{.name = "max_handshakes",
		.read = lbp_config_read_integer,
		.offset = AT(max_handshakes),
		.min = 1,
		.max = 1000000},
	{.name = "admin",
		.read = lbp_config_read_address,
		.offset = AT(admin),
		.accepts = LBP_CONFIG_ADDRESS},
	{.name = "watch",
		.read = lbp_config_read_duration_or_off,
		.offset = AT(watch_ns),
		.accepts = LBP_CONFIG_DURATION_OR_OFF},
};

static const struct lbp_config_key tls_keys[] = {
	{.name = "certificate",
		.read = lbp_config_read_text,
		.offset = AT(certificate),
		.required = true,
		.accepts = "the path of the PEM file with the server's "
			   "certificate chain, leaf first"},
	{.name = "private_key",
		.read = lbp_config_read_text,
		.offset = AT(private_key),
		.required = true,
		.accepts = "the path of the PEM file with the server's key"},
	{.name = "client_ca",
		.read = lbp_config_read_cas,
		.required = true,
		.max = LBP_CAS_MAX,
		.accepts = "the path of the PEM file with the one CA that "
			   "issues every client certificate, or 1 to 16 "
			   "tables, [[tls.client_ca]]"},
	{.name = "crl",
		.read = lbp_config_read_crl,
		.accepts = "the path of the PEM file with the CA's list of "
			   "revoked certificates"},
	{.name = "min_version",
		.read = lbp_config_read_choice,
		.offset = AT(min_version),
		.choices = tls_versions},
	{.name = "expired_sessions",
		.read = lbp_config_read_choice,
		.offset = AT(expired_sessions),
		.choices = expired_sessions},
	{.name = "ciphers",
		.read = lbp_config_read_text,
		.offset = AT(ciphers),
		.accepts = "OpenSSL names of TLS 1.2 cipher suites, joined "
			   "by ':'"},
	{.name = "ciphersuites",
		.read = lbp_config_read_text,
		.offset = AT(ciphersuites),
		.accepts = "names of TLS 1.3 cipher suites, joined by ':'"},
	{.name = "groups",
		.read = lbp_config_read_text,
		.offset = AT(groups),
		.accepts = "OpenSSL names of key exchange groups, joined by "
			   "':'"},
};

static const struct lbp_config_key log_keys[] = {
	{.name = "level",
		.read = lbp_config_read_choice,
		.offset = AT(log_level),
		.choices = log_levels},
};

static const struct lbp_config_key timeouts_keys[] = {
	{.name = "handshake",
		.read = lbp_config_read_duration,
		.offset = AT(handshake_ns),
		.accepts = LBP_CONFIG_DURATION},
	{.name = "connect",
		.read = lbp_config_read_duration,
		.offset = AT(timeouts.connect_ns),
		.accepts = LBP_CONFIG_DURATION},
	{.name = "idle",
		.read = lbp_config_read_duration_or_off,
		.offset = AT(timeouts.idle_ns),
		.accepts = LBP_CONFIG_DURATION_OR_OFF},
	{.name = "lifetime",
		.read = lbp_config_read_duration_or_off,
		.offset = AT(timeouts.lifetime_ns),
		.accepts = LBP_CONFIG_DURATION_OR_OFF},
	{.name = "keepalive",
		.read = lbp_config_read_duration_or_off,
		.offset = AT(keepalive_ns),
		.accepts = LBP_CONFIG_DURATION_OR_OFF},
	{.name = "resolve",
		.read = lbp_config_read_duration_or_off,
		.offset = AT(resolve_ns),
		.accepts = LBP_CONFIG_DURATION_OR_OFF},
	{.name = "drain",
		.read = lbp_config_read_duration,
		.offset = AT(drain_ns),
		.accepts = LBP_CONFIG_DURATION},
};

static const struct lbp_config_section server_section = {
	"server", server_keys, LEN(server_keys)};
static const struct lbp_config_section tls_section = {
	"tls", tls_keys, LEN(tls_keys)};
static const struct lbp_config_section log_section = {
	"log", log_keys, LEN(log_keys)};
static const struct lbp_config_section timeouts_section = {
	"timeouts", timeouts_keys, LEN(timeouts_keys)};

/* app comes after timeouts, which it inherits; client after tls and app. */
static const struct lbp_config_key root_keys[] = {
	{.name = "server",
		.read = lbp_config_read_table,
		.section = &server_section,
		.accepts = "a table, [server]"},
	{.name = "tls",
		.read = lbp_config_read_table,
		.required = true,
		.section = &tls_section,
		.accepts = "a table, [tls], with certificate, private_key and "
			   "client_ca"},
	{.name = "log",
		.read = lbp_config_read_table,
		.section = &log_section,
		.accepts = "a table, [log]"},
	{.name = "timeouts",
		.read = lbp_config_read_table,
		.section = &timeouts_section,
		.accepts = "a table, [timeouts]"},
	{.name = "app",
		.read = lbp_config_read_apps,
		.required = true,
		.max = 1024,
		.accepts = "1 to 1024 tables, [[app]]"},
	{.name = "client",
		.read = lbp_config_read_clients,
		.max = 100000,
		.accepts = "at most 100000 tables, [[client]]"},
};

static const struct lbp_config_section root_section = {
	"", root_keys, LEN(root_keys)};

static const struct lbp_config defaults = {
	.event_loop = LBP_EVENT_LOOP_AUTO,
	.max_connections = 400,
	.max_handshakes = 256,
	.min_version = LBP_TLS_1_2,
	.log_level = LBP_LOG_INFO,
	.handshake_ns = 5 * LBP_NS_PER_S,
	.timeouts = {.connect_ns = 3 * LBP_NS_PER_S,
		.idle_ns = 600 * LBP_NS_PER_S},
	.keepalive_ns = 60 * LBP_NS_PER_S,
	.resolve_ns = 30 * LBP_NS_PER_S,
	.drain_ns = 30 * LBP_NS_PER_S,
};

static void read_root(
	struct lbp_config_reader *reader, const struct lbp_toml_table *root)
{
	reader->config = lbp_config_alloc(
		reader, &reader->kept, 1, sizeof(*reader->config));
	if (reader->config == NULL)
		return;
	*reader->config = defaults;
	(void)lbp_config_read_keys(reader, &root_section, root,
		(struct lbp_config_pos){1, 1}, reader->config);
	(void)lbp_config_names_unique(reader, &reader->addresses);
	(void)lbp_config_names_unique(reader, &reader->serials);
	(void)lbp_config_names_unique(reader, &reader->uris);
	(void)lbp_config_names_unique(reader, &reader->dns);
}

/* Parses and reads text; the reader then has the errors. */
static enum lbp_err read_text(
	struct lbp_config_reader *reader, const char *text, size_t len)
{
	struct lbp_config_message message = {.len = 0};
	struct lbp_toml_error error;
	struct lbp_toml *doc;
	enum lbp_err err = lbp_toml_parse(text, len, &doc, &error);

	if (err == LBP_ERR_SYNTAX) {
		lbp_config_say_plain(
			&message, (struct lbp_toml_string){error.message,
					  strlen(error.message)});
		lbp_config_add_error(
			reader, lbp_config_pos(error.pos), &message);
		return LBP_OK;
	}
	if (err != LBP_OK)
		return err;
	read_root(reader, lbp_toml_root(doc));
	lbp_toml_free(doc);
	return LBP_OK;
}

enum lbp_err lbp_config_parse(const char *text, size_t len,
	struct lbp_config **out, struct lbp_config_errors *errors)
{
	struct lbp_config_reader reader = {.nomem = false};
	enum lbp_err err;

	*out = NULL;
	*errors = (struct lbp_config_errors){0};
	err = read_text(&reader, text, len);
	if (err == LBP_OK)
		err = lbp_config_take_errors(&reader, errors);
	if (err == LBP_OK) {
		*out = reader.config;
		reader.config->arena = reader.kept;
		reader.kept = NULL;
	}
	lbp_config_arena_free(reader.kept);
	lbp_config_arena_free(reader.messages);
	lbp_config_arena_free(reader.scratch);
	return err;
}

void lbp_config_free(struct lbp_config *config)
{
	if (config != NULL)
		lbp_config_arena_free(config->arena);
}

void lbp_config_errors_release(struct lbp_config_errors *errors)
{
	lbp_config_arena_free(errors->arena);
	*errors = (struct lbp_config_errors){0};
}
