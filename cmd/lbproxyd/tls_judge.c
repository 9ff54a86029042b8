#include "tls_judge.h"

#include <openssl/core_names.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* A path as shown in warnings, which must fit into a log line. */
#define SHOWN_PATH "%.400s"

static bool refuse(char why[TLS_JUDGE_WHY_MAX], const char *text)
{
	snprintf(why, TLS_JUDGE_WHY_MAX, "%s", text);
	return false;
}

/* TLS has numbers for curves, not for their parameters. */
static bool judge_curve(const EVP_PKEY *pkey, char why[TLS_JUDGE_WHY_MAX])
{
	static const char *const curves[] = {"prime256v1", "P-256", "secp384r1",
		"P-384", "secp521r1", "P-521"};
	char encoding[32] = "";
	char name[64] = "";
	size_t i;

	EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_EC_ENCODING,
		encoding, sizeof(encoding), NULL);
	if (strcmp(encoding, OSSL_PKEY_EC_ENCODING_GROUP) != 0)
		return refuse(why, "with an EC key that spells out its curve's "
				   "parameters in place of its name, which TLS "
				   "cannot use");
	EVP_PKEY_get_utf8_string_param(
		pkey, OSSL_PKEY_PARAM_GROUP_NAME, name, sizeof(name), NULL);
	for (i = 0; i < sizeof(curves) / sizeof(curves[0]); i++) {
		if (strcmp(name, curves[i]) == 0)
			return true;
	}
	snprintf(why, TLS_JUDGE_WHY_MAX,
		"with an EC key on the curve %s, which TLS cannot use", name);
	return false;
}

bool tls_judge_key(const EVP_PKEY *pkey, char why[TLS_JUDGE_WHY_MAX])
{
	static const char *const fine[] = {
		"RSA", "RSA-PSS", "ED25519", "ED448"};
	const char *name;
	size_t i;

	/* So is a certificate's of an unknown kind. */
	if (pkey == NULL)
		return refuse(why, "with a public key that cannot be read");
	if (EVP_PKEY_is_a(pkey, "EC"))
		return judge_curve(pkey, why);
	for (i = 0; i < sizeof(fine) / sizeof(fine[0]); i++) {
		if (EVP_PKEY_is_a(pkey, fine[i]))
			return true;
	}
	name = EVP_PKEY_get0_type_name(pkey);
	snprintf(why, TLS_JUDGE_WHY_MAX,
		"with a key of the type %s, which cannot sign in TLS",
		name != NULL ? name : "unknown");
	return false;
}

bool tls_judge_strength(SSL_CTX *ctx, X509 *cert, char why[TLS_JUDGE_WHY_MAX])
{
	/* What OpenSSL's security levels require. */
	static const int bits[] = {0, 80, 112, 128, 192, 256};
	const EVP_PKEY *pkey = X509_get0_pubkey(cert);
	int level = SSL_CTX_get_security_level(ctx);

	if (pkey == NULL)
		return refuse(why, "with a public key that cannot be read");
	if (level > 5)
		level = 5;
	if (level <= 0 || EVP_PKEY_get_security_bits(pkey) >= bits[level])
		return true;
	snprintf(why, TLS_JUDGE_WHY_MAX,
		"with a key of %d bits, which is too weak",
		EVP_PKEY_get_bits(pkey));
	return false;
}

bool tls_judge_ca(SSL_CTX *ctx, X509 *ca, char why[TLS_JUDGE_WHY_MAX])
{
	if (X509_get_extension_flags(ca) & EXFLAG_INVALID)
		return refuse(why, "with extensions that cannot be read");
	if (ASN1_TIME_check(X509_get0_notBefore(ca)) != 1 ||
		ASN1_TIME_check(X509_get0_notAfter(ca)) != 1)
		return refuse(why, "with times that cannot be read");
	if (X509_check_ca(ca) == 0)
		return refuse(why, "that is not a CA's certificate");
	if (X509_get_extension_flags(ca) & EXFLAG_CRITICAL)
		return refuse(why, "with a critical extension that is unknown");
	return tls_judge_strength(ctx, ca, why);
}

bool tls_judge_issuer(X509 *cert, X509 *next, char why[TLS_JUDGE_WHY_MAX])
{
	int rc = X509_check_issued(next, cert);

	if (rc == X509_V_OK && X509_verify(cert, X509_get0_pubkey(next)) == 1)
		return true;
	snprintf(why, TLS_JUDGE_WHY_MAX, "%s",
		rc == X509_V_OK ? "certificate signature failure"
				: X509_verify_cert_error_string(rc));
	return false;
}

