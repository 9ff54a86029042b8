#include "tls_revoked.h"

#include <stdlib.h>
#include <string.h>

#include "server/expiry.h"

enum lbp_err revoked_serial(
	const ASN1_INTEGER *number, struct lbp_serial *serial)
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

bool revoked_read_time(const ASN1_TIME *from, time_t *to)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(from, &tm) != 1)
		return false;
	*to = timegm(&tm);
	return true;
}

/* Adds the validity of one more list; NULL: out of memory. */
static struct revoked_time *add_life(struct revoked *revoked)
{
	struct revoked_time *lives = realloc(revoked->lives,
		(revoked->lives_len + 1) * sizeof(*revoked->lives));

	if (lives == NULL)
		return NULL;
	revoked->lives = lives;
	return &lives[revoked->lives_len++];
}

/* Makes room for n more serials. */
static bool reserve(struct revoked *revoked, size_t more)
{
	struct lbp_serial *serials;

	if (more == 0)
		return true;
	serials = realloc(revoked->serials,
		(revoked->len + more) * sizeof(*revoked->serials));
	if (serials == NULL)
		return false;
	revoked->serials = serials;
	return true;
}

bool revoked_add(struct revoked *revoked, const X509_CRL *crl)
{
	const ASN1_TIME *until = X509_CRL_get0_nextUpdate(crl);
	STACK_OF(X509_REVOKED) *entries = X509_CRL_get_REVOKED((X509_CRL *)crl);
	int n = entries == NULL ? 0 : sk_X509_REVOKED_num(entries);
	struct revoked_time *life = add_life(revoked);
	int i;

	if (life == NULL || !reserve(revoked, (size_t)n) ||
		!revoked_read_time(X509_CRL_get0_lastUpdate(crl), &life->from))
		return false;
	/* Without an end it never expires. */
	life->until = LBP_EXPIRY_NEVER;
	if (until != NULL && !revoked_read_time(until, &life->until))
		return false;
	for (i = 0; i < n; i++) {
		const X509_REVOKED *entry = sk_X509_REVOKED_value(entries, i);

		/* An invalid serial cannot be a client's. [SER-3]. */
		if (revoked_serial(X509_REVOKED_get0_serialNumber(entry),
			    &revoked->serials[revoked->len]) == LBP_OK)
			revoked->len++;
	}
	return true;
}

static int compare(const void *a, const void *b)
{
	return lbp_serial_compare(a, b);
}

void revoked_seal(struct revoked *revoked)
{
	if (revoked->len > 0)
		qsort(revoked->serials, revoked->len, sizeof(*revoked->serials),
			compare);
}

static bool is_in_force(const struct revoked *revoked, time_t now)
{
	size_t i;

	for (i = 0; i < revoked->lives_len; i++) {
		if (now >= revoked->lives[i].from &&
			now < revoked->lives[i].until)
			return true;
	}
	return false;
}

bool revoked_has(const struct revoked *revoked, const struct lbp_serial *serial)
{
	return revoked->len > 0 &&
	       bsearch(serial, revoked->serials, revoked->len, sizeof(*serial),
		       compare) != NULL;
}

enum lbp_reason revoked_judge(const struct revoked *revoked, const X509 *cert)
{
	struct lbp_serial serial;

	if (!is_in_force(revoked, time(NULL)))
		return LBP_REASON_CRL_EXPIRED;
	if (revoked_serial(X509_get0_serialNumber(cert), &serial) != LBP_OK)
		return LBP_REASON_BAD_CERTIFICATE;
	return revoked_has(revoked, &serial) ? LBP_REASON_REVOKED
					     : LBP_REASON_NONE;
}

void revoked_release(struct revoked *revoked)
{
	free(revoked->serials);
	free(revoked->lives);
	*revoked = (struct revoked){0};
}
