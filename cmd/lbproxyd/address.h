/* Host names and addresses, resolved once at the start. [SRV-15]. */
#ifndef ADDRESS_H
#define ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "config.h"
#include "problem.h"

/* Room for "[IPv6]:port" and the final NUL. */
#define ADDRESS_TEXT_MAX 64

union address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

struct addresses {
	union address *items; /* len of them, in the resolver's order */
	size_t len;
};

/*
 * Resolves a "host:port" of the configuration into *out, which
 * addresses_release ends. False: the problem was printed, *out is empty.
 */
bool addresses_resolve(struct addresses *out,
	const struct lbp_config_address *from, const char *key,
	struct problems *problems);
void addresses_release(struct addresses *addresses);

/* Are they the same, port included? */
bool address_equal(const union address *a, const union address *b);

/* The length that the socket calls want. */
socklen_t address_len(const union address *address);

/* Writes "host:port" to buf, which has ADDRESS_TEXT_MAX bytes; returns it. */
const char *address_text(const union address *address, char *buf);

#endif
