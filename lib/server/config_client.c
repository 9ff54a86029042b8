#include "server/config_client.h"

#include <string.h>

#include "server/config_app.h"
#include "server/config_errors.h"
#include "server/config_field.h"
#include "server/config_identity.h"
#include "server/config_state.h"
#include "server/config_writer.h"

#define LEN(array) (sizeof(array) / sizeof((array)[0]))

enum {
	CLIENTS_MAX = 100000, /* in all files together */
};

/* The clients of a file. */
struct lbp_config_client_list {
	const struct lbp_toml_array *array;
	uint32_t file;
	struct lbp_config_client_list *next;
};

/* Adds the grant of the app that value names, if there is one. */
static void read_grant(struct lbp_config_reader *reader,
	const struct lbp_toml_value *value, struct lbp_config_client *client)
{
	const struct lbp_config_name *app =
		lbp_config_names_find(&reader->app_ids, value->as.string);
	struct lbp_config_message message = {.len = 0};

	if (app != NULL) {
		lbp_config_names_add_string(reader, &reader->client_apps,
			"client.apps", value, (uint32_t)client->grant_len);
		client->grants[client->grant_len++] = (struct lbp_config_grant){
			.app = app->index,
			.pos = lbp_config_pos(reader, value->pos),
			.limits = reader->config->apps[app->index].limits};
		return;
	}
	lbp_config_names_add_string(
		reader, &reader->client_unknown, "client.apps", value, 0);
	/* It may be the id of an app whose own has an error. [CFG-33]. */
	if (!reader->apps_known)
		return;
	lbp_config_say(&message, "client.apps: no app has the id ");
	lbp_config_say_quoted(&message, value->as.string);
	(void)lbp_config_say_nearest(
		reader, &message, value->as.string, &reader->app_ids);
	lbp_config_add_error(
		reader, lbp_config_pos(reader, value->pos), &message);
}

static void read_grants(
	struct lbp_config_reader *reader, const struct lbp_config_field *field)
{
	struct lbp_config_client *client = field->out;
	const struct lbp_toml_array *array =
		lbp_config_expect_array(reader, field, LBP_TOML_STRING);

	if (array == NULL)
		return;
	client->grants = lbp_config_alloc(
		reader, &reader->kept, array->len, sizeof(*client->grants));
	if (client->grants == NULL)
		return;
	for (size_t i = 0; i < array->len; i++) {
		if (array->items[i].type == LBP_TOML_STRING)
			read_grant(reader, &array->items[i], client);
	}
	reader->client_apps_known = client->grant_len == array->len;
	(void)lbp_config_names_unique(reader, &reader->client_apps);
	lbp_config_names_sort(&reader->client_unknown);
}

static void report_no_grant(
	struct lbp_config_reader *reader, const struct lbp_toml_entry *entry)
{
	struct lbp_config_message message = {.len = 0};

	lbp_config_say(&message, "client.limits: ");
	lbp_config_say_quoted(&message, entry->key);
	lbp_config_say(&message, " is not one of this client's apps");
	(void)lbp_config_say_nearest(
		reader, &message, entry->key, &reader->client_apps);
	lbp_config_add_error(
		reader, lbp_config_pos(reader, entry->pos), &message);
}

/* Returns true if an error in the client's apps may mean this app. [CFG-33]. */
static bool may_be_meant(
	const struct lbp_config_reader *reader, struct lbp_toml_string app)
{
	if (reader->client_apps_known)
		return false;
	return !reader->apps_known || reader->client_apps.len == 0 ||
	       lbp_config_names_find(&reader->app_ids, app) != NULL ||
	       lbp_config_names_find(&reader->client_unknown, app) != NULL;
}

