#include "address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t copy_infos(union address *items, const struct addrinfo *infos)
{
	const struct addrinfo *info;
	size_t n = 0;

	for (info = infos; info != NULL; info = info->ai_next) {
		if (info->ai_family != AF_INET && info->ai_family != AF_INET6)
			continue;
		if (items != NULL) {
			memset(&items[n], 0, sizeof(items[n]));
			memcpy(&items[n], info->ai_addr, info->ai_addrlen);
		}
		n++;
	}
	return n;
}

bool addresses_resolve(struct addresses *out,
	const struct lbp_config_address *from, const char *key,
	struct problems *problems)
{
	const struct addrinfo hints = {.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICSERV};
	struct addrinfo *infos = NULL;
	char port[8];
	int rc;

	*out = (struct addresses){0};
	snprintf(port, sizeof(port), "%u", from->port);
	rc = getaddrinfo(from->host, port, &hints, &infos);
	if (rc != 0) {
		problem(problems, from->pos,
			"%s: cannot resolve '%s': %s; accepted: an IPv4 or "
			"IPv6 address or a name that resolves to one",
			key, from->host, gai_strerror(rc));
		return false;
	}
	out->items = calloc(copy_infos(NULL, infos) + 1, sizeof(*out->items));
	if (out->items != NULL)
		out->len = copy_infos(out->items, infos);
	freeaddrinfo(infos);
	if (out->len > 0)
		return true;
	addresses_release(out);
	problem(problems, from->pos, "%s: '%s' has no address that can be used",
		key, from->host);
	return false;
}

void addresses_release(struct addresses *addresses)
{
	free(addresses->items);
	*addresses = (struct addresses){0};
}

bool address_equal(const union address *a, const union address *b)
{
	if (a->sa.sa_family != b->sa.sa_family)
		return false;
	if (a->sa.sa_family == AF_INET)
		return a->in.sin_port == b->in.sin_port &&
		       a->in.sin_addr.s_addr == b->in.sin_addr.s_addr;
	return a->in6.sin6_port == b->in6.sin6_port &&
	       a->in6.sin6_scope_id == b->in6.sin6_scope_id &&
	       memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr,
		       sizeof(a->in6.sin6_addr)) == 0;
}

socklen_t address_len(const union address *address)
{
	return address->sa.sa_family == AF_INET ? sizeof(address->in)
						: sizeof(address->in6);
}

const char *address_text(const union address *address, char *buf)
{
	char host[INET6_ADDRSTRLEN] = "";

	switch (address->sa.sa_family) {
	case AF_INET:
		inet_ntop(AF_INET, &address->in.sin_addr, host, sizeof(host));
		snprintf(buf, ADDRESS_TEXT_MAX, "%s:%u", host,
			ntohs(address->in.sin_port));
		break;
	case AF_INET6:
		inet_ntop(
			AF_INET6, &address->in6.sin6_addr, host, sizeof(host));
		snprintf(buf, ADDRESS_TEXT_MAX, "[%s]:%u", host,
			ntohs(address->in6.sin6_port));
		break;
	default:
		buf[0] = '\0';
		break;
	}
	return buf;
}
