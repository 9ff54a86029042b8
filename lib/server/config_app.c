#include "server/config_app.h"

#include <string.h>

#include "base.h"
#include "server/config_errors.h"
#include "server/config_field.h"
#include "server/config_state.h"

#define AT(member)          offsetof(struct lbp_config_app, member)
#define HEALTH_AT(member)   offsetof(struct lbp_health_options, member)
#define LIMIT_AT(member)    offsetof(struct lbp_limits, member)
#define TIMEOUT_AT(member)  offsetof(struct lbp_config_timeouts, member)
#define UPSTREAM_AT(member) offsetof(struct lbp_config_upstream, member)
#define LEN(array)          (sizeof(array) / sizeof((array)[0]))

enum {
	RUN_MAX = 1000,
	COUNT_MAX = 1000000,
	NETWORKS_MAX = 1024,
};

static const struct lbp_config_key limit_keys[] = {
	{.name = "concurrent",
		.read = lbp_config_read_integer,
		.offset = LIMIT_AT(concurrent),
		.min = 1,
		.max = COUNT_MAX},
	{.name = "connections",
		.read = lbp_config_read_integer,
		.offset = LIMIT_AT(connections),
		.min = 1,
		.max = COUNT_MAX},
	{.name = "window",
		.read = lbp_config_read_duration,
		.offset = LIMIT_AT(window_ns),
		.accepts = LBP_CONFIG_DURATION},
};

static const struct lbp_config_key timeout_keys[] = {
	{.name = "connect",
		.read = lbp_config_read_duration,
		.offset = TIMEOUT_AT(connect_ns),
		.accepts = LBP_CONFIG_DURATION},
	{.name = "idle",
		.read = lbp_config_read_duration_or_off,
		.offset = TIMEOUT_AT(idle_ns),
		.accepts = LBP_CONFIG_DURATION_OR_OFF},
	{.name = "lifetime",
		.read = lbp_config_read_duration_or_off,
		.offset = TIMEOUT_AT(lifetime_ns),
		.accepts = LBP_CONFIG_DURATION_OR_OFF},
};

static const struct lbp_config_section timeouts_section = {
	"app.timeouts", timeout_keys, LEN(timeout_keys)};

static const struct lbp_config_key health_keys[] = {
	{.name = "enabled",
		.read = lbp_config_read_boolean,
		.offset = HEALTH_AT(enabled),
		.accepts = "true or false"},
	{.name = "interval",
		.read = lbp_config_read_duration,
		.offset = HEALTH_AT(interval_ns),
		.accepts = LBP_CONFIG_DURATION},
	{.name = "timeout",
		.read = lbp_config_read_duration,
		.offset = HEALTH_AT(timeout_ns),
		.accepts = LBP_CONFIG_DURATION},
	{.name = "rise",
		.read = lbp_config_read_integer,
		.offset = HEALTH_AT(rise),
		.min = 1,
		.max = RUN_MAX},
	{.name = "fall",
		.read = lbp_config_read_integer,
		.offset = HEALTH_AT(fall),
		.min = 1,
		.max = RUN_MAX},
};

static const struct lbp_config_section health_section = {
	"app.health", health_keys, LEN(health_keys)};

static void read_url(
	struct lbp_config_reader *reader, const struct lbp_config_field *field)
{
	const struct lbp_toml_value *value = field->value;
	struct lbp_config_upstream *upstream = field->out;
	struct lbp_config_parts parts;
	const char *wrong;

	if (!lbp_config_expect(reader, field, value, LBP_TOML_STRING))
		return;
	wrong = lbp_config_split_url(
		value->as.string.ptr, value->as.string.len, &parts);
	if (wrong != NULL) {
		lbp_config_reject(reader, field, value, wrong);
		return;
	}
	lbp_config_keep_text(reader, value, &upstream->url);
	lbp_config_keep_parts(reader, &parts, value->pos, &upstream->address);
	upstream->tls = parts.tls;
	upstream->is_unix = parts.is_unix;
	lbp_config_names_add_parts(
		reader, &reader->urls, "app.upstream.url", value, &parts);
}

