/* Reading a configuration of one or several files. [CFG-70] to [CFG-77]. */
#include <stdlib.h>
#include <string.h>

#include "server/config_errors.h"
#include "server/config_root.h"
#include "server/config_state.h"
#include "server/utf8.h"

/* A parsed file, which errors and lists of names point into. */
struct lbp_config_doc {
	struct lbp_config_doc *older;
	struct lbp_toml *toml; /* NULL: it is not TOML */
};

/* What is read from now on is in a new file. */
static void begin_file(struct lbp_config_reader *reader, const char *name)
{
	reader->file = (uint32_t)reader->files.len;
	lbp_config_names_add(reader, &reader->files,
		(struct lbp_config_name){.shown = {name, strlen(name)}});
}

/* Parses a file; NULL: that failed, which is recorded. */
static const struct lbp_toml_table *parse(
	struct lbp_config_reader *reader, const char *text, size_t len)
{
	struct lbp_config_message message = {.len = 0};
	struct lbp_config_doc *doc =
		lbp_config_alloc(reader, &reader->scratch, 1, sizeof(*doc));
	struct lbp_toml_error error;
	enum lbp_err err;

	/* Without memory, its places might be those of another file. */
	if (reader->nomem)
		return NULL;
	err = lbp_toml_parse(text, len, &doc->toml, &error);
	doc->older = reader->docs;
	reader->docs = doc;
	if (err == LBP_OK)
		return lbp_toml_root(doc->toml);
	if (err != LBP_ERR_SYNTAX) {
		reader->nomem = true;
		return NULL;
	}
	lbp_config_say_plain(&message,
		(struct lbp_toml_string){error.message, strlen(error.message)});
	lbp_config_add_error(
		reader, lbp_config_pos(reader, error.pos), &message);
	return NULL;
}

struct lbp_config_reader *lbp_config_begin(
	const char *name, const char *text, size_t len)
{
	struct lbp_config_reader *reader = calloc(1, sizeof(*reader));
	const struct lbp_toml_table *root;

	if (reader == NULL)
		return NULL;
	reader->next_clients = &reader->first_clients;
	begin_file(reader, name);
	root = parse(reader, text, len);
	if (root != NULL)
		lbp_config_read_root(reader, root);
	return reader;
}

const struct lbp_config_text *lbp_config_includes(
	const struct lbp_config_reader *reader, size_t *len)
{
	const struct lbp_config *config = reader->config;

	*len = config != NULL ? config->include_len : 0;
	return config != NULL ? config->includes : NULL;
}

/* Why a name would garble a message; NULL: it would not. */
static const char *check_name(const char *name)
{
	size_t len = strlen(name);

	while (len > 0) {
		uint32_t code;
		size_t n = lbp_utf8_decode(name, len, &code);

		if (code == LBP_UTF8_INVALID)
			return "has a name that is not UTF-8";
		if (code < 0x20 || (code >= 0x7f && code < 0xa0))
			return "has a control character in its name";
		name += n;
		len -= n;
	}
	return NULL;
}

void lbp_config_add(struct lbp_config_reader *reader, size_t include,
	const char *name, const char *text, size_t len)
{
	const char *wrong = check_name(name);
	const struct lbp_toml_table *root;

	begin_file(reader, name);
	if (wrong != NULL) {
		lbp_config_reject_include(reader, include, name, wrong);
		return;
	}
	root = parse(reader, text, len);
	if (root != NULL)
		lbp_config_read_included(reader, root);
}

void lbp_config_reject_include(struct lbp_config_reader *reader, size_t include,
	const char *name, const char *why)
{
	struct lbp_config_message message = {.len = 0};

	lbp_config_say(&message, "include: ");
	lbp_config_say_path(&message, name);
	lbp_config_say(&message,
		" %s; accepted: a TOML file with [[client]] tables only", why);
	lbp_config_add_error(
		reader, reader->config->includes[include].pos, &message);
}

/* Frees all but what the caller has been given. */
static void release(struct lbp_config_reader *reader)
{
	for (struct lbp_config_doc *doc = reader->docs; doc != NULL;
		doc = doc->older)
		lbp_toml_free(doc->toml);
	lbp_config_arena_free(reader->kept);
	lbp_config_arena_free(reader->messages);
	lbp_config_arena_free(reader->scratch);
	free(reader);
}

enum lbp_err lbp_config_end(struct lbp_config_reader *reader,
	struct lbp_config **out, struct lbp_config_errors *errors)
{
	enum lbp_err err;

	*out = NULL;
	*errors = (struct lbp_config_errors){0};
	if (reader->config != NULL)
		lbp_config_read_rest(reader);
	err = lbp_config_take_errors(reader, errors);
	if (err == LBP_OK) {
		*out = reader->config;
		reader->config->arena = reader->kept;
		reader->kept = NULL;
	}
	release(reader);
	return err;
}

enum lbp_err lbp_config_parse(const char *text, size_t len,
	struct lbp_config **out, struct lbp_config_errors *errors)
{
	struct lbp_config_reader *reader = lbp_config_begin("", text, len);

	*out = NULL;
	*errors = (struct lbp_config_errors){0};
	if (reader == NULL)
		return LBP_ERR_NOMEM;
	return lbp_config_end(reader, out, errors);
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
