/*
 * Access list against its model.
 *
 * Input, where a number of a client or application is a byte, modulo 32 (so
 * that many lists are refused) or, above 0xf0, close to 2^32:
 * - how many clients, modulo 10, applications, modulo 20, serials and grants,
 *   modulo 17, a byte each;
 * - the serials: a byte for the length, modulo 20, plus 1, a byte of which
 *   the octets are made, and the client;
 * - the grants: a client and an application.
 * The list is made six times: of serials, of ids, each the text of a serial,
 * of both in turn, of URIs and DNS names, which are such texts too, and of
 * serials whose issuer is the parity of their last octet.
 */
#include <string.h>

#include "acl.h"
#include "bytes.h"
#include "model/model_acl.h"
#include "oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define LIST_MAX 16

struct lists {
	struct lbp_acl_name names[LIST_MAX];
	char ids[LIST_MAX][LBP_SERIAL_TEXT_MAX];
	struct lbp_acl_grant grants[LIST_MAX];
};

enum kinds {
	SERIALS,
	IDS,
	BOTH,
	URIS,
	DNS_NAMES,
	ISSUED
};

static struct lbp_serial draw_serial(struct bytes *bytes)
{
	struct lbp_serial serial = {0};
	uint8_t octet;

	serial.len = (uint8_t)(bytes_below(bytes, LBP_SERIAL_MAX) + 1);
	octet = bytes_u8(bytes);
	memset(serial.octets, octet / 16, serial.len);
	serial.octets[0] = 1;
	serial.octets[serial.len - 1] = (uint8_t)(octet % 16 + 1);
	return serial;
}

static uint32_t draw_number(struct bytes *bytes)
{
	uint32_t number = bytes_u8(bytes);

	return number > 0xf0 ? UINT32_MAX - number % 4 : number % 32;
}

static void check_names(const struct lbp_acl *acl,
	const struct model_acl *model, const struct lbp_name *names, size_t len)
{
	uint32_t got = LBP_NONE;
	uint32_t want = LBP_NONE;
	enum lbp_err got_err = lbp_acl_identify(acl, names, len, &got);
	enum lbp_err want_err = model_acl_identify(model, names, len, &want);

	if (len != 1)
		ORACLE("ACL-7", got_err == want_err && got == want,
			"%zu names: %s, client %u instead of %u", len,
			lbp_err_text(got_err), got, want);
	if (len == 1 && names->kind == LBP_NAME_URI)
		ORACLE("ACL-10", got_err == want_err && got == want,
			"%s: %s, client %u", names->text, lbp_err_text(got_err),
			got);
	if (len == 1 && names->kind == LBP_NAME_DNS)
		ORACLE("ACL-12", got_err == want_err && got == want,
			"%s: %s, client %u", names->text, lbp_err_text(got_err),
			got);
	if (len == 1 && names->kind == LBP_NAME_ISSUED)
		ORACLE("ACL-11", got_err == want_err && got == want,
			"issuer %llu: %s, client %u",
			(unsigned long long)names->issued.issuer,
			lbp_err_text(got_err), got);
	if (len == 1 && names->kind == LBP_NAME_NUMBER)
		ORACLE("ACL-6", got_err == want_err && got == want,
			"number %u: %s, client %u", names->number,
			lbp_err_text(got_err), got);
	ORACLE("ACL-2", got_err == want_err, "%s instead of %s",
		lbp_err_text(got_err), lbp_err_text(want_err));
	ORACLE("ACL-2", got == want, "client %u instead of %u", got, want);
}

/* As URI and DNS name, in two cases, and with a wildcard. */
static void check_text(const struct lbp_acl *acl, const struct model_acl *model,
	const char *text)
{
	char other[LBP_SERIAL_TEXT_MAX];
	struct lbp_name names[4] = {lbp_name_of_uri(text),
		lbp_name_of_uri(other), lbp_name_of_dns(text),
		lbp_name_of_dns(other)};

	strcpy(other, text);
	for (char *c = other; *c != '\0'; c++)
		*c = (char)(*c >= 'A' && *c <= 'F' ? *c + 'a' - 'A' : *c);
	for (size_t i = 0; i < 4; i++)
		check_names(acl, model, &names[i], 1);
	check_names(acl, model, names, 4);
	other[0] = '*';
	check_names(acl, model, &names[3], 1);
}

