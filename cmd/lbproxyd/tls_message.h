/* A client's handshake messages, checked before OpenSSL parses them. */
#ifndef TLS_MESSAGE_H
#define TLS_MESSAGE_H

#include <stddef.h>
#include <stdint.h>

#include "tls.h"

/*
 * Checks a message, its header included, and corrupts one that asks for more
 * work than a stranger may, so that OpenSSL rejects it; tls then has the
 * reason. [SRV-64], [SRV-65].
 */
void tls_check_message(
	struct tls *tls, int version, const uint8_t *message, size_t len);

#endif
