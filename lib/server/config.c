#include "server/config_root.h"

#include "base.h"
#include "server/config_app.h"
#include "server/config_client.h"
#include "server/config_errors.h"
#include "server/config_field.h"
#include "server/config_state.h"
#include "server/config_writer.h"

#define AT(member) offsetof(struct lbp_config, member)
#define LEN(array) (sizeof(array) / sizeof((array)[0]))

static const char *const event_loops[] = {"auto", "select", "epoll", NULL};
static const char *const log_levels[] = {
	"error", "warn", "info", "debug", NULL};

/* Whether select fits is known only later, so its place is kept. */
static void read_event_loop(
	struct lbp_config_reader *reader, const struct lbp_config_field *field)
{
	reader->config->event_loop_pos =
		lbp_config_pos(reader, field->value->pos);
	lbp_config_read_choice(reader, field);
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

static const struct lbp_config_kind event_loop = {
	.read = read_event_loop, .write = lbp_config_write_choice};
static const struct lbp_config_kind includes = {.read = read_includes,
	.write = lbp_config_write_includes,
	.shape = LBP_CONFIG_ARRAY,
	.schema = LBP_CONFIG_SCHEMA_TEXT};

/* The keys of these sections are stored in the configuration itself. */
static const struct lbp_config_key server_keys[] = {
	{.name = "workers",
		.kind = &lbp_config_integer,
		.offset = AT(workers),
		.min = 1,
		.max = 256,
		.help = "Threads with an event loop each.",
		.unset = "one for each CPU that the server may use",
		.example = "2"},
	{.name = "event_loop",
		.kind = &event_loop,
		.offset = AT(event_loop),
		.choices = event_loops,
		.help = "How workers wait for what happens. Auto is select "
			"while at most 40 descriptors may be needed, where it "
			"is as fast, and epoll otherwise."},
	{.name = "max_connections",
		.kind = &lbp_config_integer,
		.offset = AT(max_connections),
		.min = 1,
		.max = 1000000,
		.help = "Admitted sessions over all apps. At this number the "
			"listeners pause."},
	{.name = "max_handshakes",
		.kind = &lbp_config_integer,
		.offset = AT(max_handshakes),
		.min = 1,
		.max = 1000000,
		.help = "TLS handshakes in progress, beside those sessions. "
			"With select at most as many as its descriptors leave "
			"room for."},
	{.name = "admin",
		.kind = &lbp_config_address,
		.offset = AT(admin),
		.accepts = LBP_CONFIG_ADDRESS,
		.help = "The address of the status page.",
		.unset = "off",
		.example = "\"127.0.0.1:9900\""},
	{.name = "admin_socket",
		.kind = &lbp_config_text,
		.offset = AT(admin_socket),
		.accepts = "the path of a unix socket",
		.help = "Where lbproxyctl asks and steers the server. Root and "
			"the server's own user may; its path, with the "
			"configuration's directory before a relative one, has "
			"at most 103 bytes.",
		.unset = "off",
		.example = "\"admin.sock\""},
	{.name = "watch",
		.kind = &lbp_config_duration_or_off,
		.offset = AT(watch_ns),
		.accepts = LBP_CONFIG_DURATION_OR_OFF,
		.help = "How often the certificate, key, CA and CRL files that "
			"the configuration names are looked at. New content, "
			"however it came there, is loaded as by SIGHUP once "
			"two looks in a row have found it; the configuration "
			"itself, and what it includes, are not read."},
};

static const struct lbp_config_key log_keys[] = {
	{.name = "level",
		.kind = &lbp_config_choice,
		.offset = AT(log_level),
		.choices = log_levels,
		.help = "What is logged. From info on there is a line for each "
			"session and each refusal."},
};

static const struct lbp_config_key timeouts_keys[] = {
	{.name = "handshake",
		.kind = &lbp_config_duration,
		.offset = AT(handshake_ns),
		.accepts = LBP_CONFIG_DURATION,
		.help = "The client's TLS handshake, counted from accept."},
	{.name = "connect",
		.kind = &lbp_config_duration,
		.offset = AT(timeouts.connect_ns),
		.accepts = LBP_CONFIG_DURATION,
		.help = "One attempt to one upstream, its TLS handshake "
			"included."},
	{.name = "idle",
		.kind = &lbp_config_duration_or_off,
		.offset = AT(timeouts.idle_ns),
		.accepts = LBP_CONFIG_DURATION_OR_OFF,
		.help = "A session ends when no byte has moved in either "
			"direction for so long."},
	{.name = "lifetime",
		.kind = &lbp_config_duration_or_off,
		.offset = AT(timeouts.lifetime_ns),
		.accepts = LBP_CONFIG_DURATION_OR_OFF,
		.help = "How long a session may last, whatever it does, "
			"counted from its admission and up to a tenth less, "
			"drawn for each. It ends with a reset of both sides."},
	{.name = "keepalive",
		.kind = &lbp_config_duration_or_off,
		.offset = AT(keepalive_ns),
		.accepts = LBP_CONFIG_DURATION_OR_OFF,
		.help = "A peer that does not answer for about this long is "
			"gone; counted in whole seconds. The kernel asks an "
			"idle peer with TCP keepalive, and waits this long "
			"(TCP_USER_TIMEOUT) for the acknowledgement of what "
			"was sent. One that answers and does not read is left "
			"alone, so one that vanishes after that is noticed up "
			"to five minutes later."},
	{.name = "resolve",
		.kind = &lbp_config_duration_or_off,
		.offset = AT(resolve_ns),
		.accepts = LBP_CONFIG_DURATION_OR_OFF,
		.help = "How often the names of upstreams are resolved again. "
			"Another set of addresses is that of the connections "
			"which begin then; a name that has none any more keeps "
			"its last ones."},
	{.name = "drain_delay",
		.kind = &lbp_config_delay,
		.offset = AT(drain_delay_ns),
		.accepts = LBP_CONFIG_DELAY,
		.help = "How long connections are still accepted after "
			"SIGTERM, so that whoever sends them here can stop."},
	{.name = "drain",
		.kind = &lbp_config_duration,
		.offset = AT(drain_ns),
		.accepts = LBP_CONFIG_DURATION,
		.help = "How long sessions may continue after that."},
};

static const struct lbp_config_section server_section = {
	"server", server_keys, LEN(server_keys), &lbp_config_defaults};
static const struct lbp_config_section log_section = {
	"log", log_keys, LEN(log_keys), &lbp_config_defaults};
const struct lbp_config_section lbp_config_timeouts_section = {
	"timeouts", timeouts_keys, LEN(timeouts_keys), &lbp_config_defaults};

/* app comes after timeouts, which it inherits; client is the last. */
static const struct lbp_config_key root_keys[] = {
	{.name = "include",
		.kind = &includes,
		.max = 1024,
		.accepts = "an array of paths of files with [[client]] tables "
			   "only, or of patterns, like \"clients.d/*.toml\"",
		.help = "More files to read. An item with '*', '?' or '[' is a "
			"pattern (glob(7)) and may match nothing; any other "
			"file must exist. Matches are read in the order of "
			"their names; at most 100000 files and 64 MiB in all.",
		.example = "[\"clients.d/*.toml\"]"},
	{.name = "server",
		.kind = &lbp_config_table,
		.section = &server_section,
		.accepts = "a table, [server]",
		.help = "The server as a whole."},
	{.name = "tls",
		.kind = &lbp_config_table,
		.required = true,
		.section = &lbp_config_tls_section,
		.accepts = "a table, [tls], with certificate, private_key and "
			   "client_ca",
		.help = "TLS towards clients."},
	{.name = "log",
		.kind = &lbp_config_table,
		.section = &log_section,
		.accepts = "a table, [log]",
		.help = "The log, on standard error."},
	{.name = "timeouts",
		.kind = &lbp_config_table,
		.section = &lbp_config_timeouts_section,
		.accepts = "a table, [timeouts]",
		.help = "How long things may take."},
	{.name = "app",
		.kind = &lbp_config_apps,
		.required = true,
		.max = 1024,
		.section = &lbp_config_app_section,
		.accepts = "1 to 1024 tables, [[app]]",
		.help = "An application: where clients connect to, and the "
			"upstreams that serve them."},
	{.name = "client",
		.kind = &lbp_config_clients,
		.section = &lbp_config_client_section,
		.accepts = "at most 100000 tables, [[client]]",
		.help = "Who may use which application. Nobody else is "
			"admitted. A client has at least one of serials, uris "
			"and dns; a certificate that fits two clients is "
			"refused."},
};

const struct lbp_config_section lbp_config_root_section = {
	"", root_keys, LEN(root_keys), &lbp_config_defaults};

/* Only the last of these keys. */
static const struct lbp_config_section included_section = {
	"", &root_keys[LEN(root_keys) - 1], 1, NULL};

static const struct lbp_toml_pos root_pos = {1, 1};

const struct lbp_config lbp_config_defaults = {
	.event_loop = LBP_EVENT_LOOP_AUTO,
	.max_connections = 400,
	.max_handshakes = 256,
	.min_version = LBP_TLS_1_2,
	/* What every client supports, at 0.1 ms each. [SRV-62]. */
	.groups = {.ptr = "X25519:P-256"},
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
	*config = lbp_config_defaults;
	reader->config = config;
	(void)lbp_config_read_keys(reader, &lbp_config_root_section, root,
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
