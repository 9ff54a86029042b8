/* Reading [[app.upstream]]. [CFG-27], [CFG-28]. */
#include "server/config_upstream.h"

#include <string.h>

#include "server/config_errors.h"
#include "server/config_field.h"
#include "server/config_state.h"
#include "server/config_writer.h"

#define AT(member) offsetof(struct lbp_config_upstream, member)
#define LEN(array) (sizeof(array) / sizeof((array)[0]))

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

static bool write_url(struct lbp_config_writer *writer,
	const struct lbp_config_key *key, const void *in)
{
	const struct lbp_config_upstream *upstream = in;

	return lbp_config_write_text(writer, key, &upstream->url);
}

static const struct lbp_config_kind url = {.read = read_url,
	.write = write_url,
	.schema = "\"type\": \"string\", \"pattern\": "
		  "\"^((tcp|tls)://.+:[1-9][0-9]{0,4}|unix:/.+)$\""};

static const struct lbp_config_key upstream_keys[] = {
	{.name = "url",
		.kind = &url,
		.required = true,
		.accepts = "\"tcp://host:port\", \"tls://host:port\" (IPv6 in "
			   "brackets) or \"unix:/path\"",
		.help = "Where it is. The path of a unix socket is absolute "
			"and has at most 107 bytes; such an upstream cannot "
			"see that a client broke off, for the kernel has no "
			"resets for unix sockets.",
		.example = "\"tcp://127.0.0.1:7001\""},
	{.name = "weight",
		.kind = &lbp_config_integer,
		.offset = AT(weight),
		.min = 1,
		.max = LBP_WEIGHT_MAX,
		.help = "Its share of the connections: the upstream with the "
			"fewest for its weight is chosen."},
	{.name = "max_connections",
		.kind = &lbp_config_integer,
		.offset = AT(max_connections),
		.max = 1000000,
		.help = "Connections that it may have, those being dialed "
			"included; 0 is no bound. At its bound it is not "
			"chosen, which neither counts against its health nor "
			"makes the server unready."},
	{.name = "backup",
		.kind = &lbp_config_boolean,
		.offset = AT(backup),
		.accepts = "true or false",
		.help = "Whether it is chosen only while every other upstream "
			"is down or at its bound, or has been tried for this "
			"session."},
	{.name = "ca",
		.kind = &lbp_config_text,
		.offset = AT(ca),
		.accepts = "the path of the PEM file with the upstream's CA",
		.help = "The CA that a tls:// upstream is verified against; "
			"required for it, and accepted with no other.",
		.example = "\"upstream-ca.pem\""},
	{.name = "server_name",
		.kind = &lbp_config_host,
		.offset = AT(server_name),
		.accepts = "the DNS name or IP address in the upstream's "
			   "certificate",
		.help = "The name that is verified, and sent as SNI.",
		.unset = "the url's host",
		.example = "\"db.internal\""},
	{.name = "certificate",
		.kind = &lbp_config_text,
		.offset = AT(certificate),
		.accepts = "the path of the PEM file with the proxy's client "
			   "certificate",
		.help = "The proxy's own certificate for a tls:// upstream.",
		.example = "\"proxy-client.pem\""},
	{.name = "private_key",
		.kind = &lbp_config_text,
		.offset = AT(private_key),
		.accepts = "the path of the PEM file with the proxy's client "
			   "key",
		.help = "The key of that certificate.",
		.example = "\"proxy-client.key\""},
};

static const struct lbp_config_upstream upstream_defaults = {.weight = 1};

const struct lbp_config_section lbp_config_upstream_section = {
	"app.upstream", upstream_keys, LEN(upstream_keys), &upstream_defaults};

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
		*upstream = upstream_defaults;
		given = lbp_config_read_keys(reader,
			&lbp_config_upstream_section, item->as.table,
			lbp_config_pos(reader, item->pos), upstream);
		if (upstream->url.ptr == NULL)
			continue;
		if (upstream->tls)
			check_tls(reader, item, given, upstream);
		else
			check_plain(reader, item->as.table, upstream);
	}
	(void)lbp_config_names_unique(reader, &reader->urls);
}

const struct lbp_config_kind lbp_config_upstreams = {
	.read = read_upstreams, .shape = LBP_CONFIG_TABLES};