/* A list with an unknown critical extension must not be used. */
static bool has_unknown(const STACK_OF(X509_EXTENSION) * extensions)
{
	int i;

	for (i = 0; i < sk_X509_EXTENSION_num(extensions); i++) {
		X509_EXTENSION *one = sk_X509_EXTENSION_value(extensions, i);
		int nid = OBJ_obj2nid(X509_EXTENSION_get_object(one));

		if (X509_EXTENSION_get_critical(one) && nid != NID_crl_number &&
			nid != NID_crl_reason &&
			nid != NID_authority_key_identifier &&
			nid != NID_invalidity_date)
			return true;
	}
	return false;
}

/* An entry whose meaning depends on an extension that full lists lack. */
static bool judge_entry(const X509_REVOKED *entry, char why[TLS_JUDGE_WHY_MAX])
{
	ASN1_ENUMERATED *reason;
	bool is_removal;

	if (has_unknown(X509_REVOKED_get0_extensions(entry)))
		return refuse(why, "with a critical extension of an entry that "
				   "is unknown");
	reason = X509_REVOKED_get_ext_d2i(entry, NID_crl_reason, NULL, NULL);
	is_removal = reason != NULL &&
		     ASN1_ENUMERATED_get(reason) == CRL_REASON_REMOVE_FROM_CRL;
	ASN1_ENUMERATED_free(reason);
	if (is_removal)
		return refuse(why, "with an entry that revokes nothing but "
				   "removes another one, as only delta lists "
				   "have");
	return true;
}

static bool judge_entries(X509_CRL *crl, char why[TLS_JUDGE_WHY_MAX])
{
	STACK_OF(X509_REVOKED) *entries = X509_CRL_get_REVOKED(crl);
	int i;

	for (i = 0; i < sk_X509_REVOKED_num(entries); i++) {
		if (!judge_entry(sk_X509_REVOKED_value(entries, i), why))
			return false;
	}
	return true;
}

static bool has_extension(const X509_CRL *crl, int nid)
{
	return X509_CRL_get_ext_by_NID(crl, nid, -1) >= 0;
}

static bool judge_signer(X509_CRL *crl, X509 *ca, char why[TLS_JUDGE_WHY_MAX])
{
	if (X509_NAME_cmp(
		    X509_CRL_get_issuer(crl), X509_get_subject_name(ca)) != 0 ||
		X509_CRL_verify(crl, X509_get0_pubkey(ca)) != 1)
		return refuse(why, "that was not issued by tls.client_ca");
	if ((X509_get_key_usage(ca) & KU_CRL_SIGN) == 0)
		return refuse(why, "of a CA whose key usage does not allow it "
				   "to sign lists (cRLSign)");
	return true;
}

bool tls_judge_crl(X509_CRL *crl, X509 *ca, char why[TLS_JUDGE_WHY_MAX])
{
	if (has_extension(crl, NID_delta_crl))
		return refuse(why, "that is a delta list, which says only what "
				   "has changed");
	if (has_extension(crl, NID_issuing_distribution_point))
		return refuse(why, "that judges only some of the CA's "
				   "certificates (issuingDistributionPoint)");
	if (has_unknown(X509_CRL_get0_extensions(crl)))
		return refuse(why, "with a critical extension that is unknown");
	if (ca != NULL && !judge_signer(crl, ca, why))
		return false;
	return judge_entries(crl, why);
}

const char *tls_judge_why_untrusted(X509 *ca, X509 *cert)
{
	switch (X509_check_issued(ca, cert)) {
	case X509_V_ERR_AKID_ISSUER_SERIAL_MISMATCH:
		return "its authority key identifier names another certificate "
		       "of the CA, by issuer and serial";
	case X509_V_ERR_AKID_SKID_MISMATCH:
		return "its authority key identifier names another key of the "
		       "CA";
	default:
		return NULL;
	}
}

const char *tls_judge_why_unverified(SSL *ssl)
{
	STACK_OF(X509) *chain = SSL_get0_verified_chain(ssl);
	int len = sk_X509_num(chain);
	STACK_OF(X509) * cas;
	const char *why = NULL;
	int i;

	if (len <= 0)
		return NULL;
	cas = X509_STORE_get1_all_certs(
		SSL_CTX_get_cert_store(SSL_get_SSL_CTX(ssl)));
	for (i = 0; i < sk_X509_num(cas) && why == NULL; i++)
		why = tls_judge_why_untrusted(
			sk_X509_value(cas, i), sk_X509_value(chain, len - 1));
	sk_X509_pop_free(cas, X509_free);
	return why;
}

/* --- what will hurt later ---------------------------------------------- */

