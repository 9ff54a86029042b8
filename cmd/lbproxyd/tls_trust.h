/*
 * By what client certificates are trusted: one CA and its revocation lists.
 * Made at load, then immutable and shared by all threads; full and resumed
 * handshakes use the same object. [SRV-66].
 */
#ifndef TLS_TRUST_H
#define TLS_TRUST_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "serial.h"
#include "session.h"

/* A period: from is part of it, until is not. */
struct trust_time {
	time_t from;
	time_t until;
};

struct trust {
	X509 *ca; /* NULL: none yet */
	struct trust_time ca_life;
	struct lbp_serial *revoked; /* sorted, once the trust is sealed */
	size_t revoked_len;
	struct trust_time *lists; /* the validity of each revocation list */
	size_t lists_len;         /* 0: nothing is ever revoked */
	uint64_t era;             /* changes with the CA */
};

/* Makes an empty trust; NULL: out of memory. */
struct trust *trust_new(void);
void trust_free(struct trust *trust); /* NULL is allowed */

/* Takes over a reference to the CA. False: its validity cannot be read. */
bool trust_set_ca(struct trust *trust, X509 *ca);

/*
 * Adds what a list revokes. The list stays the caller's, who must have verified
 * that the CA signed it and that it is complete, for all reasons. False: out of
 * memory, or a time in it is malformed.
 */
bool trust_add_crl(struct trust *trust, X509_CRL *crl);

/* Sorts what was added; to be called once, before the first question. */
void trust_seal(struct trust *trust);

/*
 * Judges a certificate issued by the CA in what may change over time: the
 * validity of both, and revocation. LBP_REASON_NONE: it is fine. Of several
 * lists one must be in force; what any of them revokes is revoked.
 */
enum lbp_reason trust_judge(const struct trust *trust, const X509 *cert);

/* Until when both are valid; LBP_EXPIRY_NEVER: that cannot be read. */
int64_t trust_until(const struct trust *trust, const X509 *cert);

/* The same without the validity of the certificate and the CA. */
enum lbp_reason trust_judge_revocation(
	const struct trust *trust, const X509 *cert);

/* Returns true if the CA is the same, and not only of the same name. */
bool trust_is_same_ca(const struct trust *trust, X509 *ca);

/*
 * Returns true if the CA issued this certificate, by its name and its
 * signature.
 */
bool trust_issued(const struct trust *trust, X509 *cert);

/* Returns true if this serial is on a list; the trust must be sealed. */
bool trust_revokes(const struct trust *trust, const struct lbp_serial *serial);

/* The canonical serial of a certificate or list entry, or an error. */
LBP_MUST_CHECK enum lbp_err trust_serial(
	const ASN1_INTEGER *number, struct lbp_serial *serial);

#endif
