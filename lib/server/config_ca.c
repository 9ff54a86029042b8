#include "server/config_ca.h"

#include <string.h>

#include "server/config_errors.h"
#include "server/config_field.h"
#include "server/config_state.h"

#define AT(member) offsetof(struct lbp_config_ca, member)
#define LEN(array) (sizeof(array) / sizeof((array)[0]))

/* What stands between it and a serial is not part of it. */
static void read_id(
	struct lbp_config_reader *reader, const struct lbp_config_field *field)
{
	const struct lbp_toml_value *value = field->value;

	if (value->type == LBP_TOML_STRING &&
		memchr(value->as.string.ptr, '/', value->as.string.len) != NULL)
		lbp_config_reject(reader, field, value, "it has a '/'");
	else
		lbp_config_read_id(reader, field);
}

static const struct lbp_config_key ca_keys[] = {
	{.name = "id",
		.read = read_id,
		.offset = AT(id),
		.required = true,
		.accepts = "a unique name of " LBP_CONFIG_ID ", and no '/'"},
	{.name = "file",
		.read = lbp_config_read_text,
		.offset = AT(file),
		.required = true,
		.accepts = "the path of the PEM file with this one CA"},
	{.name = "crl",
		.read = lbp_config_read_text,
		.offset = AT(crl),
		.accepts = "the path of the PEM file with the lists of revoked "
			   "certificates of the CA and its intermediates"},
	{.name = "chain",
		.read = lbp_config_read_boolean,
		.offset = AT(chain),
		.accepts = "true or false"},
};

static const struct lbp_config_section ca_section = {
	"tls.client_ca", ca_keys, LEN(ca_keys)};

/* Room for this many, numbered; NULL: out of memory. */
static struct lbp_config_ca *make_cas(
	struct lbp_config_reader *reader, size_t len)
{
	struct lbp_config_ca *cas =
		lbp_config_alloc(reader, &reader->kept, len, sizeof(*cas));

	if (cas == NULL)
		return NULL;
	for (size_t i = 0; i < len; i++)
		cas[i].number = i;
	reader->config->cas = cas;
	reader->config->ca_len = len;
	return cas;
}

static void read_one(
	struct lbp_config_reader *reader, const struct lbp_config_field *field)
{
	struct lbp_config_ca *ca = make_cas(reader, 1);
	struct lbp_config_field path = *field;

	if (ca == NULL)
		return;
	path.out = &ca->file;
	lbp_config_read_text(reader, &path);
	reader->cas_known = true;
}

static void read_several(
	struct lbp_config_reader *reader, const struct lbp_config_field *field)
{
	const struct lbp_toml_array *array =
		lbp_config_expect_array(reader, field, LBP_TOML_TABLE);
	struct lbp_config_ca *cas;
	bool all_unique;

	if (array == NULL)
		return;
	reader->has_ca_tables = array->items[0].type == LBP_TOML_TABLE;
	cas = make_cas(reader, array->len);
	if (cas == NULL)
		return;
	for (uint32_t i = 0; i < array->len; i++) {
		const struct lbp_toml_value *item = &array->items[i];

		if (item->type != LBP_TOML_TABLE)
			continue;
		(void)lbp_config_read_keys(reader, &ca_section, item->as.table,
			lbp_config_pos(reader, item->pos), &cas[i]);
		lbp_config_names_add_id(reader, &reader->ca_ids,
			"tls.client_ca.id", &cas[i].id, i);
	}
	all_unique = lbp_config_names_unique(reader, &reader->ca_ids);
	reader->cas_known = all_unique && reader->ca_ids.len == array->len;
}

void lbp_config_read_cas(
	struct lbp_config_reader *reader, const struct lbp_config_field *field)
{
	switch (field->value->type) {
	case LBP_TOML_STRING:
		read_one(reader, field);
		break;
	case LBP_TOML_ARRAY:
		read_several(reader, field);
		break;
	default:
		lbp_config_reject(reader, field, field->value, NULL);
	}
}

void lbp_config_read_crl(
	struct lbp_config_reader *reader, const struct lbp_config_field *field)
{
	struct lbp_config *config = field->out;
	struct lbp_config_message message = {.len = 0};
	struct lbp_config_text nowhere;
	struct lbp_config_field path = *field;

	path.out = config->cas != NULL ? &config->cas[0].crl : &nowhere;
	if (reader->has_ca_tables) {
		lbp_config_say(&message,
			"tls.crl is accepted only with tls.client_ca = "
			"\"PATH\"; accepted: crl in each [[tls.client_ca]]");
		lbp_config_add_error(reader,
			lbp_config_pos(reader, field->value->pos), &message);
		return;
	}
	lbp_config_read_text(reader, &path);
}
