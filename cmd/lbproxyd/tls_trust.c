#include "tls_trust.h"

#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

struct trust *trust_new(void)
{
	struct trust *trust = calloc(1, sizeof(*trust));

	if (trust == NULL)
		return NULL;
	trust->all = sk_X509_new_null();
	trust->chains = sk_X509_new_null();
	trust->known = known_new();
	if (trust->all != NULL && trust->chains != NULL && trust->known != NULL)
		return trust;
	trust_free(trust);
	return NULL;
}

static void release_ca(struct trust_ca *ca)
{
	size_t i;

	for (i = 0; i < ca->below_len; i++) {
		X509_CRL_free(ca->below[i].crl);
		revoked_release(&ca->below[i].says);
	}
	free(ca->below);
	revoked_release(&ca->own);
	sk_X509_free(ca->alone);
	X509_free(ca->cert);
}

void trust_free(struct trust *trust)
{
	size_t i;

	if (trust == NULL)
		return;
	for (i = 0; i < trust->len; i++)
		release_ca(&trust->cas[i]);
	free(trust->cas);
	sk_X509_free(trust->all);
	sk_X509_free(trust->chains);
	known_free(trust->known);
	free(trust);
}

/* A name in DER and a key in DER, one after the other; 0: out of memory. */
static size_t write_identity(X509 *cert, unsigned char **out)
{
	const X509_NAME *name = X509_get_subject_name(cert);
	X509_PUBKEY *key = X509_get_X509_PUBKEY(cert);
	int name_len = i2d_X509_NAME(name, NULL);
	int key_len = i2d_X509_PUBKEY(key, NULL);
	unsigned char *at;

	*out = NULL;
	if (name_len <= 0 || key_len <= 0)
		return 0;
	at = *out = OPENSSL_malloc((size_t)name_len + (size_t)key_len);
	if (at == NULL)
		return 0;
	i2d_X509_NAME(name, &at);
	i2d_X509_PUBKEY(key, &at);
	return (size_t)name_len + (size_t)key_len;
}

uint64_t trust_number(X509 *cert)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned char *identity;
	size_t len = write_identity(cert, &identity);
	uint64_t number = 0;

	if (len > 0 && EVP_Digest(identity, len, digest, NULL, EVP_sha256(),
			       NULL) == 1) {
		memcpy(&number, digest, sizeof(number));
		/* Two numbers have a meaning: 0, and TRUST_NO_ISSUER. */
		number = (number | 2) & ~UINT64_C(1);
	}
	OPENSSL_free(identity);
	return number;
}

struct trust_ca *trust_add(struct trust *trust, X509 *cert, bool chain)
{
	struct trust_ca *cas =
		realloc(trust->cas, (trust->len + 1) * sizeof(*cas));
	struct trust_ca *ca;

	if (cas == NULL)
		return NULL;
	trust->cas = cas;
	ca = &cas[trust->len];
	*ca = (struct trust_ca){.chain = chain,
		.number = trust_number(cert),
		.alone = sk_X509_new_null()};
	(void)X509_up_ref(cert);
	ca->cert = cert;
	trust->len++;
	/* It was judged: its times can be read. */
	(void)revoked_read_time(X509_get0_notBefore(cert), &ca->from);
	(void)revoked_read_time(X509_get0_notAfter(cert), &ca->until);
	if (ca->number == 0 || ca->alone == NULL ||
		sk_X509_push(ca->alone, cert) <= 0 ||
		sk_X509_push(trust->all, cert) <= 0 ||
		(chain && sk_X509_push(trust->chains, cert) <= 0))
		return NULL;
	return ca;
}

bool trust_add_below(struct trust_ca *ca, X509_CRL *crl)
{
	struct trust_below *below =
		realloc(ca->below, (ca->below_len + 1) * sizeof(*below));

	if (below == NULL)
		return false;
	ca->below = below;
	below = &below[ca->below_len++];
	memset(below, 0, sizeof(*below));
	(void)X509_CRL_up_ref(crl);
	below->crl = crl;
	return revoked_add(&below->says, crl);
}

void trust_seal(struct trust *trust)
{
	size_t i, k;

	for (i = 0; i < trust->len; i++) {
		struct trust_ca *ca = &trust->cas[i];

		revoked_seal(&ca->own);
		for (k = 0; k < ca->below_len; k++)
			revoked_seal(&ca->below[k].says);
	}
}

const struct trust_ca *trust_find(const struct trust *trust, uint64_t number)
{
	size_t i;

	for (i = 0; i < trust->len; i++) {
		if (trust->cas[i].number == number)
			return &trust->cas[i];
	}
	return NULL;
}

static bool has_signed(const struct trust_ca *ca, X509 *cert)
{
	return X509_verify(cert, X509_get0_pubkey(ca->cert)) == 1;
}

const struct trust_ca *trust_issuer_of(const struct trust *trust, X509 *cert)
{
	const struct trust_ca *found = NULL;
	bool is_known = true; /* found is the one, or the only one */
	size_t i;

	for (i = 0; i < trust->len; i++) {
		const struct trust_ca *ca = &trust->cas[i];

		if (X509_check_issued(ca->cert, cert) != X509_V_OK)
			continue;
		if (found == NULL) {
			found = ca;
			continue;
		}
		if (is_known && has_signed(found, cert))
			return found;
		is_known = false;
		if (has_signed(ca, cert))
			return ca;
	}
	return found;
}