static const struct lbp_config_key upstream_keys[] = {
	{.name = "url",
		.read = read_url,
		.required = true,
		.accepts = "\"tcp://host:port\", \"tls://host:port\" (IPv6 in "
			   "brackets) or \"unix:/path\""},
	{.name = "weight",
		.read = lbp_config_read_integer,
		.offset = UPSTREAM_AT(weight),
		.min = 1,
		.max = LBP_WEIGHT_MAX},
	{.name = "max_connections",
		.read = lbp_config_read_integer,
		.offset = UPSTREAM_AT(max_connections),
		.max = COUNT_MAX},
	{.name = "backup",
		.read = lbp_config_read_boolean,
		.offset = UPSTREAM_AT(backup),
		.accepts = "true or false"},
	{.name = "ca",
		.read = lbp_config_read_text,
		.offset = UPSTREAM_AT(ca),
		.accepts = "the path of the PEM file with the upstream's CA"},
	{.name = "server_name",
		.read = lbp_config_read_host,
		.offset = UPSTREAM_AT(server_name),
		.accepts = "the DNS name or IP address in the upstream's "
			   "certificate"},
	{.name = "certificate",
		.read = lbp_config_read_text,
		.offset = UPSTREAM_AT(certificate),
		.accepts = "the path of the PEM file with the proxy's client "
			   "certificate"},
	{.name = "private_key",
		.read = lbp_config_read_text,
		.offset = UPSTREAM_AT(private_key),
		.accepts = "the path of the PEM file with the proxy's client "
			   "key"},
};

static const struct lbp_config_section upstream_section = {
	"app.upstream", upstream_keys, LEN(upstream_keys)};

static void report(struct lbp_config_reader *reader, struct lbp_toml_pos pos,
	const char *name, const char *what)
{
	struct lbp_config_message message = {.len = 0};

	lbp_config_say(&message, "app.upstream.%s %s", name, what);
	lbp_config_add_error(reader, lbp_config_pos(reader, pos), &message);
}

static void check_plain(struct lbp_config_reader *reader,
	const struct lbp_toml_table *table,
	const struct lbp_config_upstream *upstream)
{
	static const char *const tls_keys[] = {
		"ca", "server_name", "certificate", "private_key"};

	for (size_t i = 0; i < LEN(tls_keys); i++) {
		const struct lbp_toml_entry *entry =
			lbp_toml_get(table, tls_keys[i], strlen(tls_keys[i]));

		if (entry != NULL)
			report(reader, entry->pos, tls_keys[i],
				upstream->is_unix
					? "is accepted only with a tls:// url, "
					  "and this one is unix:"
					: "is accepted only with a tls:// url, "
					  "and this one is tcp://");
	}
}

/* Returns true if this key of an upstream is not missing. */
static bool is_given(uint32_t given, const char *name)
{
	size_t i = 0;

	while (strcmp(upstream_keys[i].name, name) != 0)
		i++;
	return (given >> i & 1) != 0;
}

static void check_tls(struct lbp_config_reader *reader,
	const struct lbp_toml_value *item, uint32_t given,
	struct lbp_config_upstream *upstream)
{
	const struct lbp_toml_table *table = item->as.table;
	const struct lbp_toml_entry *certificate =
		lbp_toml_get(table, "certificate", strlen("certificate"));
	const struct lbp_toml_entry *private_key =
		lbp_toml_get(table, "private_key", strlen("private_key"));

	if (!is_given(given, "ca"))
		report(reader, item->pos, "ca",
			"is required with a tls:// url: the path of the PEM "
			"file with the upstream's CA");
	if (certificate != NULL && !is_given(given, "private_key"))
		report(reader, certificate->pos, "certificate",
			"must come with private_key, the path of its key");
	if (private_key != NULL && !is_given(given, "certificate"))
		report(reader, private_key->pos, "private_key",
			"must come with certificate, the path of its "
			"certificate");
	if (upstream->server_name.ptr == NULL)
		upstream->server_name.ptr = upstream->address.host;
}

