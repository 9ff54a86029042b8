/*
 * The grammar of TOML 1.0: documents, headers, keys and values.
 *
 * Dotted keys and headers walk down the tree as they are read. A fault ends
 * the parse and discards the whole document, so no step is ever undone.
 */
#include "server/toml.h"

#include <stdlib.h>
#include <string.h>

#include "server/toml_lex.h"
#include "server/toml_scalar.h"
#include "server/toml_tree.h"

struct parser {
	struct lbp_lex lex;
	struct lbp_toml *doc;
	struct lbp_toml_table *section; /* of the last header, or the root */
};

/* A part of a dotted key, and its place. */
struct part {
	struct lbp_toml_string key;
	struct lbp_toml_pos pos;
};

/* Values may be arrays and inline tables, which hold values. */
static enum lbp_err parse_value(
	struct parser *parser, unsigned depth, struct lbp_toml_value *value);

/* Reads a part of a key and the blanks around it. */
static enum lbp_err read_part(struct parser *parser, struct part *part)
{
	enum lbp_err err;

	lbp_lex_blanks(&parser->lex);
	part->pos = parser->lex.pos;
	err = lbp_lex_key(&parser->lex, &part->key);
	lbp_lex_blanks(&parser->lex);
	return err;
}

static enum lbp_err check_depth(
	struct parser *parser, unsigned depth, struct lbp_toml_pos pos)
{
	if (depth <= LBP_TOML_DEPTH_MAX)
		return LBP_OK;
	return lbp_lex_fail(&parser->lex, pos,
		"nested too deeply; accepted: %d levels of tables and arrays",
		LBP_TOML_DEPTH_MAX);
}

static enum lbp_err defined_twice(struct parser *parser,
	const struct part *part, const struct lbp_toml_entry *entry)
{
	char quote[LBP_LEX_QUOTE_MAX];

	return lbp_lex_fail(&parser->lex, part->pos,
		"key '%s' is defined twice, first at line %u",
		lbp_lex_quote(part->key.ptr, part->key.len, quote),
		entry->pos.line);
}

static enum lbp_err closed(struct parser *parser, const struct part *part,
	const struct lbp_toml_entry *entry, const char *what)
{
	char quote[LBP_LEX_QUOTE_MAX];

	return lbp_lex_fail(&parser->lex, part->pos,
		"'%s' is %s (line %u), and nothing can be added to it here",
		lbp_lex_quote(part->key.ptr, part->key.len, quote), what,
		entry->pos.line);
}

/* Adds a new table under a new key. */
static enum lbp_err add_table(struct parser *parser,
	struct lbp_toml_table *parent, const struct part *part,
	enum lbp_tree_kind kind, struct lbp_toml_table **child)
{
	unsigned depth = parent->index->depth + 1;
	struct lbp_toml_entry *entry;
	enum lbp_err err = check_depth(parser, depth, part->pos);

	if (err)
		return err;
	*child = lbp_tree_table(parser->doc, kind, depth);
	entry = *child ? lbp_tree_add(parent, part->key, part->pos) : NULL;
	if (!entry)
		return LBP_ERR_NOMEM;
	entry->value = (struct lbp_toml_value){
		.type = LBP_TOML_TABLE, .pos = part->pos, .as.table = *child};
	return LBP_OK;
}

/* Enters the table that a.b = ... means by a. */
static enum lbp_err enter_dotted(struct parser *parser, const struct part *part,
	struct lbp_toml_table **table)
{
	struct lbp_toml_entry *entry = lbp_tree_find(*table, part->key);
	struct lbp_toml_index *index;

	if (!entry)
		return add_table(parser, *table, part, LBP_TREE_DOTTED, table);
	if (entry->value.type != LBP_TOML_TABLE)
		return closed(parser, part, entry,
			lbp_toml_type_text(entry->value.type));
	index = entry->value.as.table->index;
	if (index->kind == LBP_TREE_INLINE)
		return closed(parser, part, entry, "an inline table");
	if (index->kind == LBP_TREE_HEADER)
		return closed(parser, part, entry, "a table with a header");
	index->kind = LBP_TREE_DOTTED;
	*table = entry->value.as.table;
	return LBP_OK;
}

