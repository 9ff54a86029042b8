/*
 * What revocation lists say. They are verified by whoever adds them, and never
 * read again. [SRV-66].
 */
#ifndef TLS_REVOKED_H
#define TLS_REVOKED_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "reason.h"
#include "serial.h"

/* A period: from is part of it, until is not. */
struct revoked_time {
	time_t from;
	time_t until;
};

/* Of all lists of one issuer; starts as zeros. */
struct revoked {
	struct lbp_serial *serials; /* sorted, once it is sealed */
	size_t len;
	struct revoked_time *lives; /* the validity of each list */
	size_t lives_len;
};

/*
 * Adds what a list revokes. The list stays the caller's, who must have verified
 * that the issuer signed it and that it is complete, for all reasons. False:
 * out of memory, or a time in it is malformed.
 */
bool revoked_add(struct revoked *revoked, const X509_CRL *crl);

/* Sorts what was added; to be called once, before the first question. */
void revoked_seal(struct revoked *revoked);

/* Returns true if this serial is on a list. */
bool revoked_has(
	const struct revoked *revoked, const struct lbp_serial *serial);

/*
 * Judges a certificate of the issuer: LBP_REASON_NONE if it is fine. Of several
 * lists one must be in force; what any of them revokes is revoked.
 */
enum lbp_reason revoked_judge(const struct revoked *revoked, const X509 *cert);

void revoked_release(struct revoked *revoked);

/* The canonical serial of a certificate or list entry, or an error. */
LBP_MUST_CHECK enum lbp_err revoked_serial(
	const ASN1_INTEGER *number, struct lbp_serial *serial);

/* Reads a time. False: it is not one. */
bool revoked_read_time(const ASN1_TIME *from, time_t *to);

#endif
