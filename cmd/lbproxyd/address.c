#include "address.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/config.h"

static bool is_listed(
	const struct addresses *addresses, const union address *address)
{
	size_t i;

	for (i = 0; i < addresses->len; i++) {
		if (address_equal(&addresses->items[i], address))
			return true;
	}
	return false;
}

/* Copies each address once, whatever the resolver returns; out has room. */
static void copy_infos(struct addresses *out, const struct addrinfo *infos)
{
	const struct addrinfo *info;

	for (info = infos; info != NULL; info = info->ai_next) {
		union address address;

		if (info->ai_family != AF_INET && info->ai_family != AF_INET6)
			continue;
		memset(&address, 0, sizeof(address));
		memcpy(&address, info->ai_addr, info->ai_addrlen);
		if (!is_listed(out, &address))
			out->items[out->len++] = address;
	}
}

static size_t count_infos(const struct addrinfo *infos)
{
	size_t n = 0;

	for (; infos != NULL; infos = infos->ai_next)
		n++;
	return n;
}

bool addresses_resolve(struct addresses *out, const char *host, uint16_t port)
{
	const struct addrinfo hints = {.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICSERV};
	struct addrinfo *infos = NULL;
	char service[8];
	int rc;

	*out = (struct addresses){0};
	snprintf(service, sizeof(service), "%u", port);
	rc = getaddrinfo(host, service, &hints, &infos);
	if (rc != 0) {
		out->cause =
			rc == EAI_SYSTEM ? strerror(errno) : gai_strerror(rc);
		return rc != EAI_MEMORY;
	}
	out->items = calloc(count_infos(infos) + 1, sizeof(*out->items));
	if (out->items != NULL)
		copy_infos(out, infos);
	freeaddrinfo(infos);
	out->cause = out->len > 0 ? NULL : "no usable address";
	return out->items != NULL;
}

bool addresses_of_path(struct addresses *out, const char *path)
{
	_Static_assert(sizeof(((struct sockaddr_un *)NULL)->sun_path) >
			       LBP_CONFIG_PATH_MAX,
		"a path that the configuration accepts has room");

	*out = (struct addresses){.path = calloc(1, sizeof(*out->path))};
	if (out->path == NULL)
		return false;
	out->path->sun_family = AF_UNIX;
	snprintf(out->path->sun_path, sizeof(out->path->sun_path), "%s", path);
	return true;
}

bool address_is_literal(const char *host)
{
	struct in6_addr any;

	return inet_pton(AF_INET, host, &any) == 1 ||
	       inet_pton(AF_INET6, host, &any) == 1;
}

bool addresses_equal(const struct addresses *a, const struct addresses *b)
{
	size_t i;

	/* Each occurs once. */
	if (a->len != b->len)
		return false;
	for (i = 0; i < a->len; i++) {
		if (!is_listed(b, &a->items[i]))
			return false;
	}
	return true;
}

bool addresses_copy(struct addresses *out, const struct addresses *from)
{
	addresses_release(out);
	out->items = calloc(from->len, sizeof(*out->items));
	if (out->items == NULL)
		return false;
	memcpy(out->items, from->items, from->len * sizeof(*out->items));
	out->len = from->len;
	return true;
}

void addresses_release(struct addresses *addresses)
{
	free(addresses->items);
	free(addresses->path);
	*addresses = (struct addresses){0};
}

bool address_equal(const union address *a, const union address *b)
{
	if (a->sa.sa_family != b->sa.sa_family)
		return false;
	if (a->sa.sa_family == AF_INET)
		return a->in.sin_port == b->in.sin_port &&
		       a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
	/* It has no padding, and nobody sets a flow label. */
	return memcmp(&a->in6, &b->in6, sizeof(a->in6)) == 0;
}

struct lbp_ip address_ip(const union address *address)
{
	uint8_t octets[16];

	if (address->sa.sa_family == AF_INET6) {
		memcpy(octets, &address->in6.sin6_addr, sizeof(octets));
		return lbp_ip_v6(octets);
	}
	memcpy(octets, &address->in.sin_addr, 4);
	return lbp_ip_v4(octets);
}

uint16_t address_port(const union address *address)
{
	return ntohs(address->sa.sa_family == AF_INET6 ? address->in6.sin6_port
						       : address->in.sin_port);
}

void address_set(union address *address, const struct lbp_ip *ip, uint16_t port)
{
	memset(address, 0, sizeof(*address));
	if (lbp_ip_is_v4(ip)) {
		address->in.sin_family = AF_INET;
		address->in.sin_port = htons(port);
		memcpy(&address->in.sin_addr, ip->octets + 12, 4);
	} else {
		address->in6.sin6_family = AF_INET6;
		address->in6.sin6_port = htons(port);
		memcpy(&address->in6.sin6_addr, ip->octets, 16);
	}
}

struct lbp_source address_source(const union address *address)
{
	struct lbp_ip ip = address_ip(address);

	/* An IPv4 address is one of IPv6, too. */
	return lbp_source_ipv6(ip.octets);
}

socklen_t address_len(const union address *address)
{
	return address->sa.sa_family == AF_INET ? sizeof(address->in)
						: sizeof(address->in6);
}

const char *address_text(const union address *address, char *buf)
{
	char host[INET6_ADDRSTRLEN] = "";

	if (address->sa.sa_family == AF_INET) {
		inet_ntop(AF_INET, &address->in.sin_addr, host, sizeof(host));
		snprintf(buf, ADDRESS_TEXT_MAX, "%s:%u", host,
			ntohs(address->in.sin_port));
	} else {
		inet_ntop(
			AF_INET6, &address->in6.sin6_addr, host, sizeof(host));
		snprintf(buf, ADDRESS_TEXT_MAX, "[%s]:%u", host,
			ntohs(address->in6.sin6_port));
	}
	return buf;
}