/* key = value, in a table. */
static enum lbp_err parse_pair(
	struct parser *parser, struct lbp_toml_table *table)
{
	struct lbp_toml_entry *entry;
	struct part part;
	enum lbp_err err = read_part(parser, &part);

	while (!err && lbp_lex_accept(&parser->lex, '.')) {
		err = enter_dotted(parser, &part, &table);
		if (!err)
			err = read_part(parser, &part);
	}
	if (err)
		return err;
	if (!lbp_lex_accept(&parser->lex, '='))
		return lbp_lex_expected(&parser->lex, "'=' after the key");
	lbp_lex_blanks(&parser->lex);
	entry = lbp_tree_find(table, part.key);
	if (entry)
		return defined_twice(parser, &part, entry);
	entry = lbp_tree_add(table, part.key, part.pos);
	if (!entry)
		return LBP_ERR_NOMEM;
	/* The value cannot reach this table, so the entry stays in place. */
	return parse_value(parser, table->index->depth + 1, &entry->value);
}

/* Skips blanks, line ends and comments, as between items of an array. */
static enum lbp_err skip_lines(struct parser *parser)
{
	enum lbp_err err;

	do {
		lbp_lex_blanks(&parser->lex);
		err = lbp_lex_comment(&parser->lex);
	} while (!err && lbp_lex_newline(&parser->lex));
	return err;
}

static enum lbp_err parse_item(
	struct parser *parser, unsigned depth, struct lbp_tree_array *array)
{
	struct lbp_toml_value item;
	enum lbp_err err = parse_value(parser, depth + 1, &item);

	if (err)
		return err;
	return lbp_tree_push(array, &item) ? skip_lines(parser) : LBP_ERR_NOMEM;
}

static enum lbp_err parse_array(
	struct parser *parser, unsigned depth, struct lbp_toml_value *value)
{
	struct lbp_tree_array *array = lbp_tree_array(parser->doc, false);
	enum lbp_err err;

	if (!array)
		return LBP_ERR_NOMEM;
	value->type = LBP_TOML_ARRAY;
	value->as.array = &array->array;
	lbp_lex_skip(&parser->lex, 1);
	err = skip_lines(parser);
	while (!err && !lbp_lex_accept(&parser->lex, ']')) {
		err = parse_item(parser, depth, array);
		if (err || lbp_lex_peek(&parser->lex) == ']')
			continue;
		if (!lbp_lex_accept(&parser->lex, ','))
			return lbp_lex_expected(
				&parser->lex, "',' or ']' after the item");
		err = skip_lines(parser);
	}
	return err;
}

static enum lbp_err parse_inline(
	struct parser *parser, unsigned depth, struct lbp_toml_value *value)
{
	struct lbp_toml_table *table =
		lbp_tree_table(parser->doc, LBP_TREE_INLINE, depth);
	enum lbp_err err = LBP_OK;

	if (!table)
		return LBP_ERR_NOMEM;
	value->type = LBP_TOML_TABLE;
	value->as.table = table;
	lbp_lex_skip(&parser->lex, 1);
	lbp_lex_blanks(&parser->lex);
	if (lbp_lex_accept(&parser->lex, '}'))
		return LBP_OK;
	do {
		err = parse_pair(parser, table);
		lbp_lex_blanks(&parser->lex);
	} while (!err && lbp_lex_accept(&parser->lex, ','));
	if (!err && !lbp_lex_accept(&parser->lex, '}'))
		return lbp_lex_expected(&parser->lex,
			"',' or '}' on the same line after the value");
	return err;
}

static enum lbp_err parse_value(
	struct parser *parser, unsigned depth, struct lbp_toml_value *value)
{
	int first = lbp_lex_peek(&parser->lex);
	enum lbp_err err;

	*value = (struct lbp_toml_value){.pos = parser->lex.pos};
	if (first == '"' || first == '\'') {
		value->type = LBP_TOML_STRING;
		return lbp_lex_string(&parser->lex, &value->as.string);
	}
	if (first != '[' && first != '{')
		return lbp_lex_scalar(&parser->lex, value);
	err = check_depth(parser, depth, value->pos);
	if (err)
		return err;
	return first == '[' ? parse_array(parser, depth, value)
			    : parse_inline(parser, depth, value);
}

