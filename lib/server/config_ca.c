#include "server/config_ca.h"

#include <string.h>

#include "server/config_errors.h"
#include "server/config_field.h"
#include "server/config_root.h"
#include "server/config_state.h"
#include "server/config_writer.h"

#define AT(member)     offsetof(struct lbp_config_ca, member)
#define TLS_AT(member) offsetof(struct lbp_config, member)
#define LEN(array)     (sizeof(array) / sizeof((array)[0]))

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

	if (config->cas[0].id.ptr != NULL)
		return false;
	return lbp_config_write_text(writer, key, &config->cas[0].file);
}

/* Defaults have no CA; of several the lists are in their tables. */
static bool write_crl(struct lbp_config_writer *writer,
	const struct lbp_config_key *key, const void *in)
{
	const struct lbp_config *config = in;

	return config->ca_len != 0 &&
	       lbp_config_write_text(writer, key, &config->cas[0].crl);
}

static const struct lbp_config_kind cas_kind = {.read = read_cas,
	.write = write_cas,
	.shape = LBP_CONFIG_TABLES,
	.schema = LBP_CONFIG_SCHEMA_TEXT};
const struct lbp_config_kind lbp_config_crl = {
	.read = read_crl, .write = write_crl, .schema = LBP_CONFIG_SCHEMA_TEXT};

/* --- [tls] --------------------------------------------------------------- */

static const char *const tls_versions[] = {"1.2", "1.3", NULL};
static const char *const expired_sessions[] = {"close", "keep", NULL};

static const struct lbp_config_key tls_keys[] = {
	{.name = "certificate",
		.kind = &lbp_config_text,
		.offset = TLS_AT(certificate),
		.required = true,
		.accepts = "the path of the PEM file with the server's "
			   "certificate chain, leaf first",
		.help = "The server's certificate. Like every file that is "
			"named here it is a regular file, and each block in it "
			"is either used or an error.",
		.example = "\"server.pem\""},
	{.name = "private_key",
		.kind = &lbp_config_text,
		.offset = TLS_AT(private_key),
		.required = true,
		.accepts = "the path of the PEM file with the server's key",
		.help = "The key of the certificate; both may be in one file.",
		.example = "\"server.key\""},
	{.name = "client_ca",
		.kind = &cas_kind,
		.required = true,
		.max = LBP_CAS_MAX,
		.section = &lbp_config_ca_section,
		.accepts = "the path of the PEM file with the one CA that "
			   "issues every client certificate, or 1 to 16 "
			   "tables, [[tls.client_ca]]",
		.help = "Who issues the clients' certificates. A CA stays the "
			"same, with its clients' sessions, while its name and "
			"key do.",
		.example = "\"ca.pem\""},
	{.name = "crl",
		.kind = &lbp_config_crl,
		.accepts = "the path of the PEM file with the CA's list of "
			   "revoked certificates",
		.help = "One or more lists of the CA, all of which count. With "
			"[[tls.client_ca]] each CA has its own.",
		.unset = "no certificate is revoked",
		.example = "\"ca.crl\""},
	{.name = "min_version",
		.kind = &lbp_config_choice,
		.offset = TLS_AT(min_version),
		.choices = tls_versions,
		.help = "The oldest version of TLS that clients may use."},
	{.name = "expired_sessions",
		.kind = &lbp_config_choice,
		.offset = TLS_AT(expired_sessions),
		.choices = expired_sessions,
		.help = "What happens to open sessions whose certificate, or "
			"its CA's, expires."},
	{.name = "ciphers",
		.kind = &lbp_config_text,
		.offset = TLS_AT(ciphers),
		.accepts = "OpenSSL names of TLS 1.2 cipher suites, joined "
			   "by ':'",
		.help = "The cipher suites of TLS 1.2, the most wanted one "
			"first: the server's order counts. Each must be known.",
		.unset = "ECDHE with AES-GCM or ChaCha20-Poly1305",
		.example = "\"ECDHE-ECDSA-AES128-GCM-SHA256:"
			   "ECDHE-RSA-AES128-GCM-SHA256\""},
	{.name = "ciphersuites",
		.kind = &lbp_config_text,
		.offset = TLS_AT(ciphersuites),
		.accepts = "names of TLS 1.3 cipher suites, joined by ':'",
		.help = "The cipher suites of TLS 1.3, likewise.",
		.unset = "those of OpenSSL",
		.example = "\"TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384\""},
	{.name = "groups",
		.kind = &lbp_config_text,
		.offset = TLS_AT(groups),
		.accepts = "OpenSSL names of key exchange groups, joined by "
			   "':'",
		.help = "The groups for the key exchange. A stranger chooses "
			"among them, so slow ones cost the server."},
};

const struct lbp_config_section lbp_config_tls_section = {
	"tls", tls_keys, LEN(tls_keys), &lbp_config_defaults};
