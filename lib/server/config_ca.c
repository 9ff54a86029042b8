#include "server/config_ca.h"

#include <string.h>

#include "server/config_errors.h"
#include "server/config_field.h"
#include "server/config_state.h"
#include "server/config_writer.h"

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

static const struct lbp_config_kind ca_id = {.read = read_id,
	.write = lbp_config_write_text,
	.schema = "\"type\": \"string\", \"pattern\": "
		  "\"^[!#-.0-\\\\[\\\\]-~]{1,64}$\""};

static const struct lbp_config_key ca_keys[] = {
	{.name = "id",
		.kind = &ca_id,
		.offset = AT(id),
		.required = true,
		.accepts = "a unique name of " LBP_CONFIG_ID ", and no '/'",
		.help = "Serials of the CA may be written with it, as "
			"\"ID/1A:2B\"; without they are the first CA's.",
		.example = "\"2026\""},
	{.name = "file",
		.kind = &lbp_config_text,
		.offset = AT(file),
		.required = true,
		.accepts = "the path of the PEM file with this one CA",
		.help = "The CA's certificate.",
		.example = "\"ca-2026.pem\""},
	{.name = "crl",
		.kind = &lbp_config_text,
		.offset = AT(crl),
		.accepts = "the path of the PEM file with the lists of revoked "
			   "certificates of the CA and its intermediates",
		.help = "With chain it needs a list of each issuer.",
		.unset = "no certificate is revoked",
		.example = "\"ca-2026.crl\""},
	{.name = "chain",
		.kind = &lbp_config_boolean,
		.offset = AT(chain),
		.accepts = "true or false",
		.help = "Whether intermediates that the client sends are "
			"accepted below the CA. Clients are known by uris and "
			"dns alone there."},
};

static const struct lbp_config_ca ca_defaults = {.chain = false};

const struct lbp_config_section lbp_config_ca_section = {
	"tls.client_ca", ca_keys, LEN(ca_keys), &ca_defaults};

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
		(void)lbp_config_read_keys(reader, &lbp_config_ca_section,
			item->as.table, lbp_config_pos(reader, item->pos),
			&cas[i]);
		lbp_config_names_add_id(reader, &reader->ca_ids,
			"tls.client_ca.id", &cas[i].id, i);
	}
	all_unique = lbp_config_names_unique(reader, &reader->ca_ids);
	reader->cas_known = all_unique && reader->ca_ids.len == array->len;
}

static void read_cas(
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

static void read_crl(
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

/* Several are tables. */
static bool write_cas(struct lbp_config_writer *writer,
	const struct lbp_config_key *key, const void *in)
{
	const struct lbp_config *config = in;

	if (config->ca_len == 0 || config->cas[0].id.ptr != NULL)
		return false;
	return lbp_config_write_text(writer, key, &config->cas[0].file);
}

/* What several have is in their tables. */
static bool write_crl(struct lbp_config_writer *writer,
	const struct lbp_config_key *key, const void *in)
{
	const struct lbp_config *config = in;

	if (config->ca_len == 0 || config->cas[0].id.ptr != NULL)
		return false;
	return lbp_config_write_text(writer, key, &config->cas[0].crl);
}

const struct lbp_config_kind lbp_config_cas = {.read = read_cas,
	.write = write_cas,
	.shape = LBP_CONFIG_TABLES,
	.schema = LBP_CONFIG_SCHEMA_TEXT};
const struct lbp_config_kind lbp_config_crl = {
	.read = read_crl, .write = write_crl, .schema = LBP_CONFIG_SCHEMA_TEXT};