/* Enters the table that [a.b] means by a. */
static enum lbp_err enter_header(struct parser *parser, const struct part *part,
	struct lbp_toml_table **table)
{
	struct lbp_toml_entry *entry = lbp_tree_find(*table, part->key);
	struct lbp_toml_array *array;

	if (!entry)
		return add_table(
			parser, *table, part, LBP_TREE_IMPLICIT, table);
	if (entry->value.type == LBP_TOML_TABLE) {
		*table = entry->value.as.table;
		if ((*table)->index->kind == LBP_TREE_INLINE)
			return closed(parser, part, entry, "an inline table");
		return LBP_OK;
	}
	if (entry->value.type != LBP_TOML_ARRAY)
		return closed(parser, part, entry,
			lbp_toml_type_text(entry->value.type));
	array = entry->value.as.array;
	if (!((struct lbp_tree_array *)array)->of_tables)
		return closed(parser, part, entry, "an array of values");
	*table = array->items[array->len - 1].as.table;
	return LBP_OK;
}

/* The last part of [a.b]. */
static enum lbp_err define_table(struct parser *parser, const struct part *part,
	struct lbp_toml_pos pos, struct lbp_toml_table *parent)
{
	struct lbp_toml_entry *entry = lbp_tree_find(parent, part->key);
	struct lbp_toml_table *table;
	enum lbp_err err = LBP_OK;

	if (!entry) {
		err = add_table(parser, parent, part, LBP_TREE_HEADER, &table);
		if (err)
			return err;
		entry = &parent->entries[parent->len - 1];
	} else if (entry->value.type != LBP_TOML_TABLE ||
		   entry->value.as.table->index->kind != LBP_TREE_IMPLICIT) {
		return defined_twice(parser, part, entry);
	} else {
		entry->value.as.table->index->kind = LBP_TREE_HEADER;
	}
	entry->value.pos = pos;
	parser->section = entry->value.as.table;
	return err;
}

/* The array that [[a.b]] adds to, new or not. */
static enum lbp_err find_or_add_array(struct parser *parser,
	const struct part *part, struct lbp_toml_pos pos,
	struct lbp_toml_table *parent, struct lbp_tree_array **array)
{
	struct lbp_toml_entry *entry = lbp_tree_find(parent, part->key);

	if (entry && entry->value.type != LBP_TOML_ARRAY)
		return defined_twice(parser, part, entry);
	if (entry) {
		*array = (struct lbp_tree_array *)entry->value.as.array;
		return (*array)->of_tables ? LBP_OK
					   : closed(parser, part, entry,
						     "an array of values");
	}
	*array = lbp_tree_array(parser->doc, true);
	entry = *array ? lbp_tree_add(parent, part->key, part->pos) : NULL;
	if (!entry)
		return LBP_ERR_NOMEM;
	entry->value = (struct lbp_toml_value){.type = LBP_TOML_ARRAY,
		.pos = pos,
		.as.array = &(*array)->array};
	return LBP_OK;
}

/* The last part of [[a.b]]. */
static enum lbp_err define_item(struct parser *parser, const struct part *part,
	struct lbp_toml_pos pos, struct lbp_toml_table *parent)
{
	unsigned depth = parent->index->depth + 2;
	struct lbp_toml_value item = {.type = LBP_TOML_TABLE, .pos = pos};
	struct lbp_tree_array *array = NULL;
	enum lbp_err err = check_depth(parser, depth, part->pos);

	if (!err)
		err = find_or_add_array(parser, part, pos, parent, &array);
	if (err)
		return err;
	item.as.table = lbp_tree_table(parser->doc, LBP_TREE_HEADER, depth);
	if (!item.as.table || !lbp_tree_push(array, &item))
		return LBP_ERR_NOMEM;
	parser->section = item.as.table;
	return LBP_OK;
}

/* [a.b] or [[a.b]], from its first bracket to its last. */
static enum lbp_err parse_header(struct parser *parser)
{
	struct lbp_toml_table *parent = parser->doc->root;
	struct lbp_toml_pos pos = parser->lex.pos;
	struct part part;
	bool item;
	enum lbp_err err;

