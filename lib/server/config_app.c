#include "server/config_app.h"

#include <string.h>

#include "base.h"
#include "server/config_errors.h"
#include "server/config_field.h"
#include "server/config_state.h"
#include "server/config_upstream.h"
#include "server/config_writer.h"

#define AT(member)         offsetof(struct lbp_config_app, member)
#define HEALTH_AT(member)  offsetof(struct lbp_health_options, member)
#define LIMIT_AT(member)   offsetof(struct lbp_limits, member)
#define TIMEOUT_AT(member) offsetof(struct lbp_config_timeouts, member)
#define LEN(array)         (sizeof(array) / sizeof((array)[0]))

enum {
	RUN_MAX = 1000,
	COUNT_MAX = 1000000,
	NETWORKS_MAX = 1024,
};

static const struct lbp_config_key limit_keys[] = {
	{.name = "concurrent",
		.kind = &lbp_config_integer,
		.offset = LIMIT_AT(concurrent),
		.min = 1,
		.max = COUNT_MAX,
		.help = "Sessions of one client open at once.",
		.unset = "no cap",
		.example = "100"},
	{.name = "connections",
		.kind = &lbp_config_integer,
		.offset = LIMIT_AT(connections),
		.min = 1,
		.max = COUNT_MAX,
		.help = "Sessions of one client admitted in any window of "
			"time.",
		.unset = "no rate",
		.example = "200"},
	{.name = "window",
		.kind = &lbp_config_duration,
		.offset = LIMIT_AT(window_ns),
		.accepts = LBP_CONFIG_DURATION,
		.help = "The length of that window."},
};

static const struct lbp_config_key timeout_keys[] = {
	{.name = "connect",
		.kind = &lbp_config_duration,
		.offset = TIMEOUT_AT(connect_ns),
		.accepts = LBP_CONFIG_DURATION,
		.help = "As in [timeouts].",
		.unset = "that of [timeouts]",
		.example = "\"3s\""},
	{.name = "idle",
		.kind = &lbp_config_duration_or_off,
		.offset = TIMEOUT_AT(idle_ns),
		.accepts = LBP_CONFIG_DURATION_OR_OFF,
		.help = "As in [timeouts].",
		.unset = "that of [timeouts]",
		.example = "\"1h\""},
	{.name = "lifetime",
		.kind = &lbp_config_duration_or_off,
		.offset = TIMEOUT_AT(lifetime_ns),
		.accepts = LBP_CONFIG_DURATION_OR_OFF,
		.help = "As in [timeouts].",
		.unset = "that of [timeouts]",
		.example = "\"24h\""},
};

/* What it does not give is inherited. */
const struct lbp_config_section lbp_config_app_timeouts_section = {
	"app.timeouts", timeout_keys, LEN(timeout_keys), NULL};

static const struct lbp_config_key health_keys[] = {
	{.name = "enabled",
		.kind = &lbp_config_boolean,
		.offset = HEALTH_AT(enabled),
		.accepts = "true or false",
		.help = "Whether upstreams are checked. Without checks they "
			"are always up."},
	{.name = "interval",
		.kind = &lbp_config_duration,
		.offset = HEALTH_AT(interval_ns),
		.accepts = LBP_CONFIG_DURATION,
		.help = "Between two checks of one upstream."},
	{.name = "timeout",
		.kind = &lbp_config_duration,
		.offset = HEALTH_AT(timeout_ns),
		.accepts = LBP_CONFIG_DURATION,
		.help = "How long a check may take."},
	{.name = "rise",
		.kind = &lbp_config_integer,
		.offset = HEALTH_AT(rise),
		.min = 1,
		.max = RUN_MAX,
		.help = "Successful checks in a row that bring an upstream "
			"back."},
	{.name = "fall",
		.kind = &lbp_config_integer,
		.offset = HEALTH_AT(fall),
		.min = 1,
		.max = RUN_MAX,
		.help = "Failures in a row, of checks and real dials alike, "
			"that take an upstream down."},
};

static const struct lbp_config_app app_defaults = {
	.limits = {.window_ns = 60 * LBP_NS_PER_S},
	.health = {.enabled = true,
		.interval_ns = 2 * LBP_NS_PER_S,
		.timeout_ns = LBP_NS_PER_S,
		.rise = 2,
		.fall = 3},
};

const struct lbp_config_section lbp_config_limits_section = {
	"app.limits", limit_keys, LEN(limit_keys), &app_defaults.limits};

const struct lbp_config_section lbp_config_health_section = {
	"app.health", health_keys, LEN(health_keys), &app_defaults.health};

