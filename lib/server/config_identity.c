#include "server/config_identity.h"

#include <string.h>

#include "server/config_errors.h"
#include "server/config_field.h"
#include "server/config_state.h"
#include "server/config_writer.h"

/* Which CA a serial's prefix names. False: that was reported, if it is sure. */
static bool find_ca(struct lbp_config_reader *reader,
	const struct lbp_toml_value *value, struct lbp_toml_string id,
	uint32_t *ca)
{
	const struct lbp_config_name *found =
		lbp_config_names_find(&reader->ca_ids, id);
	struct lbp_config_message message = {.len = 0};

	if (found != NULL) {
		*ca = found->index;
		return true;
	}
	/* It may be the id of a CA whose own has an error. [CFG-47]. */
	if (!reader->cas_known)
		return false;
	lbp_config_say(&message, "client.serials: no [[tls.client_ca]] has "
				 "the id ");
	lbp_config_say_quoted(&message, id);
	(void)lbp_config_say_nearest(reader, &message, id, &reader->ca_ids);
	lbp_config_add_error(
		reader, lbp_config_pos(reader, value->pos), &message);
	return false;
}

/* Serials are equal if their numbers are and their CAs. [CFG-45]. */
static void add_serial(struct lbp_config_reader *reader,
	const struct lbp_toml_value *value,
	const struct lbp_config_serial *serial)
{
	size_t len = serial->serial.len;
	uint8_t *key = lbp_config_alloc(reader, &reader->scratch, len + 1, 1);

	if (key == NULL)
		return;
	memcpy(key, serial->serial.octets, len);
	key[len] = (uint8_t)serial->ca;
	lbp_config_names_add(reader, &reader->serials,
		(struct lbp_config_name){
			.key = key,
			.key_len = len + 1,
			.shown = value->as.string,
			.label = "client.serials",
			.pos = serial->pos,
		});
}

static void read_serial(struct lbp_config_reader *reader,
	const struct lbp_config_field *field,
	const struct lbp_toml_value *value, struct lbp_config_serial *out)
{
	struct lbp_toml_string id = value->as.string;
	const char *slash = memchr(id.ptr, '/', id.len);
	size_t skipped = 0;
	bool has_ca = true;
	enum lbp_err err;

	out->pos = lbp_config_pos(reader, value->pos);
	if (slash != NULL) {
		id.len = (size_t)(slash - id.ptr);
		skipped = id.len + 1;
		has_ca = find_ca(reader, value, id, &out->ca);
	}
	err = lbp_serial_from_hex(
		&out->serial, id.ptr + skipped, value->as.string.len - skipped);
	if (err != LBP_OK)
		lbp_config_reject(reader, field, value,
			err == LBP_ERR_RANGE
				? "it is zero or longer than 20 octets"
				: "it is not pairs of hex digits");
	else if (has_ca)
		add_serial(reader, value, out);
}

static void read_serials(
	struct lbp_config_reader *reader, const struct lbp_config_field *field)
{
	struct lbp_config_client *client = field->out;
	const struct lbp_toml_array *array =
		lbp_config_expect_array(reader, field, LBP_TOML_STRING);

	if (array == NULL)
		return;
	client->serials = lbp_config_alloc(
		reader, &reader->kept, array->len, sizeof(*client->serials));
	if (client->serials == NULL)
		return;
	client->serial_len = array->len;
	for (size_t i = 0; i < array->len; i++) {
		if (array->items[i].type == LBP_TOML_STRING)
			read_serial(reader, field, &array->items[i],
				&client->serials[i]);
	}
}

/* A list of names of a kind. */
struct kind {
	const char *label;
	const char *(*check)(const char *text, size_t len);
	struct lbp_config_names *names; /* that must be unique */
	bool ignores_case;
};

/* A name as it is compared; NULL: out of memory. */
static const char *key_of(struct lbp_config_reader *reader,
	const struct kind *kind, struct lbp_toml_string text)
{
	char *key;

	if (!kind->ignores_case)
		return text.ptr;
	key = lbp_config_alloc(reader, &reader->scratch, text.len, 1);
	for (size_t i = 0; key != NULL && i < text.len; i++)
		key[i] = lbp_config_lower(text.ptr[i]);
	return key;
}