	lbp_lex_skip(&parser->lex, 1);
	item = lbp_lex_accept(&parser->lex, '[');
	err = read_part(parser, &part);
	while (!err && lbp_lex_accept(&parser->lex, '.')) {
		err = enter_header(parser, &part, &parent);
		if (!err)
			err = read_part(parser, &part);
	}
	if (err)
		return err;
	if (!lbp_lex_accept(&parser->lex, ']') ||
		(item && !lbp_lex_accept(&parser->lex, ']')))
		return lbp_lex_expected(&parser->lex,
			item ? "']]' after the key" : "']' after the key");
	return item ? define_item(parser, &part, pos, parent)
		    : define_table(parser, &part, pos, parent);
}

/* Reads a header or pair, and the rest of its line. */
static enum lbp_err parse_expression(struct parser *parser)
{
	struct lbp_lex *lex = &parser->lex;
	bool header = lbp_lex_peek(lex) == '[';
	enum lbp_err err = header ? parse_header(parser)
				  : parse_pair(parser, parser->section);

	if (err)
		return err;
	lbp_lex_blanks(lex);
	err = lbp_lex_comment(lex);
	if (!err && lex->at < lex->len && !lbp_lex_newline(lex))
		err = lbp_lex_expected(
			lex, header ? "the line to end after the header"
				    : "the line to end after the value");
	return err;
}

static enum lbp_err parse_document(struct parser *parser)
{
	static const char bom[] = "\xEF\xBB\xBF";
	struct lbp_lex *lex = &parser->lex;
	enum lbp_err err;

	if (lex->len >= 3 && memcmp(lex->text, bom, 3) == 0)
		lex->at = 3; /* and it has no column */
	err = skip_lines(parser);
	while (!err && lex->at < lex->len) {
		err = parse_expression(parser);
		if (!err)
			err = skip_lines(parser);
	}
	return err;
}

/* Makes an empty document with room for a text's strings; NULL: no memory. */
static struct lbp_toml *new_document(size_t text_len)
{
	struct lbp_toml *doc = calloc(1, sizeof(*doc));

	if (!doc)
		return NULL;
	doc->strings = malloc(text_len + LBP_LEX_OUT_EXTRA);
	doc->root = lbp_tree_table(doc, LBP_TREE_HEADER, 0);
	if (!doc->strings || !doc->root) {
		lbp_toml_free(doc);
		return NULL;
	}
	return doc;
}

enum lbp_err lbp_toml_parse(const char *text, size_t len, struct lbp_toml **out,
	struct lbp_toml_error *error)
{
	struct parser parser = {.lex = {.text = text ? text : "",
					.len = len,
					.pos = {1, 1},
					.error = error}};
	enum lbp_err err = LBP_ERR_NOMEM;

	*out = NULL;
	/* Lines and columns are 32 bits wide. */
	if (len >= UINT32_MAX - LBP_LEX_OUT_EXTRA)
		return lbp_lex_fail(&parser.lex, parser.lex.pos,
			"the text is too long; accepted: less than 4 GiB");
	parser.doc = new_document(len);
	if (parser.doc) {
		parser.lex.out = parser.doc->strings;
		parser.section = parser.doc->root;
		err = parse_document(&parser);
	}
	if (err == LBP_ERR_NOMEM)
		(void)lbp_lex_fail(
			&parser.lex, parser.lex.pos, "%s", lbp_err_text(err));
	if (err)
		lbp_toml_free(parser.doc);
	else
		*out = parser.doc;
	return err;
}

const char *lbp_toml_type_text(enum lbp_toml_type type)
{
	static const char *const texts[] = {
		[LBP_TOML_STRING] = "a string",
		[LBP_TOML_INTEGER] = "an integer",
		[LBP_TOML_FLOAT] = "a float",
		[LBP_TOML_BOOLEAN] = "a boolean",
		[LBP_TOML_OFFSET_DATETIME] = "an offset date-time",
		[LBP_TOML_LOCAL_DATETIME] = "a local date-time",
		[LBP_TOML_LOCAL_DATE] = "a local date",
		[LBP_TOML_LOCAL_TIME] = "a local time",
		[LBP_TOML_ARRAY] = "an array",
		[LBP_TOML_TABLE] = "a table",
	};

	return texts[type];
}