/* Reads the limits for one app over those of its grant, if it has one. */
static void read_override(struct lbp_config_reader *reader,
	const struct lbp_config_field *field,
	const struct lbp_toml_entry *entry, struct lbp_config_client *client)
{
	const struct lbp_config_name *app =
		lbp_config_names_find(&reader->client_apps, entry->key);
	struct lbp_config_message path = {.len = 0};
	struct lbp_config_grant nowhere = {.app = 0};
	struct lbp_config_grant *grant = &nowhere;

	if (!lbp_config_expect(reader, field, &entry->value, LBP_TOML_TABLE))
		return;
	if (app == NULL && !may_be_meant(reader, entry->key))
		report_no_grant(reader, entry);
	if (app != NULL)
		grant = &client->grants[app->index];
	lbp_config_say(&path, "client.limits.");
	lbp_config_say_escaped(&path, entry->key);
	lbp_config_read_limits(reader, path.text, &entry->value, &grant->limits,
		&grant->limit_places);
	if (app != NULL && grant->limits.connections != 0)
		reader->config->apps[grant->app].is_rated = true;
}

static void read_overrides(
	struct lbp_config_reader *reader, const struct lbp_config_field *field)
{
	const struct lbp_toml_table *table;

	if (!lbp_config_expect(reader, field, field->value, LBP_TOML_TABLE))
		return;
	table = field->value->as.table;
	for (size_t i = 0; i < table->len; i++)
		read_override(reader, field, &table->entries[i], field->out);
}

/* Where the keys with names are. */
enum {
	SERIALS = 1,
	DNS = 3,
};

static bool write_grants(struct lbp_config_writer *writer,
	const struct lbp_config_key *key, const void *in)
{
	const struct lbp_config_client *client = in;

	(void)key;
	for (size_t i = 0; i < client->grant_len; i++) {
		const char *id =
			writer->config->apps[client->grants[i].app].id.ptr;

		lbp_config_put(writer, i == 0 ? "[" : ", ");
		lbp_config_put_string(writer, id, strlen(id));
	}
	lbp_config_put(writer, "]");
	return true;
}

static const struct lbp_config_kind grants = {.read = read_grants,
	.write = write_grants,
	.shape = LBP_CONFIG_ARRAY,
	.schema = LBP_CONFIG_SCHEMA_ID};
static const struct lbp_config_kind overrides = {
	.read = read_overrides, .shape = LBP_CONFIG_MAP};

/* limits comes after apps, to which it refers. */
static const struct lbp_config_key client_keys[] = {
	{.name = "id",
		.kind = &lbp_config_id,
		.offset = offsetof(struct lbp_config_client, id),
		.required = true,
		.accepts = "a unique name of " LBP_CONFIG_ID,
		.help = "What logs and metrics call it.",
		.example = "\"alice\""},
	{.name = "serials",
		.kind = &lbp_config_serials,
		.is_one_of = true,
		.accepts = "an array of one or more serial numbers, each hex "
			   "like \"1A:2B:3C\", positive and at most 20 octets",
		.help = "Serial numbers of its certificates. They are the "
			"first "
			"CA's, or, as \"ID/1A:2B\", those of the CA with this "
			"id. A second one lets a certificate be renewed "
			"without a gap.",
		.example = "[\"1A:2B:3C\"]"},
	{.name = "uris",
		.kind = &lbp_config_uris,
		.is_one_of = true,
		.accepts = "an array of URIs, each as in the certificate, like "
			   "\"spiffe://corp/alice\", at most 2048 characters",
		.help = "URIs among its certificate's subject alternative "
			"names, byte by byte. They stay when a certificate is "
			"renewed, while its serial does not. A certificate "
			"with a spiffe URI and any other URI is refused.",
		.example = "[\"spiffe://corp/alice\"]"},
	{.name = "dns",
		.kind = &lbp_config_dns,
		.is_one_of = true,
		.accepts = "an array of DNS names, each as in the certificate, "
			   "like \"alice.corp.example\", without a wildcard",
		.help = "DNS names among them, in either case. A wildcard in a "
			"certificate fits nobody, and the common name never "
			"counts.",
		.example = "[\"alice.corp.example\"]"},
	{.name = "apps",
		.kind = &grants,
		.required = true,
		.accepts = "an array of one or more app ids",
		.help = "The apps that it may use.",
		.example = "[\"echo\"]"},
	{.name = "limits",
		.kind = &overrides,
		.section = &lbp_config_limits_section,
		.accepts = "a table for each app, [client.limits.APP], with "
			   "concurrent, connections and window",
		.help = "Limits of one of its apps, each in the place of the "
			"app's."},
};

