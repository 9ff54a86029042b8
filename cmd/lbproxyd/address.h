/* Host names and addresses. [SRV-15], [SRV-93]. */
#ifndef ADDRESS_H
#define ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "server/network.h"
#include "server/sources.h"

/* Room for "[IPv6]:port" and the final NUL. */
#define ADDRESS_TEXT_MAX 64

union address {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/* Where something can be reached: at IP addresses or at one path. */
struct addresses {
	union address *items; /* len of them, in the resolver's order */
	size_t len;
	struct sockaddr_un *path; /* a socket's: then there are no items */
	const char *cause;        /* why there is nothing; static */
};

/*
 * Resolves a host to *out, where each address occurs once; free it with
 * addresses_release. It may block for long. If there are no addresses, out has
 * the cause. False: out of memory; out is empty.
 */
bool addresses_resolve(struct addresses *out, const char *host, uint16_t port);
/*
 * Makes the address of a path, of at most LBP_CONFIG_PATH_MAX bytes. False:
 * out of memory; out is empty. [SRV-195].
 */
bool addresses_of_path(struct addresses *out, const char *path);

/*
 * Copies IP addresses, releasing what *out had. False: out of memory; *out is
 * empty.
 */
bool addresses_copy(struct addresses *out, const struct addresses *from);
void addresses_release(struct addresses *addresses);

/* How many places there are to connect to; 0: none is known. */
static inline size_t addresses_count(const struct addresses *addresses)
{
	return addresses->path != NULL ? 1 : addresses->len;
}

/* Returns true if host is an address, and not a name to be resolved. */
bool address_is_literal(const char *host);

/* Returns true if both have the same IP addresses, in whatever order. */
bool addresses_equal(const struct addresses *a, const struct addresses *b);

/* Returns true if two IP addresses are the same, port included. */
bool address_equal(const union address *a, const union address *b);

/* The source that an address counts as. [SRC-1]. */
struct lbp_source address_source(const union address *address);

/* The parts of an address. */
struct lbp_ip address_ip(const union address *address);
uint16_t address_port(const union address *address);

/* Sets an address from its parts; ::ffff:a.b.c.d becomes a.b.c.d. */
void address_set(
	union address *address, const struct lbp_ip *ip, uint16_t port);

/* The length to pass to socket calls. */
socklen_t address_len(const union address *address);

/* Writes "host:port" to buf, which has ADDRESS_TEXT_MAX bytes; returns it. */
const char *address_text(const union address *address, char *buf);

#endif
