#include "server/config_field.h"

#include <string.h>

#include "server/config_errors.h"
#include "server/config_state.h"
#include "server/config_writer.h"

static void read_integer(
	struct lbp_config_reader *reader, const struct lbp_config_field *field)
{
	const struct lbp_toml_value *value = field->value;

	if (!lbp_config_expect(reader, field, value, LBP_TOML_INTEGER))
		return;
	if (value->as.integer < (int64_t)field->key->min ||
		value->as.integer > (int64_t)field->key->max)
		lbp_config_reject(reader, field, value, "");
	else
		*(uint32_t *)field->out = (uint32_t)value->as.integer;
}

static void read_boolean(
	struct lbp_config_reader *reader, const struct lbp_config_field *field)
{
	if (lbp_config_expect(reader, field, field->value, LBP_TOML_BOOLEAN))
		*(bool *)field->out = field->value->as.boolean;
}

static void read_time(struct lbp_config_reader *reader,
	const struct lbp_config_field *field,
	enum lbp_err (*parse)(uint64_t *out_ns, const char *text, size_t len))
{
	const struct lbp_toml_value *value = field->value;

	if (lbp_config_expect(reader, field, value, LBP_TOML_STRING) &&
		parse(field->out, value->as.string.ptr, value->as.string.len) !=
			LBP_OK)
		lbp_config_reject(reader, field, value, "");
}

static void read_duration(
	struct lbp_config_reader *reader, const struct lbp_config_field *field)
{
	read_time(reader, field, lbp_duration_parse);
}

static void read_delay(
	struct lbp_config_reader *reader, const struct lbp_config_field *field)
{
	read_time(reader, field, lbp_delay_parse);
}

static void read_duration_or_off(
	struct lbp_config_reader *reader, const struct lbp_config_field *field)
{
	static const char off[] = "off";
	const struct lbp_toml_value *value = field->value;

	if (value->type == LBP_TOML_STRING &&
		value->as.string.len == sizeof(off) - 1 &&
		memcmp(value->as.string.ptr, off, sizeof(off) - 1) == 0)
		*(uint64_t *)field->out = 0;
	else
		read_duration(reader, field);
}

_Static_assert(sizeof(enum lbp_event_loop) == sizeof(unsigned) &&
		       sizeof(enum lbp_tls_version) == sizeof(unsigned) &&
		       sizeof(enum lbp_expired_sessions) == sizeof(unsigned) &&
		       sizeof(enum lbp_unclean_end) == sizeof(unsigned) &&
		       sizeof(enum lbp_log_level) == sizeof(unsigned),
	"a choice is stored as an unsigned");

void lbp_config_read_choice(
	struct lbp_config_reader *reader, const struct lbp_config_field *field)
{
	const struct lbp_toml_value *value = field->value;
	const char *const *choices = field->key->choices;

	if (!lbp_config_expect(reader, field, value, LBP_TOML_STRING))
		return;
	for (unsigned i = 0; choices[i] != NULL; i++) {
		size_t len = strlen(choices[i]);

		if (len == value->as.string.len &&
			memcmp(choices[i], value->as.string.ptr, len) == 0) {
			memcpy(field->out, &i, sizeof(i));
			return;
		}
	}
	lbp_config_reject(reader, field, value, "");
}

/* Copies len bytes (at least 1) and adds a NUL. NULL: out of memory. */
static const char *keep(
	struct lbp_config_reader *reader, const char *text, size_t len)
{
	char *copy = lbp_config_alloc(reader, &reader->kept, len + 1, 1);

	if (copy != NULL)
		memcpy(copy, text, len);
	return copy;
}

void lbp_config_keep_text(struct lbp_config_reader *reader,
	const struct lbp_toml_value *value, struct lbp_config_text *out)
{
	out->ptr = keep(reader, value->as.string.ptr, value->as.string.len);
	out->pos = lbp_config_pos(reader, value->pos);
}

static void read_checked(struct lbp_config_reader *reader,
	const struct lbp_config_field *field,
	const char *(*check)(const char *text, size_t len))
{
	const struct lbp_toml_value *value = field->value;
	const char *wrong;

	if (!lbp_config_expect(reader, field, value, LBP_TOML_STRING))
		return;
	wrong = check(value->as.string.ptr, value->as.string.len);
	if (wrong != NULL)
		lbp_config_reject(reader, field, value, wrong);
	else
		lbp_config_keep_text(reader, value, field->out);
}

