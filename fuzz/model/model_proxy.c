#include "model_proxy.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_SIZE 108 /* and a NUL */

/* --- version 1 ------------------------------------------------------------ */

/* A literal of either family, as an IPv6 address. */
static bool read_ip(int family, const char *text, uint8_t octets[16])
{
	memset(octets, 0, 16);
	if (family == AF_INET6)
		return inet_pton(AF_INET6, text, octets) == 1;
	octets[10] = octets[11] = 0xff;
	return inet_pton(AF_INET, text, octets + 12) == 1;
}

/* Reads a line by its parts, which must make up the same line again. */
static bool read_tcp(const char *line, struct lbp_proxy_ends *ends)
{
	char again[3 * LINE_SIZE];
	char source[LINE_SIZE], destination[LINE_SIZE];
	unsigned long long from, to;
	char family;
	int inet;

	if (sscanf(line, "PROXY TCP%c %107s %107s %20llu %20llu", &family,
		    source, destination, &from, &to) != 5 ||
		(family != '4' && family != '6') || from > 65535 || to > 65535)
		return false;
	snprintf(again, sizeof(again), "PROXY TCP%c %s %s %llu %llu", family,
		source, destination, from, to);
	inet = family == '4' ? AF_INET : AF_INET6;
	if (strcmp(line, again) != 0 ||
		!read_ip(inet, source, ends->source.octets) ||
		!read_ip(inet, destination, ends->destination.octets))
		return false;
	ends->source_port = (uint16_t)from;
	ends->destination_port = (uint16_t)to;
	ends->are_known = true;
	return true;
}

static enum lbp_proxy_found read_line(
	const uint8_t *bytes, size_t len, struct lbp_proxy_header *out)
{
	static const char unknown[] = "PROXY UNKNOWN";
	const size_t unknown_len = sizeof(unknown) - 1;
	char line[LINE_SIZE];
	size_t n;

	if (len > 107)
		len = 107;
	memcpy(line, bytes, len);
	for (n = 0; n + 1 < len; n++) {
		if (memcmp(line + n, "\r\n", 2) == 0)
			break;
	}
	if (n + 1 >= len)
		return len < 107 ? LBP_PROXY_MORE : LBP_PROXY_BAD;
	out->len = n + 2;
	line[n] = '\0';
	if (n >= unknown_len && memcmp(line, unknown, unknown_len) == 0 &&
		(n == unknown_len || line[unknown_len] == ' '))
		return LBP_PROXY_WHOLE;
	return strlen(line) == n && read_tcp(line, &out->ends) ? LBP_PROXY_WHOLE
							       : LBP_PROXY_BAD;
}

/* --- version 2 ------------------------------------------------------------ */

/* Bytes of both addresses for a family; -1: there is no such family. */
static int ends_len(uint8_t family)
{
	if (family == 0)
		return 0;
	if ((family & 0xf) != 1 && (family & 0xf) != 2)
		return -1;
	if (family >> 4 == 1)
		return 12;
	if (family >> 4 == 2)
		return 36;
	return family >> 4 == 3 ? 216 : -1;
}

/* The checksum of a header with zeros in four places. */
static uint32_t sum_without(const uint8_t *bytes, size_t len, size_t at)
{
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < len; i++) {
		uint8_t byte = i >= at && i < at + 4 ? 0 : bytes[i];

		for (int bit = 0; bit < 8; bit++) {
			unsigned low = (crc ^ byte >> bit) & 1;

			crc = crc >> 1 ^ (low != 0 ? 0x82f63b78 : 0);
		}
	}
	return ~crc;
}

/*
 * Walks the values from a place to the end. False: they do not end with the
 * header. *sums are how many checksums there are, *at is where the first is.
 */
static bool walk(const uint8_t *bytes, size_t len, size_t from, size_t *sums,
	size_t *at, size_t *sum_len)
{
	*sums = 0;
	while (from + 3 <= len) {
		size_t value = (size_t)bytes[from + 1] * 256 + bytes[from + 2];

		if (bytes[from] == 3 && (*sums)++ == 0) {
			*at = from + 3;
			*sum_len = value;
		}
		from += 3 + value;
	}
	return from == len;
}

static bool are_good_values(const uint8_t *bytes, size_t len, size_t from)
{
	size_t sums, at = 0, sum_len = 0;
	uint32_t sum;

	if (!walk(bytes, len, from, &sums, &at, &sum_len) || sums > 1)
		return false;
	if (sums == 0)
		return true;
	if (sum_len != 4)
		return false;
	memcpy(&sum, bytes + at, 4);
	return ntohl(sum) == sum_without(bytes, len, at);
}