static void read_name(struct lbp_config_reader *reader,
	const struct lbp_config_field *field, const struct kind *kind,
	const struct lbp_toml_value *value, struct lbp_config_text *out)
{
	struct lbp_toml_string text = value->as.string;
	const char *wrong = kind->check(text.ptr, text.len);
	const char *key;

	if (wrong != NULL) {
		lbp_config_reject(reader, field, value, wrong);
		return;
	}
	lbp_config_keep_text(reader, value, out);
	key = key_of(reader, kind, text);
	if (key != NULL)
		lbp_config_names_add(reader, kind->names,
			(struct lbp_config_name){
				.key = key,
				.key_len = text.len,
				.shown = text,
				.label = kind->label,
				.pos = out->pos,
			});
}

static void read_names(struct lbp_config_reader *reader,
	const struct lbp_config_field *field, const struct kind *kind,
	struct lbp_config_text **out, size_t *out_len)
{
	const struct lbp_toml_array *array =
		lbp_config_expect_array(reader, field, LBP_TOML_STRING);

	if (array == NULL)
		return;
	*out = lbp_config_alloc(
		reader, &reader->kept, array->len, sizeof(**out));
	if (*out == NULL)
		return;
	*out_len = array->len;
	for (size_t i = 0; i < array->len; i++) {
		if (array->items[i].type == LBP_TOML_STRING)
			read_name(reader, field, kind, &array->items[i],
				&(*out)[i]);
	}
}

static void read_uris(
	struct lbp_config_reader *reader, const struct lbp_config_field *field)
{
	struct lbp_config_client *client = field->out;
	const struct kind kind = {
		"client.uris", lbp_config_check_uri, &reader->uris, false};

	read_names(reader, field, &kind, &client->uris, &client->uri_len);
}

static void read_dns(
	struct lbp_config_reader *reader, const struct lbp_config_field *field)
{
	struct lbp_config_client *client = field->out;
	const struct kind kind = {
		"client.dns", lbp_config_check_dns, &reader->dns, true};

	read_names(reader, field, &kind, &client->dns, &client->dns_len);
}

static void write_serial(struct lbp_config_writer *writer,
	const struct lbp_config_serial *serial)
{
	const char *id = writer->config->cas[serial->ca].id.ptr;
	char text[LBP_SERIAL_TEXT_MAX];

	lbp_serial_format(&serial->serial, text);
	lbp_config_put(writer, "\"");
	if (id != NULL) {
		lbp_config_put(writer, id);
		lbp_config_put(writer, "/");
	}
	lbp_config_put(writer, text);
	lbp_config_put(writer, "\"");
}

static bool write_serials(struct lbp_config_writer *writer,
	const struct lbp_config_key *key, const void *in)
{
	const struct lbp_config_client *client = in;

	(void)key;
	for (size_t i = 0; i < client->serial_len; i++) {
		lbp_config_put(writer, i == 0 ? "[" : ", ");
		write_serial(writer, &client->serials[i]);
	}
	lbp_config_put(writer, client->serial_len == 0 ? "[]" : "]");
	return true;
}

const struct lbp_config_kind lbp_config_serials = {.read = read_serials,
	.write = write_serials,
	.shape = LBP_CONFIG_ARRAY,
	.schema = "\"type\": \"string\", "
		  "\"pattern\": \"^([^/]+/)?[0-9A-Fa-f:]+$\""};
const struct lbp_config_kind lbp_config_uris = {.read = read_uris,
	.write = lbp_config_write_uris,
	.shape = LBP_CONFIG_ARRAY,
	.schema = "\"type\": \"string\", \"maxLength\": 2048, "
		  "\"pattern\": \"^[A-Za-z][A-Za-z0-9+.-]*:.\""};
const struct lbp_config_kind lbp_config_dns = {.read = read_dns,
	.write = lbp_config_write_dns,
	.shape = LBP_CONFIG_ARRAY,
	.schema = "\"type\": \"string\", "
		  "\"pattern\": \"^[A-Za-z0-9_.-]{1,253}$\""};
