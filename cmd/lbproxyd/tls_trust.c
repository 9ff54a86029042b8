#include "tls_trust.h"

#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "server/expiry.h"

struct trust *trust_new(void)
{
	return calloc(1, sizeof(struct trust));
}

void trust_free(struct trust *trust)
{
	if (trust == NULL)
		return;
	X509_free(trust->ca);
	free(trust->revoked);
	free(trust->lists);
	free(trust);
}

enum lbp_err trust_serial(const ASN1_INTEGER *number, struct lbp_serial *serial)
{
	const uint8_t *octets = ASN1_STRING_get0_data(number);
	int len = ASN1_STRING_length(number);
	uint8_t content[LBP_SERIAL_MAX + 1] = {0};

	/*
	 * OpenSSL keeps magnitude and sign apart; a leading zero octet makes
	 * the magnitude the DER content of the same positive number.
	 */
	if (ASN1_STRING_type(number) == V_ASN1_NEG_INTEGER ||
		len > LBP_SERIAL_MAX)
		return LBP_ERR_RANGE;
	memcpy(content + 1, octets, (size_t)len);
	return lbp_serial_from_der(serial, content, (size_t)len + 1);
}

/* False: not a time. */
static bool read_time(const ASN1_TIME *from, time_t *to)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(from, &tm) != 1)
		return false;
	*to = timegm(&tm);
	return true;
}

bool trust_set_ca(struct trust *trust, X509 *ca)
{
	X509_free(trust->ca);
	trust->ca = ca;
	return read_time(X509_get0_notBefore(ca), &trust->ca_life.from) &&
	       read_time(X509_get0_notAfter(ca), &trust->ca_life.until);
}

bool trust_is_same_ca(const struct trust *trust, X509 *ca)
{
	return trust->ca == ca || X509_cmp(trust->ca, ca) == 0;
}

bool trust_issued(const struct trust *trust, X509 *cert)
{
	return X509_check_issued(trust->ca, cert) == X509_V_OK &&
	       X509_verify(cert, X509_get0_pubkey(trust->ca)) == 1;
}

/* Adds the validity of one more list; NULL: out of memory. */
static struct trust_time *add_life(struct trust *trust)
{
	struct trust_time *lists = realloc(
		trust->lists, (trust->lists_len + 1) * sizeof(*trust->lists));

	if (lists == NULL)
		return NULL;
	trust->lists = lists;
	return &lists[trust->lists_len++];
}

/* Makes room for n more serials. */
static bool reserve(struct trust *trust, size_t more)
{
	struct lbp_serial *revoked;

	if (more == 0)
		return true;
	revoked = realloc(trust->revoked,
		(trust->revoked_len + more) * sizeof(*trust->revoked));
	if (revoked == NULL)
		return false;
	trust->revoked = revoked;
	return true;
}

bool trust_add_crl(struct trust *trust, X509_CRL *crl)
{
	const ASN1_TIME *until = X509_CRL_get0_nextUpdate(crl);
	STACK_OF(X509_REVOKED) *entries = X509_CRL_get_REVOKED(crl);
	int n = entries == NULL ? 0 : sk_X509_REVOKED_num(entries);
	struct trust_time *life = add_life(trust);
	int i;

	if (life == NULL || !reserve(trust, (size_t)n) ||
		!read_time(X509_CRL_get0_lastUpdate(crl), &life->from))
		return false;
	/* Without an end it never expires. */
	life->until = LBP_EXPIRY_NEVER;
	if (until != NULL && !read_time(until, &life->until))
		return false;
	for (i = 0; i < n; i++) {
		const X509_REVOKED *entry = sk_X509_REVOKED_value(entries, i);

		/* An invalid serial cannot be a client's. [SER-3]. */
		if (trust_serial(X509_REVOKED_get0_serialNumber(entry),
			    &trust->revoked[trust->revoked_len]) == LBP_OK)
			trust->revoked_len++;
	}
	return true;
}

static int compare(const void *a, const void *b)
{
	return lbp_serial_compare(a, b);
}

void trust_seal(struct trust *trust)
{
	if (trust->revoked_len > 0)
		qsort(trust->revoked, trust->revoked_len,
			sizeof(*trust->revoked), compare);
}

static bool is_in_force(const struct trust *trust, time_t now)
{
	size_t i;

	for (i = 0; i < trust->lists_len; i++) {
		if (now >= trust->lists[i].from && now < trust->lists[i].until)
			return true;
	}
	return false;
}

bool trust_revokes(const struct trust *trust, const struct lbp_serial *serial)
{
	return trust->revoked_len > 0 &&
	       bsearch(serial, trust->revoked, trust->revoked_len,
		       sizeof(*serial), compare) != NULL;
}

enum lbp_reason trust_judge_revocation(
	const struct trust *trust, const X509 *cert)
{
	struct lbp_serial serial;

	if (trust->lists_len == 0)
		return LBP_REASON_NONE;
	if (!is_in_force(trust, time(NULL)))
		return LBP_REASON_CRL_EXPIRED;
	if (trust_serial(X509_get0_serialNumber(cert), &serial) != LBP_OK)
		return LBP_REASON_BAD_CERTIFICATE;
	return trust_revokes(trust, &serial) ? LBP_REASON_REVOKED
					     : LBP_REASON_NONE;
}

int64_t trust_until(const struct trust *trust, const X509 *cert)
{
	time_t until;

	if (!read_time(X509_get0_notAfter(cert), &until))
		return LBP_EXPIRY_NEVER;
	return until < trust->ca_life.until ? until : trust->ca_life.until;
}

enum lbp_reason trust_judge(const struct trust *trust, const X509 *cert)
{
	time_t now = time(NULL);
	struct trust_time life;

	if (!read_time(X509_get0_notBefore(cert), &life.from) ||
		!read_time(X509_get0_notAfter(cert), &life.until))
		return LBP_REASON_BAD_CERTIFICATE;
	if (now < life.from || now < trust->ca_life.from)
		return LBP_REASON_NOT_YET_VALID;
	if (now >= life.until || now >= trust->ca_life.until)
		return LBP_REASON_EXPIRED;
	return trust_judge_revocation(trust, cert);
}
