/* Host names and addresses. [SRV-15], [SRV-93]. */
#ifndef ADDRESS_H
#define ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "server/sources.h"

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
	const char *cause; /* why there is none; static */
};

/*
 * Asks for the addresses of a host into *out, each once, which
 * addresses_release ends; it may take long. There may be none now, for a
 * cause. False: out of memory, and there is none.
 */
bool addresses_resolve(struct addresses *out, const char *host, uint16_t port);
void addresses_release(struct addresses *addresses);

/* Is this an address, and no name that somebody has to be asked for? */
bool address_is_literal(const char *host);

/* Are they the same, port included? */
bool address_equal(const union address *a, const union address *b);

/* Whose it is. [SRC-1]. */
struct lbp_source address_source(const union address *address);

/* The length that the socket calls want. */
socklen_t address_len(const union address *address);

/* Writes "host:port" to buf, which has ADDRESS_TEXT_MAX bytes; returns it. */
const char *address_text(const union address *address, char *buf);

#endif
