#include "server/config_reader.h"

#include <string.h>

#include "server/config_errors.h"
#include "server/config_names.h"

static void say_field(struct lbp_config_message *message,
	const struct lbp_config_section *section, const char *name)
{
	if (section->path[0] != '\0')
		lbp_config_say(message, "%s.", section->path);
	lbp_config_say(message, "%s", name);
}

/* "a", "b" or "c" */
static void say_choices(
	struct lbp_config_message *message, const char *const *choices)
{
	for (size_t i = 0; choices[i] != NULL; i++) {
		if (i != 0)
			lbp_config_say(message,
				choices[i + 1] == NULL ? " or " : ", ");
		lbp_config_say(message, "\"%s\"", choices[i]);
	}
}

void lbp_config_say_accepts(
	struct lbp_config_message *message, const struct lbp_config_key *key)
{
	if (key->accepts != NULL)
		lbp_config_say(message, "%s", key->accepts);
	else if (key->choices != NULL)
		say_choices(message, key->choices);
	else
		lbp_config_say(message, "an integer from %llu to %llu",
			(unsigned long long)key->min,
			(unsigned long long)key->max);
}

static void say_value(struct lbp_config_message *message,
	const struct lbp_toml_value *value, const char *why)
{
	if (why == NULL) {
		lbp_config_say(message, "%s", lbp_toml_type_text(value->type));
		return;
	}
	if (value->type == LBP_TOML_STRING)
		lbp_config_say_quoted(message, value->as.string);
	else
		lbp_config_say(message, "%lld", (long long)value->as.integer);
	if (why[0] != '\0')
		lbp_config_say(message, ": %s", why);
}

static void say_must(struct lbp_config_message *message,
	const struct lbp_config_field *field)
{
	say_field(message, field->section, field->key->name);
	lbp_config_say(message, " must be ");
	lbp_config_say_accepts(message, field->key);
	lbp_config_say(message, ", not ");
}

/* Records an error of the array as a whole: "not empty", "not more". */
static void reject_len(struct lbp_config_reader *reader,
	const struct lbp_config_field *field, struct lbp_toml_pos pos,
	const char *what)
{
	struct lbp_config_message message = {.len = 0};

	say_must(&message, field);
	lbp_config_say(&message, "%s", what);
	lbp_config_add_error(reader, lbp_config_pos(reader, pos), &message);
}

void lbp_config_reject_empty(
	struct lbp_config_reader *reader, const struct lbp_config_field *field)
{
	reject_len(reader, field, field->value->pos, "empty");
}

void lbp_config_reject_more(struct lbp_config_reader *reader,
	const struct lbp_config_field *field,
	const struct lbp_toml_value *excess)
{
	reject_len(reader, field, excess->pos, "more");
}

void lbp_config_reject(struct lbp_config_reader *reader,
	const struct lbp_config_field *field,
	const struct lbp_toml_value *value, const char *why)
{
	struct lbp_config_message message = {.len = 0};

	say_must(&message, field);
	say_value(&message, value, why);
	lbp_config_add_error(
		reader, lbp_config_pos(reader, value->pos), &message);
}

bool lbp_config_expect(struct lbp_config_reader *reader,
	const struct lbp_config_field *field,
	const struct lbp_toml_value *value, enum lbp_toml_type type)
{
	if (value->type == type)
		return true;
	lbp_config_reject(reader, field, value, NULL);
	return false;
}

const struct lbp_toml_array *lbp_config_expect_array(
	struct lbp_config_reader *reader, const struct lbp_config_field *field,
	enum lbp_toml_type type)
{
	const struct lbp_toml_array *array;
	size_t max = field->key->max;

	if (!lbp_config_expect(reader, field, field->value, LBP_TOML_ARRAY))
		return NULL;
	array = field->value->as.array;
	if (array->len == 0 && field->key->required) {
		lbp_config_reject_empty(reader, field);
		return NULL;
	}
	if (max != 0 && array->len > max) {
		lbp_config_reject_more(reader, field, &array->items[max]);
		return NULL;
	}
	for (size_t i = 0; i < array->len; i++)
		(void)lbp_config_expect(reader, field, &array->items[i], type);
	return array;
}

void lbp_config_reject_missing(struct lbp_config_reader *reader,
	const struct lbp_config_section *section,
	const struct lbp_config_key *key, struct lbp_config_pos header,
	const char *more)
{
	struct lbp_config_message message = {.len = 0};

	say_field(&message, section, key->name);
	lbp_config_say(&message, " is required: ");
	lbp_config_say_accepts(&message, key);
	lbp_config_say(&message, "%s", more);
	lbp_config_add_error(reader, header, &message);
}

/* Returns the index of the key it was taken for, or the number of keys. */
static size_t report_unknown(struct lbp_config_reader *reader,
	const struct lbp_config_section *section,
	const struct lbp_toml_entry *entry)
{
	struct lbp_config_message message = {.len = 0};
	struct lbp_config_names known = {.len = 0};
	size_t guess;

	for (size_t i = 0; i < section->len; i++)
		lbp_config_names_add(reader, &known,
			(struct lbp_config_name){
				.shown = {section->keys[i].name,
					strlen(section->keys[i].name)}});
	lbp_config_say(&message, "unknown key '");
	say_field(&message, section, "");
	lbp_config_say_escaped(&message, entry->key);
	lbp_config_say(&message, "'");
	guess = lbp_config_say_nearest(reader, &message, entry->key, &known);
	lbp_config_add_error(
		reader, lbp_config_pos(reader, entry->pos), &message);
	return guess;
}

static bool is_known(const struct lbp_config_section *section,
	const struct lbp_toml_entry *entry)
{
	for (size_t i = 0; i < section->len; i++) {
		const char *name = section->keys[i].name;

		if (strlen(name) == entry->key.len &&
			memcmp(name, entry->key.ptr, entry->key.len) == 0)
			return true;
	}
	return false;
}

/* Records unknown keys; returns the set of the keys they were taken for. */
static uint32_t read_unknown(struct lbp_config_reader *reader,
	const struct lbp_config_section *section,
	const struct lbp_toml_table *table)
{
	uint32_t meant = 0;

	for (size_t i = 0; i < table->len; i++) {
		if (!is_known(section, &table->entries[i]))
			meant |= UINT32_C(1) << report_unknown(
					 reader, section, &table->entries[i]);
	}
	return meant;
}

uint32_t lbp_config_read_keys(struct lbp_config_reader *reader,
	const struct lbp_config_section *section,
	const struct lbp_toml_table *table, struct lbp_config_pos header,
	void *object)
{
	uint32_t given = read_unknown(reader, section, table);

	for (size_t i = 0; i < section->len; i++) {
		const struct lbp_config_key *key = &section->keys[i];
		const struct lbp_toml_entry *entry =
			lbp_toml_get(table, key->name, strlen(key->name));

		if (entry != NULL) {
			given |= UINT32_C(1) << i;
			key->kind->read(
				reader, &(struct lbp_config_field){section, key,
						&entry->value,
						(char *)object + key->offset});
		} else if (key->required && (given >> i & 1) == 0) {
			lbp_config_reject_missing(
				reader, section, key, header, "");
		}
	}
	return given;
}
