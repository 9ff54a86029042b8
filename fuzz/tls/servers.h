/*
 * Servers as cmd/lbproxyd sets them up, with the certificates of pki.h, and
 * what each should think of a client's certificate.
 */
#ifndef LBP_FUZZ_TLS_SERVERS_H
#define LBP_FUZZ_TLS_SERVERS_H

#include "../../cmd/lbproxyd/tls_private.h"
#include "pki.h"

enum {
	SERVER_PLAIN, /* no CRL */
	SERVER_CRL,
	SERVER_13,
	SERVER_RETRY, /* makes every client of TLS 1.3 say hello again */
	SERVER_CAS,   /* no CRL; two CAs, the first one with intermediates */
	SERVERS,
};

/* Makes the servers and what they know, unless that was done before. */
void servers_start(void);

/* The server that a byte of an input stands for. */
unsigned servers_draw(uint8_t drawn);

struct tls_server *servers_get(unsigned server);

/*
 * What they judge by is loaded anew: did the CRL grow, and did SERVER_CAS lose
 * its second CA and the intermediates of the first one?
 */
void servers_reload(bool grown);

/* A certificate of a client; it stays the servers'. */
const struct pki_cert *servers_cert(enum pki_kind kind);

/* What is wrong with a certificate at a time, of PKI_FAULT. */
unsigned servers_faults_of(enum pki_kind kind, unsigned server, time_t now);

/* Whose serial this is, of those that a server trusts, or PKI_NONE. */
enum pki_kind servers_kind_of(unsigned server, const struct lbp_name *name);

/* Are these the names of that kind: its serial, and what it has besides? */
bool servers_has_names(
	enum pki_kind kind, const struct lbp_name *names, size_t len);

/* Forgets all sessions, so that the next input finds none. */
void servers_flush(void);

#endif
