/* OpenSSL's way to the socket. */
#ifndef TLS_BIO_H
#define TLS_BIO_H

#include <stdbool.h>

#include "tls.h"

/*
 * To be called before any TLS starts; further calls do nothing. False: out of
 * memory.
 */
bool tls_bio_init(void);

/*
 * Puts a started TLS on a socket, which stays the caller's. False: out of
 * memory.
 */
bool tls_bio_use(struct tls *tls, int fd);

#endif