void lbp_config_read_text(
	struct lbp_config_reader *reader, const struct lbp_config_field *field)
{
	read_checked(reader, field, lbp_config_check_text);
}

void lbp_config_read_id(
	struct lbp_config_reader *reader, const struct lbp_config_field *field)
{
	read_checked(reader, field, lbp_config_check_id);
}

static void read_host(
	struct lbp_config_reader *reader, const struct lbp_config_field *field)
{
	read_checked(reader, field, lbp_config_check_host);
}

static void read_table(
	struct lbp_config_reader *reader, const struct lbp_config_field *field)
{
	if (lbp_config_expect(reader, field, field->value, LBP_TOML_TABLE))
		(void)lbp_config_read_keys(reader, field->key->section,
			field->value->as.table,
			lbp_config_pos(reader, field->value->pos), field->out);
}

void lbp_config_keep_parts(struct lbp_config_reader *reader,
	const struct lbp_config_parts *parts, struct lbp_toml_pos pos,
	struct lbp_config_address *out)
{
	out->host = keep(reader, parts->host, parts->host_len);
	out->port = parts->port;
	out->pos = lbp_config_pos(reader, pos);
}

void lbp_config_keep_address(struct lbp_config_reader *reader,
	const struct lbp_config_field *field,
	const struct lbp_toml_value *value, const char *label,
	struct lbp_config_address *out)
{
	struct lbp_config_parts parts;
	const char *wrong = lbp_config_split_address(
		value->as.string.ptr, value->as.string.len, &parts);

	if (wrong != NULL) {
		lbp_config_reject(reader, field, value, wrong);
		return;
	}
	lbp_config_keep_parts(reader, &parts, value->pos, out);
	lbp_config_names_add_parts(
		reader, &reader->addresses, label, value, &parts);
}

static void read_address(
	struct lbp_config_reader *reader, const struct lbp_config_field *field)
{
	if (lbp_config_expect(reader, field, field->value, LBP_TOML_STRING))
		lbp_config_keep_address(reader, field, field->value,
			"server.admin", field->out);
}

#define SCHEMA_DURATION                                                        \
	"\"type\": \"string\", \"pattern\": \"^[0-9]+(ms|s|m|h)$\""

const struct lbp_config_kind lbp_config_integer = {
	.read = read_integer, .write = lbp_config_write_integer};
const struct lbp_config_kind lbp_config_boolean = {.read = read_boolean,
	.write = lbp_config_write_boolean,
	.schema = "\"type\": \"boolean\""};
const struct lbp_config_kind lbp_config_duration = {.read = read_duration,
	.write = lbp_config_write_duration,
	.schema = SCHEMA_DURATION};
const struct lbp_config_kind lbp_config_delay = {.read = read_delay,
	.write = lbp_config_write_delay,
	.schema = SCHEMA_DURATION};
const struct lbp_config_kind lbp_config_duration_or_off = {
	.read = read_duration_or_off,
	.write = lbp_config_write_duration,
	.schema = "\"type\": \"string\", "
		  "\"pattern\": \"^([0-9]+(ms|s|m|h)|off)$\""};
const struct lbp_config_kind lbp_config_choice = {
	.read = lbp_config_read_choice, .write = lbp_config_write_choice};
const struct lbp_config_kind lbp_config_text = {.read = lbp_config_read_text,
	.write = lbp_config_write_text,
	.schema = LBP_CONFIG_SCHEMA_TEXT};
const struct lbp_config_kind lbp_config_id = {.read = lbp_config_read_id,
	.write = lbp_config_write_text,
	.schema = LBP_CONFIG_SCHEMA_ID};
const struct lbp_config_kind lbp_config_host = {.read = read_host,
	.write = lbp_config_write_text,
	.schema = LBP_CONFIG_SCHEMA_TEXT};
const struct lbp_config_kind lbp_config_address = {.read = read_address,
	.write = lbp_config_write_address,
	.schema = LBP_CONFIG_SCHEMA_ADDRESS};
const struct lbp_config_kind lbp_config_table = {
	.read = read_table, .shape = LBP_CONFIG_TABLE};
