/*
 * Reads the files that the configuration names: every block of them, or an
 * error at the key. [SRV-72], [SRV-73].
 */
#ifndef TLS_FILE_H
#define TLS_FILE_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "problem.h"
#include "server/pem.h"

/* Kinds of private keys, and what may stand before one. */
#define TLS_FILE_KEYS                                                          \
	(LBP_PEM_SET(LBP_PEM_KEY) | LBP_PEM_SET(LBP_PEM_RSA_KEY) |             \
		LBP_PEM_SET(LBP_PEM_EC_KEY) | LBP_PEM_SET(LBP_PEM_DSA_KEY) |   \
		LBP_PEM_SET(LBP_PEM_EC_PARAMETERS))
#define TLS_FILE_CERTS LBP_PEM_SET(LBP_PEM_CERTIFICATE)
#define TLS_FILE_CRLS  LBP_PEM_SET(LBP_PEM_CRL)

/* A file that a key names, and where to report what is wrong with it. */
struct tls_file {
	const char *key;
	const struct lbp_config_text *path;
	int dir_fd;
	struct problems *problems;
	unsigned kinds;       /* wanted ones, of LBP_PEM_SET */
	unsigned others;      /* allowed too, for another key */
	const char *accepted; /* for messages: "a PEM file with ..." */
};

/* One block; one of the three is set. */
struct tls_part {
	uint32_t line;
	X509 *cert;
	X509_CRL *crl;
	EVP_PKEY *pkey;
};

struct tls_parts {
	struct tls_part *items; /* len of them, in the order of the file */
	size_t len;
};

/*
 * Reads the wanted blocks of a file, at least one; release them with
 * tls_parts_release. False: each fault was printed at the place of the key;
 * *parts is empty.
 */
bool tls_file_read(const struct tls_file *file, struct tls_parts *parts);
void tls_parts_release(struct tls_parts *parts);

/* Prints "KEY: 'PATH': what is wrong; accepted: ...". */
__attribute__((format(printf, 2, 3))) void tls_file_problem(
	const struct tls_file *file, const char *format, ...);

/* OpenSSL's reason for its last failure, or otherwise if it has none. */
const char *tls_file_reason(const char *otherwise);

#endif