static void read_listen(
	struct lbp_config_reader *reader, const struct lbp_config_field *field)
{
	struct lbp_config_app *app = field->out;
	const struct lbp_toml_array *array =
		lbp_config_expect_array(reader, field, LBP_TOML_STRING);

	if (array == NULL)
		return;
	app->listen = lbp_config_alloc(
		reader, &reader->kept, array->len, sizeof(*app->listen));
	if (app->listen == NULL)
		return;
	app->listen_len = array->len;
	for (size_t i = 0; i < array->len; i++) {
		if (array->items[i].type == LBP_TOML_STRING)
			lbp_config_keep_address(reader, field, &array->items[i],
				"app.listen", &app->listen[i]);
	}
}

static void read_accept_proxy(
	struct lbp_config_reader *reader, const struct lbp_config_field *field)
{
	struct lbp_config_app *app = field->out;
	const struct lbp_toml_array *array =
		lbp_config_expect_array(reader, field, LBP_TOML_STRING);

	if (array == NULL)
		return;
	app->accept_proxy = lbp_config_alloc(
		reader, &reader->kept, array->len, sizeof(*app->accept_proxy));
	if (app->accept_proxy == NULL)
		return;
	app->accept_proxy_len = array->len;
	for (size_t i = 0; i < array->len; i++) {
		const struct lbp_toml_value *item = &array->items[i];
		const char *wrong;

		if (item->type != LBP_TOML_STRING)
			continue;
		wrong = lbp_network_parse(&app->accept_proxy[i],
			item->as.string.ptr, item->as.string.len);
		if (wrong != NULL)
			lbp_config_reject(reader, field, item, wrong);
	}
}

static void read_protocol(struct lbp_config_reader *reader,
	const struct lbp_config_field *field, const struct lbp_toml_value *item)
{
	struct lbp_config_app *app = field->out;
	const char *text = item->as.string.ptr;
	size_t len = item->as.string.len;
	const char *wrong = lbp_config_check_text(text, len);

	if (wrong == NULL && !lbp_alpn_add(&app->alpn, text, len))
		wrong = "there is no room for it in 255 bytes";
	if (wrong != NULL)
		lbp_config_reject(reader, field, item, wrong);
	else
		lbp_config_names_add_string(
			reader, &reader->protocols, "app.alpn", item, 0);
}

static void read_alpn(
	struct lbp_config_reader *reader, const struct lbp_config_field *field)
{
	const struct lbp_toml_array *array =
		lbp_config_expect_array(reader, field, LBP_TOML_STRING);

	if (array == NULL)
		return;
	reader->protocols.len = 0;
	for (size_t i = 0; i < array->len; i++) {
		if (array->items[i].type == LBP_TOML_STRING)
			read_protocol(reader, field, &array->items[i]);
	}
	(void)lbp_config_names_unique(reader, &reader->protocols);
}

static void read_limits(
	struct lbp_config_reader *reader, const struct lbp_config_field *field)
{
	struct lbp_config_app *app = field->out;

	if (lbp_config_expect(reader, field, field->value, LBP_TOML_TABLE))
		lbp_config_read_limits(reader, "app.limits", field->value,
			&app->limits, &app->limit_places);
}

static const char *const unclean_ends[] = {"reset", "end", NULL};

static const struct lbp_config_kind listen_kind = {.read = read_listen,
	.write = lbp_config_write_listen,
	.shape = LBP_CONFIG_ARRAY,
	.schema = LBP_CONFIG_SCHEMA_ADDRESS};
static const struct lbp_config_kind networks = {.read = read_accept_proxy,
	.write = lbp_config_write_networks,
	.shape = LBP_CONFIG_ARRAY,
	.schema = LBP_CONFIG_SCHEMA_TEXT};
static const struct lbp_config_kind alpn = {.read = read_alpn,
	.write = lbp_config_write_alpn,
	.shape = LBP_CONFIG_ARRAY,
	.schema = LBP_CONFIG_SCHEMA_TEXT};
static const struct lbp_config_kind limits = {
	.read = read_limits, .shape = LBP_CONFIG_TABLE};