const struct lbp_config_section lbp_config_client_section = {
	"client", client_keys, LEN(client_keys), NULL};

/*
 * One name of a client will do, of whatever kind. Nothing is said of a client
 * with a name, or with an error in what was to be one. [CFG-11], [CFG-33].
 */
static void check_names(struct lbp_config_reader *reader,
	const struct lbp_toml_table *table, struct lbp_config_pos header,
	uint32_t given)
{
	struct lbp_config_field first = {.section = &lbp_config_client_section};

	for (size_t i = SERIALS; i <= DNS; i++) {
		const struct lbp_config_key *key = &client_keys[i];
		const struct lbp_toml_entry *entry =
			lbp_toml_get(table, key->name, strlen(key->name));

		if ((given >> i & 1) == 0)
			continue;
		if (entry == NULL || entry->value.type != LBP_TOML_ARRAY ||
			entry->value.as.array->len > 0)
			return;
		if (first.key == NULL) {
			first.key = key;
			first.value = &entry->value;
		}
	}
	if (first.key != NULL)
		lbp_config_reject_empty(reader, &first);
	else
		lbp_config_reject_missing(reader, &lbp_config_client_section,
			&client_keys[SERIALS], header,
			"; or client.uris or client.dns");
}

static void read_client(struct lbp_config_reader *reader,
	const struct lbp_toml_value *value, struct lbp_config_client *client)
{
	const struct lbp_toml_table *table = value->as.table;
	struct lbp_config_pos header = lbp_config_pos(reader, value->pos);
	uint32_t given;

	reader->client_apps_known = false;
	reader->client_apps.len = 0;
	reader->client_unknown.len = 0;
	given = lbp_config_read_keys(
		reader, &lbp_config_client_section, table, header, client);
	check_names(reader, table, header, given);
}

static void find_clients(
	struct lbp_config_reader *reader, const struct lbp_config_field *field)
{
	const struct lbp_toml_array *array =
		lbp_config_expect_array(reader, field, LBP_TOML_TABLE);
	size_t room = CLIENTS_MAX - reader->client_len;
	struct lbp_config_client_list *list;

	if (array == NULL || reader->has_too_many_clients)
		return;
	if (array->len > room) {
		reader->has_too_many_clients = true;
		lbp_config_reject_more(reader, field, &array->items[room]);
		return;
	}
	list = lbp_config_alloc(reader, &reader->scratch, 1, sizeof(*list));
	if (list == NULL)
		return;
	*list = (struct lbp_config_client_list){array, reader->file, NULL};
	*reader->next_clients = list;
	reader->next_clients = &list->next;
	reader->client_len += array->len;
}

/* Reads a file's clients into those that begin with number first. */
static void read_list(struct lbp_config_reader *reader,
	const struct lbp_config_client_list *list, size_t first)
{
	struct lbp_config_client *clients = &reader->config->clients[first];

	reader->file = list->file;
	for (size_t i = 0; i < list->array->len; i++) {
		const struct lbp_toml_value *item = &list->array->items[i];

		if (item->type != LBP_TOML_TABLE)
			continue;
		read_client(reader, item, &clients[i]);
		lbp_config_names_add_id(reader, &reader->client_ids,
			"client.id", &clients[i].id, (uint32_t)(first + i));
	}
}

void lbp_config_read_clients(struct lbp_config_reader *reader)
{
	struct lbp_config *config = reader->config;

	config->clients = lbp_config_alloc(reader, &reader->kept,
		reader->client_len, sizeof(*config->clients));
	if (config->clients == NULL)
		return;
	for (const struct lbp_config_client_list *list = reader->first_clients;
		list != NULL; list = list->next) {
		read_list(reader, list, config->client_len);
		config->client_len += list->array->len;
	}
	(void)lbp_config_names_unique(reader, &reader->client_ids);
}

const struct lbp_config_kind lbp_config_clients = {
	.read = find_clients, .shape = LBP_CONFIG_TABLES};
