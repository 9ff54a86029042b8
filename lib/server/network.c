#include "server/network.h"

#include <arpa/inet.h>
#include <string.h>

/* Of ::ffff:0:0/96, which stands for IPv4. */
static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

enum {
	BITS_MAX = 128,
	MAPPED_BITS = 96,
};

struct lbp_ip lbp_ip_v4(const uint8_t octets[4])
{
	struct lbp_ip ip;

	memcpy(ip.octets, mapped, sizeof(mapped));
	memcpy(ip.octets + sizeof(mapped), octets, 4);
	return ip;
}

struct lbp_ip lbp_ip_v6(const uint8_t octets[16])
{
	struct lbp_ip ip;

	memcpy(ip.octets, octets, sizeof(ip.octets));
	return ip;
}

bool lbp_ip_is_v4(const struct lbp_ip *ip)
{
	return memcmp(ip->octets, mapped, sizeof(mapped)) == 0;
}

static bool read_literal(
	int family, const char *text, size_t len, uint8_t *octets)
{
	char copy[INET6_ADDRSTRLEN];

	if (len >= sizeof(copy) || memchr(text, '\0', len) != NULL)
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	return inet_pton(family, copy, octets) == 1;
}

bool lbp_ip_read_v4(struct lbp_ip *ip, const char *text, size_t len)
{
	uint8_t octets[4];

	if (!read_literal(AF_INET, text, len, octets))
		return false;
	*ip = lbp_ip_v4(octets);
	return true;
}

bool lbp_ip_read_v6(struct lbp_ip *ip, const char *text, size_t len)
{
	uint8_t octets[16];

	if (!read_literal(AF_INET6, text, len, octets))
		return false;
	*ip = lbp_ip_v6(octets);
	return true;
}

/* The first bits of an address; the others are 0. */
static struct lbp_ip masked(const struct lbp_ip *ip, uint32_t bits)
{
	struct lbp_ip result = {{0}};
	uint32_t whole = bits / 8;

	memcpy(result.octets, ip->octets, whole);
	if (bits % 8 != 0)
		result.octets[whole] =
			ip->octets[whole] & (uint8_t)(0xff00 >> bits % 8);
	return result;
}

static bool is_same(const struct lbp_ip *a, const struct lbp_ip *b)
{
	return memcmp(a->octets, b->octets, sizeof(a->octets)) == 0;
}

static const char *read_bits(
	const char *text, size_t len, uint32_t max, uint32_t *bits)
{
	uint32_t number = 0;

	if (len == 0)
		return "the length is empty";
	for (size_t i = 0; i < len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return "the length is not a number";
		number = number * 10 + (uint32_t)(text[i] - '0');
		if (number > max)
			return max == BITS_MAX ? "the length is above 128"
					       : "the length is above 32";
	}
	if (text[0] == '0' && len > 1)
		return "the length starts with 0";
	*bits = number;
	return NULL;
}

const char *lbp_network_parse(
	struct lbp_network *out, const char *text, size_t len)
{
	const char *slash = memchr(text, '/', len);
	size_t ip_len = slash != NULL ? (size_t)(slash - text) : len;
	bool is_v4 = memchr(text, ':', ip_len) == NULL;
	uint32_t bits = is_v4 ? BITS_MAX - MAPPED_BITS : BITS_MAX;
	struct lbp_ip ip, net;
	const char *wrong;

	if (is_v4 && !lbp_ip_read_v4(&ip, text, ip_len))
		return "the IPv4 address is not valid";
	if (!is_v4 && !lbp_ip_read_v6(&ip, text, ip_len))
		return "the IPv6 address is not valid";
	if (slash != NULL) {
		wrong = read_bits(slash + 1, len - ip_len - 1, bits, &bits);
		if (wrong != NULL)
			return wrong;
	}
	if (is_v4)
		bits += MAPPED_BITS;
	net = masked(&ip, bits);
	if (!is_same(&net, &ip))
		return "it has bits set beyond its length";
	*out = (struct lbp_network){net, (uint8_t)bits};
	return NULL;
}

bool lbp_networks_contain(
	const struct lbp_network *networks, size_t len, const struct lbp_ip *ip)
{
	bool is_v4 = lbp_ip_is_v4(ip);

	for (size_t i = 0; i < len; i++) {
		struct lbp_ip net = masked(ip, networks[i].bits);

		if ((!is_v4 || networks[i].bits >= MAPPED_BITS) &&
			is_same(&net, &networks[i].ip))
			return true;
	}
	return false;
}
