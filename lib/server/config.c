#include "server/config_root.h"

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

	config->event_loop_pos = lbp_config_pos(reader, field->value->pos);
	choice.out = &config->event_loop;
	lbp_config_read_choice(reader, &choice);
}

static void read_includes(
	struct lbp_config_reader *reader, const struct lbp_config_field *field)
{
	struct lbp_config *config = field->out;
	struct lbp_config_field item = *field;
	const struct lbp_toml_array *array =
		lbp_config_expect_array(reader, field, LBP_TOML_STRING);

	if (array == NULL)
		return;
	config->includes = lbp_config_alloc(
		reader, &reader->kept, array->len, sizeof(*config->includes));
	if (config->includes == NULL)
		return;
	config->include_len = array->len;
	for (size_t i = 0; i < array->len; i++) {
		item.value = &array->items[i];
		item.out = &config->includes[i];
		if (item.value->type == LBP_TOML_STRING)
			lbp_config_read_text(reader, &item);
	}
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
	{.name = "drain_delay",
		.read = lbp_config_read_delay,
		.offset = AT(drain_delay_ns),
		.accepts = LBP_CONFIG_DELAY},
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

/* app comes after timeouts, which it inherits; client is the last. */
static const struct lbp_config_key root_keys[] = {
	{.name = "include",
		.read = read_includes,
		.max = 1024,
		.accepts = "an array of paths of files with [[client]] tables "
			   "only, or of patterns, like \"clients.d/*.toml\""},
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
		.read = lbp_config_find_clients,
		.accepts = "at most 100000 tables, [[client]]"},
};

static const struct lbp_config_section root_section = {
	"", root_keys, LEN(root_keys)};

/* Only the last of these keys. */
static const struct lbp_config_section included_section = {
	"", &root_keys[LEN(root_keys) - 1], 1};

static const struct lbp_toml_pos root_pos = {1, 1};

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

void lbp_config_read_root(
	struct lbp_config_reader *reader, const struct lbp_toml_table *root)
{
	struct lbp_config *config =
		lbp_config_alloc(reader, &reader->kept, 1, sizeof(*config));

	if (config == NULL)
		return;
	*config = defaults;
	reader->config = config;
	(void)lbp_config_read_keys(reader, &root_section, root,
		lbp_config_pos(reader, root_pos), config);
}

void lbp_config_read_included(
	struct lbp_config_reader *reader, const struct lbp_toml_table *root)
{
	(void)lbp_config_read_keys(reader, &included_section, root,
		lbp_config_pos(reader, root_pos), reader->config);
}

void lbp_config_read_rest(struct lbp_config_reader *reader)
{
	lbp_config_read_clients(reader);
	(void)lbp_config_names_unique(reader, &reader->addresses);
	(void)lbp_config_names_unique(reader, &reader->serials);
	(void)lbp_config_names_unique(reader, &reader->uris);
	(void)lbp_config_names_unique(reader, &reader->dns);
}