bool trust_has_chains(const struct trust *trust)
{
	return sk_X509_num(trust->chains) > 0;
}

bool trust_keeps(const struct trust *trust, const struct trust *other)
{
	size_t i;

	for (i = 0; i < other->len; i++) {
		if (trust_find(trust, other->cas[i].number) == NULL)
			return false;
	}
	return true;
}

/* Is a list that of this intermediate? */
static bool is_list_of(struct trust_below *below, X509 *issuer)
{
	uint64_t number;

	if (X509_NAME_cmp(X509_CRL_get_issuer(below->crl),
		    X509_get_subject_name(issuer)) != 0 ||
		(X509_get_key_usage(issuer) & KU_CRL_SIGN) == 0)
		return false;
	number = trust_number(issuer);
	if (number == 0 || number == atomic_load(&below->other))
		return false;
	if (number == atomic_load(&below->signer))
		return true;
	if (X509_CRL_verify(below->crl, X509_get0_pubkey(issuer)) != 1) {
		atomic_store(&below->other, number);
		return false;
	}
	atomic_store(&below->signer, number);
	return true;
}

/* By the lists of an intermediate; as revoked_judge says, over all of them. */
static enum lbp_reason judge_below(
	const struct trust_ca *ca, X509 *issuer, const X509 *cert)
{
	enum lbp_reason reason = LBP_REASON_CRL_EXPIRED;
	size_t i;

	for (i = 0; i < ca->below_len; i++) {
		struct trust_below *below = &ca->below[i];
		struct lbp_serial serial;

		if (!is_list_of(below, issuer))
			continue;
		if (revoked_serial(X509_get0_serialNumber(cert), &serial) ==
				LBP_OK &&
			revoked_has(&below->says, &serial))
			return LBP_REASON_REVOKED;
		if (reason != LBP_REASON_NONE)
			reason = revoked_judge(&below->says, cert);
	}
	return reason;
}

static enum lbp_reason judge_revocation(
	const struct trust_ca *ca, const struct trust_chain *chain)
{
	enum lbp_reason reason = LBP_REASON_NONE;
	unsigned i;

	if (!ca->has_lists)
		return LBP_REASON_NONE;
	/* From the CA down, as each is judged by the one above it. */
	for (i = chain->len; i > 0 && reason == LBP_REASON_NONE; i--)
		reason = i == chain->len
				 ? revoked_judge(&ca->own, chain->certs[i - 1])
				 : judge_below(ca, chain->certs[i],
					   chain->certs[i - 1]);
	return reason;
}

/* Is a chain still allowed by its CA? */
static const struct trust_ca *ca_of(
	const struct trust *trust, const struct trust_chain *chain)
{
	const struct trust_ca *ca = trust_find(trust, chain->ca);

	return ca != NULL && (chain->len == 1 || ca->chain) ? ca : NULL;
}

enum lbp_reason trust_judge_revocation(
	const struct trust *trust, const struct trust_chain *chain)
{
	const struct trust_ca *ca = ca_of(trust, chain);

	return ca == NULL ? LBP_REASON_UNTRUSTED : judge_revocation(ca, chain);
}

static enum lbp_reason judge_time(time_t from, time_t until, time_t now)
{
	if (now < from)
		return LBP_REASON_NOT_YET_VALID;
	return now >= until ? LBP_REASON_EXPIRED : LBP_REASON_NONE;
}

static enum lbp_reason judge_life(const X509 *cert, time_t now)
{
	time_t from, until;

	if (!revoked_read_time(X509_get0_notBefore(cert), &from) ||
		!revoked_read_time(X509_get0_notAfter(cert), &until))
		return LBP_REASON_BAD_CERTIFICATE;
	return judge_time(from, until, now);
}

int64_t trust_until(const struct trust *trust, const struct trust_chain *chain)
{
	const struct trust_ca *ca = trust_find(trust, chain->ca);
	time_t until = ca == NULL ? 0 : ca->until;
	unsigned i;

	for (i = 0; i < chain->len; i++) {
		time_t own;

		if (revoked_read_time(
			    X509_get0_notAfter(chain->certs[i]), &own) &&
			own < until)
			until = own;
	}
	return until;
}

enum lbp_reason trust_judge(
	const struct trust *trust, const struct trust_chain *chain)
{
	const struct trust_ca *ca = ca_of(trust, chain);
	time_t now = time(NULL);
	enum lbp_reason reason, revocation;
	unsigned i;

	if (ca == NULL)
		return LBP_REASON_UNTRUSTED;
	reason = judge_time(ca->from, ca->until, now);
	for (i = 0; i < chain->len && reason == LBP_REASON_NONE; i++)
		reason = judge_life(chain->certs[i], now);
	/* What has expired may be spared, but not if it is revoked too. */
	revocation = judge_revocation(ca, chain);
	return reason == LBP_REASON_NONE || revocation == LBP_REASON_REVOKED
		       ? revocation
		       : reason;
}