static int64_t seconds_of(const ASN1_TIME *when, int64_t otherwise)
{
	struct tm utc;

	if (when == NULL || ASN1_TIME_to_tm(when, &utc) != 1)
		return otherwise;
	return (int64_t)timegm(&utc);
}

static struct lbp_expiry expiry_of(const struct tls_part *part)
{
	if (part->crl != NULL)
		return (struct lbp_expiry){
			.kind = LBP_EXPIRY_CRL,
			.from_s = seconds_of(
				X509_CRL_get0_lastUpdate(part->crl), 0),
			.until_s =
				seconds_of(X509_CRL_get0_nextUpdate(part->crl),
					LBP_EXPIRY_NEVER),
		};
	return (struct lbp_expiry){
		.kind = LBP_EXPIRY_CERTIFICATE,
		.from_s = seconds_of(X509_get0_notBefore(part->cert), 0),
		.until_s = seconds_of(X509_get0_notAfter(part->cert), 0),
	};
}

static void warn_life(const struct tls_file *file, const struct tls_part *part)
{
	const struct lbp_expiry expiry = expiry_of(part);

	problem_warn(file->problems, file->path->pos, &expiry,
		"%s: '" SHOWN_PATH "': the %s on line %u", file->key,
		file->path->ptr,
		part->crl != NULL ? "revocation list" : "certificate",
		part->line);
}

static void warn_usage(
	const struct tls_file *file, X509 *leaf, enum tls_judge_role role)
{
	bool is_server = role == TLS_JUDGE_SERVER;
	uint32_t purpose = is_server ? XKU_SSL_SERVER : XKU_SSL_CLIENT;

	/* Without the extension every bit is set. */
	if ((X509_get_extended_key_usage(leaf) & (purpose | XKU_ANYEKU)) == 0)
		problem_warn(file->problems, file->path->pos, NULL,
			"%s: '" SHOWN_PATH
			"': the extended key usage of its leaf has no %s, so "
			"peers will refuse it",
			file->key, file->path->ptr,
			is_server ? "serverAuth" : "clientAuth");
	if ((X509_get_key_usage(leaf) & KU_DIGITAL_SIGNATURE) == 0)
		problem_warn(file->problems, file->path->pos, NULL,
			"%s: '" SHOWN_PATH
			"': the key usage of its leaf has no digitalSignature, "
			"so peers will refuse it",
			file->key, file->path->ptr);
}

static enum lbp_expiring_kind kind_of(
	const struct tls_file *file, const struct tls_part *part)
{
	if (part->crl != NULL)
		return LBP_EXPIRING_CRL;
	return strstr(file->key, "certificate") != NULL
		       ? LBP_EXPIRING_CERTIFICATE
		       : LBP_EXPIRING_CA;
}

/* Each has its end shown, whichever of them is warned of. */
static void note_lives(
	const struct tls_file *file, const struct tls_parts *parts)
{
	size_t i;

	for (i = 0; i < parts->len; i++) {
		const struct tls_part *part = &parts->items[i];
		const struct lbp_expiring expiring = {
			.kind = kind_of(file, part),
			.key = file->key,
			.file = file->path->ptr,
			.line = part->line,
			.until_s = expiry_of(part).until_s,
		};

		if (expiring.until_s != LBP_EXPIRY_NEVER)
			problem_expires(
				file->problems, file->path->pos, &expiring);
	}
}

void tls_judge_warn_chain(const struct tls_file *file,
	const struct tls_parts *chain, enum tls_judge_role role)
{
	size_t i;

	note_lives(file, chain);
	for (i = 0; i < chain->len; i++)
		warn_life(file, &chain->items[i]);
	warn_usage(file, chain->items[0].cert, role);
}

void tls_judge_warn_last(
	const struct tls_file *file, const struct tls_parts *parts)
{
	const struct tls_part *last = &parts->items[0];
	size_t i;

	note_lives(file, parts);
	for (i = 1; i < parts->len; i++) {
		if (expiry_of(&parts->items[i]).until_s >
			expiry_of(last).until_s)
			last = &parts->items[i];
	}
	warn_life(file, last);
}

void tls_judge_warn_signer(
	const struct tls_file *file, const struct tls_part *part)
{
	if ((X509_get_extension_flags(part->cert) & EXFLAG_CA) != 0 &&
		(X509_get_key_usage(part->cert) & KU_KEY_CERT_SIGN) == 0)
		problem_warn(file->problems, file->path->pos, NULL,
			"%s: '" SHOWN_PATH
			"': the key usage of the CA on line %u has no "
			"keyCertSign, so nothing it issued is trusted",
			file->key, file->path->ptr, part->line);
}
