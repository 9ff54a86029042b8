/*
 * By what client certificates are trusted: CAs and their revocation lists. Made
 * at load, then immutable (but for what was found out by it) and shared by all
 * threads; full and resumed handshakes use the same object.
 */
#ifndef TLS_TRUST_H
#define TLS_TRUST_H

#include <openssl/x509.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "reason.h"
#include "server/hello.h"
#include "tls_known.h"
#include "tls_revoked.h"

/* The issuer of serials that are nobody's: an intermediate. */
#define TRUST_NO_ISSUER UINT64_MAX

/*
 * A list of an intermediate, which nobody knows before it is shown: it is
 * verified then, once for each key.
 */
struct trust_below {
	X509_CRL *crl;
	struct revoked says;
	_Atomic(uint64_t) signer; /* whose key has signed it; 0: none known */
	_Atomic(uint64_t) other;  /* whose has not, the last one seen */
};

struct trust_ca {
	X509 *cert;
	/*
	 * Stands for its name and its key, so that it stays the same over
	 * reloads and renewals of its certificate; never 0.
	 */
	uint64_t number;
	time_t from;    /* it is valid from then, */
	time_t until;   /* and no more from then */
	bool chain;     /* intermediates are allowed */
	bool has_lists; /* something may be revoked */
	struct revoked own;
	struct trust_below *below; /* below_len of them */
	size_t below_len;
	STACK_OF(X509) * alone; /* it, and no other */
};

struct trust {
	struct trust_ca *cas; /* len of them, in the configuration's order */
	size_t len;
	STACK_OF(X509) * all;
	STACK_OF(X509) * chains; /* those that allow intermediates */
	uint64_t era;            /* changes when one is gone */
	struct known *known;     /* certificates that one of them issued */
};

/* The certificates from a client's up to the one that a CA has issued. */
struct trust_chain {
	uint64_t ca;  /* the CA's number */
	unsigned len; /* >= 1 */
	X509 *certs[LBP_CERTS_MAX];
};

/* Makes an empty trust; NULL: out of memory. */
struct trust *trust_new(void);
void trust_free(struct trust *trust); /* NULL is allowed */

/*
 * Adds a CA, with a reference of its own. Until the next one is added, it may
 * be changed. NULL: out of memory, or its validity cannot be read.
 */
struct trust_ca *trust_add(struct trust *trust, X509 *cert, bool chain);

/*
 * Keeps a list of a CA's intermediate, with a reference of its own. False: as
 * of revoked_add.
 */
bool trust_add_below(struct trust_ca *ca, X509_CRL *crl);

/* To be called once, after the last CA and list. */
void trust_seal(struct trust *trust);

/* The number of a CA or intermediate; 0: out of memory. */
uint64_t trust_number(X509 *cert);

/* Returns the CA with this number; NULL: there is none. */
const struct trust_ca *trust_find(const struct trust *trust, uint64_t number);

/*
 * Returns the CA that issued a certificate itself, if its signature is good;
 * NULL: none that its issuer's name and key identifier could mean. Of several
 * of one name it is the one whose signature it is. [SRV-184].
 */
const struct trust_ca *trust_issuer_of(const struct trust *trust, X509 *cert);

/* Returns true if a CA allows intermediates, which clients then send. */
bool trust_has_chains(const struct trust *trust);

/* Returns true if all CAs of another trust are among this one's. */
bool trust_keeps(const struct trust *trust, const struct trust *other);

/*
 * Judges a chain that was verified once in what may change over time: whether
 * its CA is trusted, the validity of all, and revocation. LBP_REASON_NONE: it
 * is fine.
 */
enum lbp_reason trust_judge(
	const struct trust *trust, const struct trust_chain *chain);

/*
 * Until when all certificates of a chain and its CA are valid, in seconds since
 * 1970.
 */
int64_t trust_until(const struct trust *trust, const struct trust_chain *chain);

/* The same as trust_judge without the validity. */
enum lbp_reason trust_judge_revocation(
	const struct trust *trust, const struct trust_chain *chain);

#endif
