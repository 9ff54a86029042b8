/*
 * A small public key infrastructure, made anew at each start and the same each
 * time: its keys come from a generator with a fixed seed. The clock that
 * OpenSSL sees is the one here, so that certificates age as a test wants.
 */
#ifndef LBP_FUZZ_TLS_PKI_H
#define LBP_FUZZ_TLS_PKI_H

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <time.h>

#include "serial.h"

/* When it was made, and how long things last. */
#define PKI_START      1700000000
#define PKI_CERT_LIFE  (10 * 86400)
#define PKI_CA_LIFE    (PKI_CERT_LIFE - 1)
#define PKI_SHORT_LIFE 5400
#define PKI_CRL_LIFE   (5 * 86400)
/* What is valid from before it was made: certificates, and the CRL. */
#define PKI_CERT_FROM (-86400)
#define PKI_CRL_FROM  (-43200)

enum pki_kind {
	PKI_GOOD,
	PKI_OTHER,    /* good too, of another client, who sends the CA's */
	PKI_NO_EKU,   /* good too: nothing says what it is for */
	PKI_SHORT,    /* good for PKI_SHORT_LIFE */
	PKI_STOLEN,   /* PKI_GOOD without its key */
	PKI_FOREIGN,  /* the serial of PKI_GOOD under another CA */
	PKI_IMPOSTOR, /* the same, and the other CA has our CA's name */
	PKI_SELF,     /* the same, its own issuer */
	PKI_INDIRECT, /* the same under an intermediate of our CA */
	PKI_CA,       /* our CA's own certificate */
	PKI_EXPIRED,
	PKI_FUTURE,
	PKI_REVOKED,
	PKI_SERVER_EKU, /* for servers only */
	PKI_NO_SIGNING, /* its key usage forbids client authentication */
	PKI_ZERO,       /* serials that are none */
	PKI_NEGATIVE,
	PKI_LONG,
	PKI_NONE, /* no certificate at all */
	PKI_KINDS,
};

/* What is wrong with a kind besides time and revocation: of PKI_FAULT. */
#define PKI_FAULT(reason) (1u << (reason))

struct pki_plan {
	const char *serial; /* hex, as OpenSSL reads it */
	long from;          /* seconds from PKI_START */
	long until;
	const char *key_usage;
	const char *ext_key_usage; /* NULL: none */
	unsigned faults;
	const char *names; /* subject alternative ones; NULL: none */
};

/* Those of PKI_OTHER that a client can list. */
#define PKI_URI "spiffe://corp/other"
#define PKI_DNS "Other.corp.example"

extern const struct pki_plan pki_plans[PKI_KINDS];

struct pki_cert {
	X509 *cert; /* NULL: none */
	EVP_PKEY *key;
	X509 *intermediate; /* NULL: none */
};

struct pki {
	struct pki_cert ca;
	struct pki_cert other_ca; /* of PKI_FOREIGN */
	struct pki_cert server;
	X509_CRL *crl;       /* has PKI_REVOKED */
	X509_CRL *grown_crl; /* has PKI_OTHER too */
	struct pki_cert certs[PKI_KINDS];
};

/* The time that time(2) tells the whole program. */
extern time_t pki_now;

/*
 * Sets it. The clock that only goes forward stands still if it goes back, and
 * else goes with it; it is the server's where clock_gettime is wrapped.
 */
void pki_set_clock(time_t now);

/* Seconds on the clock that only goes forward. */
time_t pki_uptime(void);

/* Makes OpenSSL draw from a generator, which starts again at this seed. */
void pki_seed(uint64_t seed);

/* Makes all of it; aborts if OpenSSL cannot. */
void pki_make(struct pki *pki);
void pki_release(struct pki *pki);

/*
 * Files in memory. path has room for PKI_PATH_MAX bytes; they exist until
 * pki_close_files.
 */
#define PKI_PATH_MAX 32

struct pki_files {
	int fds[7];
	char certificate[PKI_PATH_MAX];
	char private_key[PKI_PATH_MAX];
	char client_ca[PKI_PATH_MAX];
	char other_ca[PKI_PATH_MAX];
	char crl[PKI_PATH_MAX];
	char grown_crl[PKI_PATH_MAX];
	char client_key[PKI_PATH_MAX]; /* the key of PKI_GOOD */
};

void pki_open_files(const struct pki *pki, struct pki_files *files);
void pki_close_files(struct pki_files *files);

#endif