/* As a serial of whatever issuer, and as the texts that are its own. */
static void check_serial(const struct lbp_acl *acl,
	const struct model_acl *model, const struct lbp_serial *serial)
{
	char text[LBP_SERIAL_TEXT_MAX];
	struct lbp_name name = lbp_name_of_serial(serial);

	check_names(acl, model, &name, 1);
	for (uint64_t issuer = 0; issuer < 3; issuer++) {
		name = lbp_name_of_issued(serial, issuer);
		check_names(acl, model, &name, 1);
	}
	/* Of 20 octets that begin with 0 there is no text. */
	if (serial->octets[0] == 0)
		return;
	lbp_serial_format(serial, text);
	name = lbp_name_of_id(text);
	check_names(acl, model, &name, 1);
	check_text(acl, model, text);
}

/* The serial, and those next to it in length and in value. */
static void check_around(const struct lbp_acl *acl,
	const struct model_acl *model, struct lbp_serial serial)
{
	check_serial(acl, model, &serial);
	serial.octets[serial.len - 1]++;
	check_serial(acl, model, &serial);
	serial.octets[serial.len - 1] =
		(uint8_t)(serial.octets[serial.len - 1] - 2);
	check_serial(acl, model, &serial);
	if (serial.len < LBP_SERIAL_MAX) {
		serial.len++;
		check_serial(acl, model, &serial);
	}
}

/* No name, two that are listed, and one of them with a number. */
static void check_several(
	const struct lbp_acl *acl, const struct model_acl *model)
{
	struct lbp_name names[3];

	check_names(acl, model, names, 0);
	for (uint32_t i = 0; i < 12; i++) {
		names[0] = lbp_name_of_number(i);
		check_names(acl, model, names, 1);
	}
	for (size_t i = 0; i < model->name_len; i++) {
		names[0] = model->names[i].name;
		names[1] = model->names[model->name_len - 1 - i].name;
		names[2] = lbp_name_of_number((uint32_t)i);
		check_names(acl, model, names, 2);
		check_names(acl, model, names + 1, 2);
		check_names(acl, model, names, 3);
	}
}

static void check_pair(const struct lbp_acl *acl, const struct model_acl *model,
	uint32_t client, uint32_t app)
{
	enum lbp_err got = lbp_acl_authorize(acl, client, app);
	enum lbp_err want = model_acl_authorize(model, client, app);

	if (client < model->client_len && app < model->app_len)
		ORACLE("ACL-3", got == want, "client %u, application %u: %s",
			client, app, lbp_err_text(got));
	else
		ORACLE("ACL-4", got == LBP_ERR_NOT_ALLOWED,
			"client %u, application %u: %s", client, app,
			lbp_err_text(got));
}

/* What is granted of one application, each client with its own limits. */
static void check_grants(
	const struct lbp_acl *acl, const struct model_acl *model, uint32_t app)
{
	size_t len = 77;
	const struct lbp_acl_grant *grants = lbp_acl_grants(acl, app, &len);
	size_t left = len;

	ORACLE("ACL-8",
		(grants != NULL) == (app < model->app_len) &&
			(grants != NULL || len == 0),
		"application %u: %zu grants", app, len);
	for (size_t i = 1; i < len; i++)
		ORACLE("ACL-8", grants[i - 1].client < grants[i].client,
			"application %u: no order", app);
	for (size_t m = 0; m < model->grant_len; m++) {
		for (size_t i = 0; i < len; i++)
			left -= memcmp(&grants[i], &model->grants[m],
					sizeof(*grants)) == 0;
	}
	ORACLE("ACL-8", left == 0, "application %u: %zu not granted", app,
		left);
}