static void read_ends(const uint8_t *bytes, struct lbp_proxy_ends *ends)
{
	bool is_v4 = bytes[13] == 0x11;
	size_t n = is_v4 ? 4 : 16;
	const uint8_t *ports = bytes + 16 + 2 * n;

	if (!is_v4 && bytes[13] != 0x21)
		return;
	memset(ends->source.octets + 10, 0xff, 2);
	memset(ends->destination.octets + 10, 0xff, 2);
	memcpy(ends->source.octets + 16 - n, bytes + 16, n);
	memcpy(ends->destination.octets + 16 - n, bytes + 16 + n, n);
	ends->source_port = (uint16_t)(ports[0] * 256 + ports[1]);
	ends->destination_port = (uint16_t)(ports[2] * 256 + ports[3]);
	ends->are_known = true;
}

static enum lbp_proxy_found read_bytes(
	const uint8_t *bytes, size_t len, struct lbp_proxy_header *out)
{
	int ends;

	if (len < 16)
		return LBP_PROXY_MORE;
	out->len = 16 + (size_t)bytes[14] * 256 + bytes[15];
	if ((bytes[12] != 0x20 && bytes[12] != 0x21) || out->len > 1024)
		return LBP_PROXY_BAD;
	if (len < out->len)
		return LBP_PROXY_MORE;
	ends = ends_len(bytes[13]);
	if (bytes[12] == 0x20 || ends == 0)
		return LBP_PROXY_WHOLE;
	if (ends < 0 || out->len < 16 + (size_t)ends ||
		!are_good_values(bytes, out->len, 16 + (size_t)ends))
		return LBP_PROXY_BAD;
	read_ends(bytes, &out->ends);
	return LBP_PROXY_WHOLE;
}

enum lbp_proxy_found model_proxy_read(
	const uint8_t *bytes, size_t len, struct lbp_proxy_header *out)
{
	static const char *const starts[] = {"PROXY ", "\r\n\r\n\0\r\nQUIT\n"};
	static const size_t lens[] = {6, 12};

	memset(out, 0, sizeof(*out));
	for (size_t i = 0; i < 2; i++) {
		size_t n = len < lens[i] ? len : lens[i];

		if (len > 0 && memcmp(bytes, starts[i], n) == 0)
			return i == 0 ? read_line(bytes, len, out)
				      : read_bytes(bytes, len, out);
	}
	return len == 0 ? LBP_PROXY_MORE : LBP_PROXY_BAD;
}

void model_proxy_sum(uint8_t *bytes, size_t len)
{
	struct lbp_proxy_header header;
	size_t sums, at = 0, sum_len = 0;
	uint32_t sum;
	int ends;

	if (len < 16 || bytes[0] != '\r')
		return;
	(void)model_proxy_read(bytes, len, &header);
	ends = ends_len(bytes[13]);
	if (ends < 0 || header.len > len || header.len < 16 + (size_t)ends)
		return;
	(void)walk(bytes, header.len, 16 + (size_t)ends, &sums, &at, &sum_len);
	if (sums == 0 || sum_len != 4 || at + 4 > header.len)
		return;
	sum = htonl(sum_without(bytes, header.len, at));
	memcpy(bytes + at, &sum, 4);
}

/* --- networks ------------------------------------------------------------- */

static bool bit_of(const struct lbp_ip *ip, unsigned bit)
{
	return (ip->octets[bit / 8] << bit % 8 & 0x80) != 0;
}

bool model_network_parse(struct lbp_network *out, const char *text, size_t len)
{
	char copy[64], again[80];
	char address[64] = "", bits[64] = "";
	bool is_v4;
	unsigned long number;
	int read;

	if (len >= sizeof(copy) || memchr(text, '\0', len) != NULL)
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	read = sscanf(copy, "%63[^/]/%63[0-9]", address, bits);
	is_v4 = strchr(address, ':') == NULL;
	if (read < 1 ||
		!read_ip(is_v4 ? AF_INET : AF_INET6, address, out->ip.octets))
		return false;
	number = read == 2 ? strtoul(bits, NULL, 10) : is_v4 ? 32 : 128;
	if (number > (is_v4 ? 32 : 128))
		return false;
	snprintf(again, sizeof(again), read == 2 ? "%s/%lu" : "%s", address,
		number);
	out->bits = (uint8_t)(number + (is_v4 ? 96 : 0));
	for (unsigned bit = out->bits; bit < 128; bit++) {
		if (bit_of(&out->ip, bit))
			return false;
	}
	return strcmp(again, copy) == 0;
}

/* Is it one of those that stand for IPv4? */
static bool is_v4(const struct lbp_ip *ip)
{
	for (unsigned bit = 0; bit < 96; bit++) {
		if (bit_of(ip, bit) != (bit >= 80))
			return false;
	}
	return true;
}

bool model_network_contains(
	const struct lbp_network *network, const struct lbp_ip *ip)
{
	for (unsigned bit = 0; bit < network->bits; bit++) {
		if (bit_of(ip, bit) != bit_of(&network->ip, bit))
			return false;
	}
	return network->bits >= 96 || !is_v4(ip);
}
