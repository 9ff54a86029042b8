#include "server/config_show.h"

#include <string.h>

#include "server/config_app.h"
#include "server/config_ca.h"
#include "server/config_client.h"
#include "server/config_field.h"
#include "server/config_place.h"
#include "server/config_root.h"
#include "server/config_upstream.h"
#include "server/config_writer.h"

enum {
	COMMENT_COLUMN = 40,
};

struct show {
	struct lbp_config_writer writer;
	const struct lbp_config *config;
	const struct lbp_config_source *sources;
};

/* A table that is shown. */
struct scope {
	const struct lbp_config_section *section;
	const void *object;                 /* that it was read into */
	const struct lbp_toml_table *table; /* NULL: the text has none */
	uint32_t file;
	const struct scope *from; /* gives what it does not; NULL: nothing */
};

/* --- a key -------------------------------------------------------------- */

static void put_place(struct show *show, const struct scope *scope,
	const struct lbp_toml_entry *entry)
{
	lbp_config_put_escaped(&show->writer, show->sources[scope->file].name);
	lbp_config_put(&show->writer, ":");
	lbp_config_put_number(&show->writer, entry->value.pos.line);
}

static void put_inherited(
	struct show *show, const struct scope *from, const char *name)
{
	const struct lbp_toml_entry *entry =
		lbp_config_place_key(from->table, name);

	lbp_config_put(&show->writer, from->section->path);
	lbp_config_put(&show->writer, ", ");
	if (entry != NULL)
		put_place(show, from, entry);
	else
		lbp_config_put(&show->writer, "default");
}

static void put_origin(struct show *show, const struct scope *scope,
	const struct lbp_config_key *key)
{
	const struct lbp_toml_entry *entry =
		lbp_config_place_key(scope->table, key->name);

	lbp_config_put_indent(&show->writer, COMMENT_COLUMN);
	lbp_config_put(&show->writer, "# ");
	if (entry != NULL) {
		put_place(show, scope, entry);
	} else if (scope->from != NULL) {
		put_inherited(show, scope->from, key->name);
	} else {
		lbp_config_put(&show->writer, "default");
		if (key->unset != NULL) {
			lbp_config_put(&show->writer, ": ");
			lbp_config_put(&show->writer, key->unset);
		}
	}
	lbp_config_put(&show->writer, "\n");
}

static void discard(void *user, const char *text, size_t len)
{
	(void)user;
	(void)text;
	(void)len;
}

/* Is there a value that stands for what is stored? */
static bool has_value(const struct show *show, const struct lbp_config_key *key,
	const void *in)
{
	struct lbp_config_writer writer = {
		.put = discard, .config = show->config};

	return key->kind->write(&writer, key, in);
}

/* A window that nobody asked for, of no rate: loaded, it would be warned of. */
static bool is_idle(const struct scope *scope, const struct lbp_config_key *key)
{
	const struct lbp_limits *limits = scope->object;

	return scope->section == &lbp_config_limits_section &&
	       strcmp(key->name, "window") == 0 && limits->connections == 0 &&
	       lbp_config_place_key(scope->table, key->name) == NULL;
}

/* Several CAs have their lists in their tables. */
static bool is_elsewhere(
	const struct show *show, const struct lbp_config_key *key)
{
	return key->kind == &lbp_config_crl &&
	       show->config->cas[0].id.ptr != NULL;
}

static void show_absent(struct show *show, const struct lbp_config_key *key)
{
	if (key->unset == NULL)
		return;
	lbp_config_put(&show->writer, "# ");
	lbp_config_put(&show->writer, key->name);
	lbp_config_put(&show->writer, " is not set: ");
	lbp_config_put(&show->writer, key->unset);
	lbp_config_put(&show->writer, "\n");
}

static void show_key(struct show *show, const struct scope *scope,
	const struct lbp_config_key *key)
{
	const void *in = (const char *)scope->object + key->offset;

	if (key->kind->write == NULL || is_idle(scope, key) ||
		is_elsewhere(show, key))
		return;
	if (!has_value(show, key, in)) {
		/* What an upstream lacks, its url rules out. */
		if (scope->section != &lbp_config_upstream_section)
			show_absent(show, key);
		return;
	}
	lbp_config_put(&show->writer, key->name);
	lbp_config_put(&show->writer, " = ");
	(void)key->kind->write(&show->writer, key, in);
	put_origin(show, scope, key);
}

static void show_keys(struct show *show, const struct scope *scope)
{
	for (size_t i = 0; i < scope->section->len; i++)
		show_key(show, scope, &scope->section->keys[i]);
}

/* A table with a header: "\n[" and "]\n", or twice as many brackets. */
static void show_table(struct show *show, const struct scope *scope,
	const char *before, const char *after)
{
	lbp_config_put(&show->writer, before);
	lbp_config_put(&show->writer, scope->section->path);
	lbp_config_put(&show->writer, after);
	show_keys(show, scope);
}

/* --- tables ------------------------------------------------------------- */

static void show_cas(struct show *show, const struct lbp_toml_table *tls)
{
	const struct lbp_config *config = show->config;

	for (size_t i = 0; i < config->ca_len && config->cas[0].id.ptr != NULL;
		i++)
		show_table(show,
			&(struct scope){&lbp_config_ca_section, &config->cas[i],
				lbp_config_place_item(tls, "client_ca", i), 0,
				NULL},
			"\n[[", "]]\n");
}