static const struct lbp_config_key app_keys[] = {
	{.name = "id",
		.kind = &lbp_config_id,
		.offset = AT(id),
		.required = true,
		.accepts = "a unique name of " LBP_CONFIG_ID,
		.help = "What logs and metrics call it.",
		.example = "\"echo\""},
	{.name = "listen",
		.kind = &listen_kind,
		.required = true,
		.accepts = "an array of one or more " LBP_CONFIG_ADDRESS,
		.help = "Where clients connect to.",
		.example = "[\"127.0.0.1:9001\"]"},
	{.name = "proxy_protocol",
		.kind = &lbp_config_boolean,
		.offset = AT(proxy_protocol),
		.accepts = "true or false",
		.help = "Whether each connection to an upstream begins with a "
			"PROXY v2 header; see lbproxyd(8)."},
	{.name = "accept_proxy",
		.kind = &networks,
		.max = NETWORKS_MAX,
		.accepts = "an array of at most 1024 networks, "
			   "\"10.0.0.0/8\" or an address",
		.help = "Balancers in front, whose connections have to begin "
			"with a PROXY header, of version 1 or 2, which is "
			"believed; see lbproxyd(8).",
		.example = "[\"10.0.0.0/8\"]"},
	{.name = "alpn",
		.kind = &alpn,
		.max = LBP_ALPN_NAMES_MAX,
		.accepts = "an array of at most 16 names of protocols, such "
			   "as \"h2\"",
		.help = "The protocols that clients may speak, the most wanted "
			"one first: of those that a client offers (ALPN) the "
			"first one is chosen. A client that offers none of "
			"them is refused; one that offers nothing is served. "
			"Without any, ALPN is ignored.",
		.example = "[\"h2\", \"http/1.1\"]"},
	{.name = "unclean_end",
		.kind = &lbp_config_choice,
		.offset = AT(unclean_end),
		.choices = unclean_ends,
		.help = "What a TCP end without close_notify counts as. With "
			"end, whoever can cut a connection can make a stream "
			"look complete that is not."},
	{.name = "timeouts",
		.kind = &lbp_config_table,
		.offset = AT(timeouts),
		.section = &lbp_config_app_timeouts_section,
		.accepts = "a table with connect, idle and lifetime",
		.help = "In the place of those in [timeouts]."},
	{.name = "limits",
		.kind = &limits,
		.section = &lbp_config_limits_section,
		.accepts = "a table with concurrent, connections and window",
		.help = "For each client of the app."},
	{.name = "health",
		.kind = &lbp_config_table,
		.offset = AT(health),
		.section = &lbp_config_health_section,
		.accepts = "a table, [app.health]",
		.help = "Active checks of the upstreams."},
	{.name = "upstream",
		.kind = &lbp_config_upstreams,
		.required = true,
		.max = LBP_UPSTREAMS_MAX,
		.section = &lbp_config_upstream_section,
		.accepts = "1 to 1024 tables, [[app.upstream]]",
		.help = "What serves the app."},
};

const struct lbp_config_section lbp_config_app_section = {
	"app", app_keys, LEN(app_keys), &app_defaults};

static struct lbp_config_pos place_of(const struct lbp_config_reader *reader,
	const struct lbp_toml_table *table, const char *name)
{
	const struct lbp_toml_entry *entry =
		lbp_toml_get(table, name, strlen(name));

	return entry == NULL ? (struct lbp_config_pos){.line = 0}
			     : lbp_config_pos(reader, entry->value.pos);
}

void lbp_config_read_limits(struct lbp_config_reader *reader, const char *path,
	const struct lbp_toml_value *value, struct lbp_limits *out,
	struct lbp_config_limit_places *places)
{
	struct lbp_config_section section = lbp_config_limits_section;

	section.path = path;
	(void)lbp_config_read_keys(reader, &section, value->as.table,
		lbp_config_pos(reader, value->pos), out);
	places->concurrent = place_of(reader, value->as.table, "concurrent");
	places->connections = place_of(reader, value->as.table, "connections");
	places->window = place_of(reader, value->as.table, "window");
}

static void read_apps(
	struct lbp_config_reader *reader, const struct lbp_config_field *field)
{
	struct lbp_config *config = reader->config;
	const struct lbp_toml_array *array =
		lbp_config_expect_array(reader, field, LBP_TOML_TABLE);

	if (array == NULL)
		return;
	config->apps = lbp_config_alloc(
		reader, &reader->kept, array->len, sizeof(*config->apps));
	if (config->apps == NULL)
		return;
	config->app_len = array->len;
	for (size_t i = 0; i < array->len; i++) {
		const struct lbp_toml_value *item = &array->items[i];

		if (item->type != LBP_TOML_TABLE)
			continue;
		config->apps[i] = app_defaults;
		config->apps[i].timeouts = config->timeouts;
		(void)lbp_config_read_keys(reader, &lbp_config_app_section,
			item->as.table, lbp_config_pos(reader, item->pos),
			&config->apps[i]);
		lbp_config_names_add_id(reader, &reader->app_ids, "app.id",
			&config->apps[i].id, (uint32_t)i);
	}
	reader->apps_known =
		lbp_config_names_unique(reader, &reader->app_ids) &&
		reader->app_ids.len == array->len;
}

const struct lbp_config_kind lbp_config_apps = {
	.read = read_apps, .shape = LBP_CONFIG_TABLES};
