/* The CAs of clients, and their revocation lists. [SRV-75], [SRV-126]. */
#ifndef TLS_CAS_H
#define TLS_CAS_H

#include "tls_private.h"

/*
 * Puts the configured CAs and lists into a server's trust; relative paths are
 * looked up in the directory open as dir_fd. Each fault is printed at the place
 * of its key.
 */
void tls_use_cas(struct tls_server *server, const struct lbp_config *config,
	int dir_fd, struct problems *problems);

#endif
