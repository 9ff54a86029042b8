/*
 * What is trusted of clients' certificates: one CA, and what its revocation
 * lists say. Made at load, and then immutable and shared by all threads; full
 * and resumed handshakes ask the same object. [SRV-66].
 */
#ifndef TLS_TRUST_H
#define TLS_TRUST_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <time.h>

#include "serial.h"
#include "session.h"

/* From when on, and up to but without when, something holds. */
struct trust_time {
	time_t from;
	time_t until;
};

struct trust {
	X509 *ca; /* NULL: none yet */
	struct trust_time ca_life;
	struct lbp_serial *revoked; /* sorted, once the trust is sealed */
	size_t revoked_len;
	struct trust_time *lists; /* the life of each revocation list */
	size_t lists_len;         /* 0: nothing is ever revoked */
};

/* With nothing in it; NULL: out of memory. */
struct trust *trust_new(void);
void trust_free(struct trust *trust); /* NULL is allowed */

/* Takes over a reference to the CA. False: its validity cannot be read. */
bool trust_set_ca(struct trust *trust, X509 *ca);

/*
 * Adds what a list revokes. It stays the caller's, who has verified it: that
 * the CA signed it, and that it is a whole list for all reasons. False: out of
 * memory, or a time in it cannot be read.
 */
bool trust_add_crl(struct trust *trust, X509_CRL *crl);

/* Sorts what was added; to be called once, before it is asked. */
void trust_seal(struct trust *trust);

/*
 * Judges a certificate that the CA issued, as far as that may change with time:
 * its and the CA's life and its revocation. LBP_REASON_NONE: it is fine. Of
 * several lists one has to be in force; what any of them revokes is revoked.
 */
enum lbp_reason trust_judge(const struct trust *trust, const X509 *cert);

/* The same without the certificate's and the CA's own life. */
enum lbp_reason trust_judge_revocation(
	const struct trust *trust, const X509 *cert);

/* Is this serial on a list? Asked of a sealed trust. */
bool trust_revokes(const struct trust *trust, const struct lbp_serial *serial);

/* The canonical serial of a certificate or an entry; an error: it has none. */
LBP_MUST_CHECK enum lbp_err trust_serial(
	const ASN1_INTEGER *number, struct lbp_serial *serial);

#endif
