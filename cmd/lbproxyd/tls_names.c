#include "tls_names.h"

#include <openssl/x509v3.h>
#include <string.h>

#include "server/sans.h"
#include "tls_memory.h"
#include "tls_revoked.h"

/* Where names go: one block, their texts after them. */
struct place {
	struct lbp_name *next;
	char *text;
};

/* A URI or DNS name, which need not end at its first NUL; else NULL. */
static const ASN1_IA5STRING *text_of(
	const GENERAL_NAME *san, enum lbp_name_kind *kind)
{
	switch (san->type) {
	case GEN_URI:
		*kind = LBP_NAME_URI;
		return san->d.uniformResourceIdentifier;
	case GEN_DNS:
		*kind = LBP_NAME_DNS;
		return san->d.dNSName;
	default:
		return NULL;
	}
}

static void put(struct place *place, enum lbp_name_kind kind, const char *text,
	size_t len)
{
	memcpy(place->text, text, len);
	place->text[len] = '\0';
	*place->next++ = kind == LBP_NAME_URI ? lbp_name_of_uri(place->text)
					      : lbp_name_of_dns(place->text);
	place->text += len + 1;
}

/* Looks at all names; those that are to be kept go to place, if not NULL. */
static struct lbp_sans look(const GENERAL_NAMES *names, struct place *place)
{
	struct lbp_sans sans = {0};
	int i;

	for (i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		enum lbp_name_kind kind;
		const ASN1_IA5STRING *value =
			text_of(sk_GENERAL_NAME_value(names, i), &kind);
		const char *text;
		size_t len;

		if (value == NULL)
			continue;
		text = (const char *)ASN1_STRING_get0_data(value);
		len = (size_t)ASN1_STRING_length(value);
		if (lbp_sans_take(&sans, kind, text, len) && place != NULL)
			put(place, kind, text, len);
	}
	return sans;
}

static enum lbp_reason take(struct tls *tls, const struct lbp_name *serial,
	const GENERAL_NAMES *names)
{
	struct lbp_sans sans = look(names, NULL);
	struct place place;
	struct lbp_name *all;

	if (!lbp_sans_are_fine(&sans))
		return LBP_REASON_BAD_CERTIFICATE;
	all = OPENSSL_malloc((sans.len + 1) * sizeof(*all) + sans.size);
	if (all == NULL)
		return LBP_REASON_INTERNAL;
	all[0] = *serial;
	place = (struct place){all + 1, (char *)(all + 1 + sans.len)};
	(void)look(names, &place);
	tls->names = all;
	tls->name_len = sans.len + 1;
	return LBP_REASON_NONE;
}

enum lbp_reason tls_names_take(struct tls *tls, const X509 *cert,
	uint64_t issuer, struct lbp_name **before)
{
	struct lbp_name *had = tls->names;
	struct lbp_serial serial;
	enum lbp_reason reason;
	struct lbp_name name;
	GENERAL_NAMES *names;
	int found;

	*before = NULL;
	if (revoked_serial(X509_get0_serialNumber(cert), &serial) != LBP_OK)
		return LBP_REASON_BAD_CERTIFICATE;
	name = lbp_name_of_issued(&serial, issuer);
	names = X509_get_ext_d2i(cert, NID_subject_alt_name, &found, NULL);
	/* Neither read nor absent: damaged, twice there, or out of memory. */
	if (names == NULL && found != -1)
		return tls_memory_ran_out() ? LBP_REASON_INTERNAL
					    : LBP_REASON_BAD_CERTIFICATE;
	reason = take(tls, &name, names);
	GENERAL_NAMES_free(names);
	if (reason == LBP_REASON_NONE)
		*before = had;
	return reason;
}

void tls_names_release(struct tls *tls)
{
	OPENSSL_free(tls->names);
	tls->names = NULL;
	tls->name_len = 0;
}