static void check_all(const struct lbp_acl *acl, const struct model_acl *model)
{
	check_several(acl, model);
	for (uint32_t client = 0; client < 12; client++) {
		for (uint32_t app = 0; app < 24; app++)
			check_pair(acl, model, client, app);
		check_pair(acl, model, client, UINT32_MAX);
		check_pair(acl, model, UINT32_MAX - client, client);
	}
	for (uint32_t app = 0; app < 24; app++)
		check_grants(acl, model, app);
}

static struct lbp_name name_of(const struct lbp_serial *serial,
	const char *text, enum kinds kinds, size_t i)
{
	switch (kinds) {
	case IDS:
		return lbp_name_of_id(text);
	case BOTH:
		return i % 2 == 1 ? lbp_name_of_id(text)
				  : lbp_name_of_serial(serial);
	case URIS:
		return lbp_name_of_uri(text);
	case DNS_NAMES:
		return lbp_name_of_dns(text);
	case ISSUED:
		return lbp_name_of_issued(
			serial, serial->octets[serial->len - 1] % 2);
	default:
		return lbp_name_of_serial(serial);
	}
}

static void name_all(struct lists *lists, const struct lbp_serial *serials,
	size_t len, enum kinds kinds)
{
	for (size_t i = 0; i < len; i++) {
		lists->names[i].name =
			name_of(&serials[i], lists->ids[i], kinds, i);
		lbp_serial_format(&serials[i], lists->ids[i]);
	}
}

static void check_kinds(const struct lists *lists,
	const struct model_acl *model, const struct lbp_serial *serials)
{
	/* Not NULL: an error has to make it so. */
	struct lbp_acl *acl = (struct lbp_acl *)(uintptr_t)lists;
	struct lbp_acl_options options;
	enum lbp_err want = model_acl_judge(model);
	enum lbp_err got;

	lbp_acl_options_init(&options);
	options.names = model->names;
	options.name_len = model->name_len;
	options.grants = model->grants;
	options.grant_len = model->grant_len;
	options.client_len = model->client_len;
	options.app_len = model->app_len;
	got = lbp_acl_new(&acl, &options);
	if (want == LBP_ERR_GRANT_TWICE || want == LBP_ERR_APP_NUMBER)
		ORACLE("ACL-9", got == want, "%s instead of %s",
			lbp_err_text(got), lbp_err_text(want));
	ORACLE("ACL-5", got == want, "%s instead of %s", lbp_err_text(got),
		lbp_err_text(want));
	ORACLE("ACL-1", (acl != NULL) == (got == LBP_OK),
		"a list and an error, or neither");
	if (acl != NULL) {
		for (size_t i = 0; i < model->name_len; i++)
			check_around(acl, model, serials[i]);
		check_all(acl, model);
	}
	lbp_acl_free(acl);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct bytes bytes = {data, len};
	struct lists lists;
	struct lbp_serial serials[LIST_MAX];
	struct model_acl model = {.names = lists.names, .grants = lists.grants};

	model.client_len = bytes_below(&bytes, 10);
	model.app_len = bytes_below(&bytes, 20);
	model.name_len = bytes_below(&bytes, LIST_MAX + 1);
	model.grant_len = bytes_below(&bytes, LIST_MAX + 1);
	for (size_t i = 0; i < model.name_len; i++) {
		serials[i] = draw_serial(&bytes);
		lists.names[i].client = draw_number(&bytes);
	}
	memset(lists.grants, 0, sizeof(lists.grants));
	for (size_t i = 0; i < model.grant_len; i++) {
		lists.grants[i].limits.concurrent = (uint32_t)i;
		lists.grants[i].client = draw_number(&bytes);
		lists.grants[i].app = draw_number(&bytes);
	}
	for (enum kinds kinds = SERIALS; kinds <= ISSUED; kinds++) {
		name_all(&lists, serials, model.name_len, kinds);
		check_kinds(&lists, &model, serials);
	}
	return 0;
}