static void read_upstreams(
	struct lbp_config_reader *reader, const struct lbp_config_field *field)
{
	struct lbp_config_app *app = field->out;
	const struct lbp_toml_array *array =
		lbp_config_expect_array(reader, field, LBP_TOML_TABLE);

	if (array == NULL)
		return;
	app->upstreams = lbp_config_alloc(
		reader, &reader->kept, array->len, sizeof(*app->upstreams));
	if (app->upstreams == NULL)
		return;
	app->upstream_len = array->len;
	reader->urls.len = 0;
	for (size_t i = 0; i < array->len; i++) {
		struct lbp_config_upstream *upstream = &app->upstreams[i];
		const struct lbp_toml_value *item = &array->items[i];
		uint32_t given;

		if (item->type != LBP_TOML_TABLE)
			continue;
		upstream->weight = 1;
		given = lbp_config_read_keys(reader, &upstream_section,
			item->as.table, lbp_config_pos(reader, item->pos),
			upstream);
		if (upstream->url.ptr == NULL)
			continue;
		if (upstream->tls)
			check_tls(reader, item, given, upstream);
		else
			check_plain(reader, item->as.table, upstream);
	}
	(void)lbp_config_names_unique(reader, &reader->urls);
}

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

static const struct lbp_config_key app_keys[] = {
	{.name = "id",
		.read = lbp_config_read_id,
		.offset = AT(id),
		.required = true,
		.accepts = "a unique name of " LBP_CONFIG_ID},
	{.name = "listen",
		.read = read_listen,
		.required = true,
		.accepts = "an array of one or more " LBP_CONFIG_ADDRESS},
	{.name = "proxy_protocol",
		.read = lbp_config_read_boolean,
		.offset = AT(proxy_protocol),
		.accepts = "true or false"},
	{.name = "accept_proxy",
		.read = read_accept_proxy,
		.max = NETWORKS_MAX,
		.accepts = "an array of at most 1024 networks, "
			   "\"10.0.0.0/8\" or an address"},
	{.name = "alpn",
		.read = read_alpn,
		.max = LBP_ALPN_NAMES_MAX,
		.accepts = "an array of at most 16 names of protocols, such "
			   "as \"h2\""},
	{.name = "unclean_end",
		.read = lbp_config_read_choice,
		.offset = AT(unclean_end),
		.choices = unclean_ends},
	{.name = "timeouts",
		.read = lbp_config_read_table,
		.offset = AT(timeouts),
		.section = &timeouts_section,
		.accepts = "a table with connect, idle and lifetime"},
	{.name = "limits",
		.read = read_limits,
		.accepts = "a table with concurrent, connections and window"},
	{.name = "health",
		.read = lbp_config_read_table,
		.offset = AT(health),
		.section = &health_section,
		.accepts = "a table, [app.health]"},
	{.name = "upstream",
		.read = read_upstreams,
		.required = true,
		.max = LBP_UPSTREAMS_MAX,
		.accepts = "1 to 1024 tables, [[app.upstream]]"},
};

static const struct lbp_config_section app_section = {
	"app", app_keys, LEN(app_keys)};

static const struct lbp_config_app app_defaults = {
	.limits = {.window_ns = 60 * LBP_NS_PER_S},
	.health = {.enabled = true,
		.interval_ns = 2 * LBP_NS_PER_S,
		.timeout_ns = LBP_NS_PER_S,
		.rise = 2,
		.fall = 3},
};

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
	const struct lbp_config_section section = {
		path, limit_keys, LEN(limit_keys)};

	(void)lbp_config_read_keys(reader, &section, value->as.table,
		lbp_config_pos(reader, value->pos), out);
	places->concurrent = place_of(reader, value->as.table, "concurrent");
	places->window = place_of(reader, value->as.table, "window");
}

void lbp_config_read_apps(
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
		(void)lbp_config_read_keys(reader, &app_section, item->as.table,
			lbp_config_pos(reader, item->pos), &config->apps[i]);
		lbp_config_names_add_id(reader, &reader->app_ids, "app.id",
			&config->apps[i].id, (uint32_t)i);
	}
	reader->apps_known =
		lbp_config_names_unique(reader, &reader->app_ids) &&
		reader->app_ids.len == array->len;
}
