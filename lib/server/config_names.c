#include "server/config_names.h"

#include <stdlib.h>
#include <string.h>

#include "server/config_errors.h"
#include "server/config_state.h"
#include "server/config_suggest.h"

enum {
	LISTED_MAX = 240, /* bytes of a message before a list is cut */
	/* After so many comparisons, errors get no suggestion. */
	COMPARED_MAX = 65536,
};

void lbp_config_names_add(struct lbp_config_reader *reader,
	struct lbp_config_names *names, struct lbp_config_name name)
{
	if (names->len == names->cap) {
		size_t cap = names->cap == 0 ? 8 : names->cap * 2;
		struct lbp_config_name *items = lbp_config_alloc(
			reader, &reader->scratch, cap, sizeof(*items));

		if (items == NULL)
			return;
		if (names->len != 0)
			memcpy(items, names->items,
				names->len * sizeof(*items));
		names->items = items;
		names->cap = cap;
	}
	names->items[names->len++] = name;
}

void lbp_config_names_add_string(struct lbp_config_reader *reader,
	struct lbp_config_names *names, const char *label,
	const struct lbp_toml_value *value, uint32_t index)
{
	lbp_config_names_add(reader, names,
		(struct lbp_config_name){
			.key = value->as.string.ptr,
			.key_len = value->as.string.len,
			.shown = value->as.string,
			.label = label,
			.pos = lbp_config_pos(reader, value->pos),
			.index = index,
		});
}

void lbp_config_names_add_id(struct lbp_config_reader *reader,
	struct lbp_config_names *names, const char *label,
	const struct lbp_config_text *id, uint32_t index)
{
	if (id->ptr == NULL)
		return;
	lbp_config_names_add(reader, names,
		(struct lbp_config_name){
			.key = id->ptr,
			.key_len = strlen(id->ptr),
			.shown = {id->ptr, strlen(id->ptr)},
			.label = label,
			.pos = id->pos,
			.index = index,
		});
}

void lbp_config_names_add_parts(struct lbp_config_reader *reader,
	struct lbp_config_names *names, const char *label,
	const struct lbp_toml_value *value,
	const struct lbp_config_parts *parts)
{
	char canonical[LBP_CONFIG_CANONICAL_MAX];
	size_t len = lbp_config_canonical(parts, canonical);
	char *key = lbp_config_alloc(reader, &reader->scratch, len, 1);

	if (key == NULL)
		return;
	memcpy(key, canonical, len);
	lbp_config_names_add(reader, names,
		(struct lbp_config_name){
			.key = key,
			.key_len = len,
			.shown = value->as.string,
			.label = label,
			.pos = lbp_config_pos(reader, value->pos),
		});
}

static int compare_keys(
	const struct lbp_config_name *a, const struct lbp_config_name *b)
{
	size_t shorter = a->key_len < b->key_len ? a->key_len : b->key_len;
	int order = memcmp(a->key, b->key, shorter);

	if (order != 0)
		return order;
	return (a->key_len > b->key_len) - (a->key_len < b->key_len);
}

static int compare_names(const void *left, const void *right)
{
	const struct lbp_config_name *a = left;
	const struct lbp_config_name *b = right;
	int order = compare_keys(a, b);

	return order != 0 ? order : lbp_config_pos_compare(a->pos, b->pos);
}

void lbp_config_names_sort(struct lbp_config_names *names)
{
	if (names->len != 0)
		qsort(names->items, names->len, sizeof(*names->items),
			compare_names);
}

/* Where the first of two equal names is, and its file if it has another. */
static void say_first(const struct lbp_config_reader *reader,
	struct lbp_config_message *message, const struct lbp_config_name *name,
	const struct lbp_config_name *first)
{
	lbp_config_say(
		message, " is already on line %u", (unsigned)first->pos.line);
	if (first->pos.file != name->pos.file) {
		lbp_config_say(message, " of ");
		lbp_config_say_path(message,
			reader->files.items[first->pos.file].shown.ptr);
	}
	lbp_config_say(message, " (%s) and must be unique", first->label);
}

bool lbp_config_names_unique(
	struct lbp_config_reader *reader, struct lbp_config_names *names)
{
	size_t first = 0;
	bool unique = true;

	lbp_config_names_sort(names);
	for (size_t i = 1; i < names->len; i++) {
		const struct lbp_config_name *name = &names->items[i];
		struct lbp_config_message message = {.len = 0};

		if (compare_keys(name, &names->items[first]) != 0) {
			first = i;
			continue;
		}
		lbp_config_say(&message, "%s ", name->label);
		lbp_config_say_quoted(&message, name->shown);
		say_first(reader, &message, name, &names->items[first]);
		lbp_config_add_error(reader, name->pos, &message);
		unique = false;
	}
	return unique;
}

const struct lbp_config_name *lbp_config_names_find(
	const struct lbp_config_names *names, struct lbp_toml_string key)
{
	const struct lbp_config_name wanted = {
		.key = key.ptr, .key_len = key.len};
	size_t low = 0;
	size_t high = names->len;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (compare_keys(&names->items[middle], &wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == names->len || compare_keys(&names->items[low], &wanted) != 0)
		return NULL;
	return &names->items[low];
}

static size_t index_of(const struct lbp_config_names *names, const char *shown)
{
	size_t i = 0;

	while (i < names->len && names->items[i].shown.ptr != shown)
		i++;
	return i;
}

size_t lbp_config_say_nearest(struct lbp_config_reader *reader,
	struct lbp_config_message *message, struct lbp_toml_string word,
	const struct lbp_config_names *names)
{
	struct lbp_config_guess guess;
	const char *before = "; accepted: ";

	lbp_config_guess_init(&guess, word.ptr, word.len);
	if (reader->compared < COMPARED_MAX) {
		reader->compared += names->len;
		for (size_t i = 0; i < names->len; i++)
			lbp_config_guess_offer(&guess,
				names->items[i].shown.ptr,
				names->items[i].shown.len);
	}
	if (guess.best != NULL) {
		lbp_config_say(message, "; did you mean ");
		lbp_config_say_quoted(message,
			(struct lbp_toml_string){guess.best, guess.best_len});
		before = "? accepted: ";
	}
	for (size_t i = 0; i < names->len; i++) {
		lbp_config_say(message, "%s", before);
		before = ", ";
		if (message->len > LISTED_MAX) {
			lbp_config_say(message, "...");
			break;
		}
		lbp_config_say_escaped(message, names->items[i].shown);
	}
	return index_of(names, guess.best);
}