/* The tables whose values are stored in the configuration itself. */
static void show_globals(struct show *show, const struct lbp_toml_table *root)
{
	const struct lbp_config_section *section = &lbp_config_root_section;

	for (size_t i = 0; i < section->len; i++) {
		const struct lbp_config_key *key = &section->keys[i];

		if (key->kind != &lbp_config_table)
			continue;
		show_table(show,
			&(struct scope){key->section, show->config,
				lbp_config_place_table(root, key->name), 0,
				NULL},
			"\n[", "]\n");
		if (key->section == &lbp_config_tls_section)
			show_cas(show, lbp_config_place_table(root, key->name));
	}
}

static struct scope limits_of(
	const struct show *show, const struct lbp_toml_table *root, size_t app)
{
	return (struct scope){&lbp_config_limits_section,
		&show->config->apps[app].limits,
		lbp_config_place_table(
			lbp_config_place_item(root, "app", app), "limits"),
		0, NULL};
}

static void show_app(
	struct show *show, const struct lbp_toml_table *root, size_t i)
{
	const struct lbp_config_app *app = &show->config->apps[i];
	const struct lbp_toml_table *table =
		lbp_config_place_item(root, "app", i);
	const struct scope timeouts = {&lbp_config_timeouts_section,
		show->config, lbp_config_place_table(root, "timeouts"), 0,
		NULL};
	const struct scope limits = limits_of(show, root, i);

	show_table(show,
		&(struct scope){&lbp_config_app_section, app, table, 0, NULL},
		"\n[[", "]]\n");
	show_table(show,
		&(struct scope){&lbp_config_app_timeouts_section,
			&app->timeouts,
			lbp_config_place_table(table, "timeouts"), 0,
			&timeouts},
		"\n[", "]\n");
	show_table(show, &limits, "\n[", "]\n");
	show_table(show,
		&(struct scope){&lbp_config_health_section, &app->health,
			lbp_config_place_table(table, "health"), 0, NULL},
		"\n[", "]\n");
	for (size_t j = 0; j < app->upstream_len; j++)
		show_table(show,
			&(struct scope){&lbp_config_upstream_section,
				&app->upstreams[j],
				lbp_config_place_item(table, "upstream", j), 0,
				NULL},
			"\n[[", "]]\n");
}

/* A client, and its limits of each app over the app's. */
static void show_client(struct show *show, const struct lbp_toml_table *root,
	const struct lbp_config_client *client, const struct scope *scope)
{
	show_table(show, scope, "\n[[", "]]\n");
	for (size_t i = 0; i < client->grant_len; i++) {
		const struct lbp_config_grant *grant = &client->grants[i];
		const char *app = show->config->apps[grant->app].id.ptr;
		const struct scope from = limits_of(show, root, grant->app);
		const struct scope limits = {&lbp_config_limits_section,
			&grant->limits,
			lbp_config_place_table(
				lbp_config_place_table(scope->table, "limits"),
				app),
			scope->file, &from};

		lbp_config_put(&show->writer, "\n[client.limits.");
		lbp_config_put_key(&show->writer, app);
		lbp_config_put(&show->writer, "]\n");
		show_keys(show, &limits);
	}
}

/* --- files -------------------------------------------------------------- */

/* Parses a file again. NULL in *doc: it is not TOML. */
static enum lbp_err open_file(
	const struct show *show, uint32_t file, struct lbp_toml **doc)
{
	const struct lbp_config_source *source = &show->sources[file];
	struct lbp_toml_error error;
	enum lbp_err err =
		lbp_toml_parse(source->text, source->len, doc, &error);

	return err == LBP_ERR_NOMEM ? err : LBP_OK;
}

static const struct lbp_toml_table *root_of(const struct lbp_toml *doc)
{
	return doc != NULL ? lbp_toml_root(doc) : NULL;
}

/* root is that of the configuration's own file. */
static enum lbp_err show_clients(
	struct show *show, const struct lbp_toml_table *root)
{
	const struct lbp_config *config = show->config;
	const struct lbp_toml_table *table = root;
	struct lbp_toml *doc = NULL;
	enum lbp_err err = LBP_OK;
	uint32_t file = 0;
	size_t first = 0; /* client of the file */

	for (size_t i = 0; i < config->client_len; i++) {
		const struct lbp_config_client *client = &config->clients[i];

		if (client->id.pos.file != file) {
			file = client->id.pos.file;
			first = i;
			lbp_toml_free(doc);
			err = open_file(show, file, &doc);
			if (err != LBP_OK)
				return err;
			table = root_of(doc);
		}
		show_client(show, root, client,
			&(struct scope){&lbp_config_client_section, client,
				lbp_config_place_item(
					table, "client", i - first),
				file, NULL});
	}
	lbp_toml_free(doc);
	return err;
}

static void show_include(struct show *show)
{
	if (show->config->include_len == 0)
		return;
	lbp_config_put(&show->writer, "# include = ");
	(void)lbp_config_write_includes(&show->writer, NULL, show->config);
	lbp_config_put(&show->writer, ": these clients stand below\n");
}

enum lbp_err lbp_config_show(const struct lbp_config *config,
	const struct lbp_config_source *sources,
	void (*put)(void *user, const char *text, size_t text_len), void *user)
{
	struct show show = {
		{.put = put, .user = user, .config = config}, config, sources};
	struct lbp_toml *doc;
	enum lbp_err err = open_file(&show, 0, &doc);

	if (err != LBP_OK)
		return err;
	lbp_config_put(&show.writer, "# The configuration in effect: ");
	lbp_config_put_escaped(&show.writer, sources[0].name);
	lbp_config_put(&show.writer, "\n");
	show_include(&show);
	show_globals(&show, root_of(doc));
	for (size_t i = 0; i < config->app_len; i++)
		show_app(&show, root_of(doc), i);
	err = show_clients(&show, root_of(doc));
	lbp_toml_free(doc);
	return err;
}
