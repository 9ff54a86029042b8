#include "server/config_value.h"

#include <arpa/inet.h>
#include <string.h>

#include "server/config.h"

enum {
	NAME_MAX_LEN = 253,
	LABEL_MAX_LEN = 63,
	LITERAL_MAX_LEN = INET6_ADDRSTRLEN,
};

static const uint64_t duration_max_ms = UINT64_C(8760) * 3600 * 1000;

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* The value of a digit, or -1. */
static int digit_value(char c)
{
	return is_digit(c) ? c - '0' : -1;
}

/* Lower case, for letters; no other character becomes a letter. */
static char lower(char c)
{
	return (char)(c | 0x20);
}

static bool is_letter(char c)
{
	return lower(c) >= 'a' && lower(c) <= 'z';
}

static bool is_hex(char c)
{
	return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'f');
}

static bool is_name_char(char c)
{
	return is_digit(c) || is_letter(c) || c == '-' || c == '_';
}

/* The milliseconds in a unit; 0: there is no such unit. */
static uint64_t unit_ms(const char *text, size_t len)
{
	if (len == 2 && text[0] == 'm' && text[1] == 's')
		return 1;
	if (len != 1)
		return 0;
	switch (text[0]) {
	case 's':
		return 1000;
	case 'm':
		return 60 * 1000;
	case 'h':
		return 3600 * 1000;
	default:
		return 0;
	}
}

enum lbp_err lbp_duration_parse(uint64_t *out_ns, const char *text, size_t len)
{
	uint64_t number = 0;
	uint64_t unit;
	size_t i = 0;

	for (; i < len; i++) {
		int digit = digit_value(text[i]);

		if (digit < 0)
			break;
		/* It makes no difference how far beyond the largest it is. */
		if (number <= duration_max_ms)
			number = number * 10 + (uint64_t)digit;
	}
	if (i == 0)
		return LBP_ERR_SYNTAX;
	//@ split i;
	unit = unit_ms(text + i, len - i);
	//@ split unit;
	if (unit == 0)
		return LBP_ERR_SYNTAX;
	if (number == 0 || number > duration_max_ms / unit)
		return LBP_ERR_RANGE;
	*out_ns = number * unit * LBP_NS_PER_MS;
	return LBP_OK;
}

enum lbp_err lbp_delay_parse(uint64_t *out_ns, const char *text, size_t len)
{
	size_t i = 0;

	while (i < len && text[i] == '0')
		i++;
	if (i == 0 || unit_ms(text + i, len - i) == 0)
		return lbp_duration_parse(out_ns, text, len);
	*out_ns = 0;
	return LBP_OK;
}

const char *lbp_config_check_text(const char *text, size_t len)
{
	if (len == 0)
		return "it is empty";
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c < 0x20 || c == 0x7f)
			return "it has a control character";
		/* C1: 0xc2 and one more byte. */
		if (c < 0xa0 && i > 0 && (unsigned char)text[i - 1] == 0xc2)
			return "it has a control character";
	}
	return NULL;
}

const char *lbp_config_check_id(const char *text, size_t len)
{
	if (len == 0)
		return "it is empty";
	if (len > LBP_ID_MAX)
		return "it is too long";
	for (size_t i = 0; i < len; i++) {
		if (text[i] == ' ')
			return "it has a space";
		if (text[i] == '"' || text[i] == '\\')
			return "it has a quotation mark or backslash";
		if (text[i] < '!' || text[i] > '~')
			return "it has a character that is not printable ASCII";
	}
	return NULL;
}

/* Parses an address literal into addr; false if it is not one. */
static bool read_literal(int family, const char *text, size_t len, void *addr)
{
	char copy[LITERAL_MAX_LEN];

	if (len >= sizeof(copy) || memchr(text, '\0', len) != NULL)
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	return inet_pton(family, copy, addr) == 1;
}

/* A number to inet_aton, which resolvers try first: decimal, or 0x and hex. */
static bool is_number(const char *text, size_t len)
{
	bool hex = len >= 2 && text[0] == '0' && lower(text[1]) == 'x';

	for (size_t i = hex ? 2 : 0; i < len; i++) {
		if (hex ? !is_hex(text[i]) : !is_digit(text[i]))
			return false;
	}
	return true;
}

static const char *check_label(const char *text, size_t len)
{
	if (len == 0)
		return "the host has an empty part";
	if (len > LABEL_MAX_LEN)
		return "a part of the host is longer than 63";
	for (size_t i = 0; i < len; i++) {
		if (!is_name_char(text[i]))
			return "the host has a character other than letters, "
			       "digits, '-', '_' and '.'";
	}
	if (text[0] == '-' || text[len - 1] == '-')
		return "a part of the host starts or ends with '-'";
	return NULL;
}

/* A DNS name; if all its labels are numbers, an IPv4 address. */
static const char *check_name(const char *text, size_t len)
{
	struct in_addr addr;
	bool numbers = true;
	size_t start = 0;

	if (len > NAME_MAX_LEN)
		return "the host is longer than 253";
	//@ dynamic_split start;
	//@ loop unroll 0;
	while (start <= len) {
		const char *label = text + start;
		const char *dot = memchr(label, '.', len - start);
		size_t label_len =
			dot != NULL ? (size_t)(dot - label) : len - start;
		const char *wrong;

		//@ split label_len;
		wrong = check_label(label, label_len);
		if (wrong != NULL)
			return wrong;
		numbers = numbers && is_number(label, label_len);
		start += label_len + 1;
	}
	if (numbers && !read_literal(AF_INET, text, len, &addr))
		return "the IPv4 address is not valid";
	return NULL;
}

static const char *check_ipv6(const char *text, size_t len)
{
	struct in6_addr addr;

	if (memchr(text, '%', len) != NULL)
		return "an IPv6 zone is not accepted";
	if (!read_literal(AF_INET6, text, len, &addr))
		return "the IPv6 address is not valid";
	return NULL;
}

const char *lbp_config_check_host(const char *text, size_t len)
{
	if (len == 0)
		return "the host is empty";
	if (memchr(text, ':', len) != NULL)
		return check_ipv6(text, len);
	return check_name(text, len);
}

static bool is_scheme_char(char c)
{
	return is_letter(c) || is_digit(c) || c == '+' || c == '-' || c == '.';
}

/* Those of RFC 3986: unreserved, reserved and the percent sign. */
static bool is_uri_char(char c)
{
	return is_scheme_char(c) ||
	       (c != '\0' && strchr("_~:/?#[]@!$&'()*,;=%", c) != NULL);
}

static size_t scheme_len(const char *text, size_t len)
{
	size_t i = 0;

	while (i < len && is_scheme_char(text[i]))
		i++;
	return i;
}

const char *lbp_config_check_uri(const char *text, size_t len)
{
	size_t scheme = scheme_len(text, len);

	if (len == 0)
		return "it is empty";
	if (len > LBP_URI_MAX)
		return "it is too long";
	for (size_t i = scheme; i < len; i++) {
		if (!is_uri_char(text[i]))
			return "it has a character that no URI has";
	}
	if (!is_letter(text[0]) || scheme == len || text[scheme] != ':')
		return "it has no scheme";
	return scheme + 1 < len ? NULL : "it ends after its scheme";
}

const char *lbp_config_check_dns(const char *text, size_t len)
{
	struct in_addr addr;

	if (len == 0)
		return "it is empty";
	if (memchr(text, '*', len) != NULL)
		return "it has a wildcard";
	if (memchr(text, ':', len) != NULL ||
		read_literal(AF_INET, text, len, &addr))
		return "it is an address or has a port";
	return check_name(text, len);
}

char lbp_config_lower(char c)
{
	return lower(c);
}

static const char *read_port(const char *text, size_t len, uint16_t *port)
{
	uint32_t number = 0;

	if (len == 0)
		return "the port is empty";
	for (size_t i = 0; i < len; i++) {
		int digit = digit_value(text[i]);

		if (digit < 0)
			return "the port is not a number";
		number = number * 10 + (uint32_t)digit;
		if (number > UINT16_MAX)
			return "the port is not 1 to 65535";
	}
	if (number == 0)
		return "the port is not 1 to 65535";
	if (text[0] == '0')
		return "the port starts with 0";
	*port = (uint16_t)number;
	return NULL;
}

/* "[host]:port". */
static const char *split_bracketed(
	const char *text, size_t len, struct lbp_config_parts *parts)
{
	const char *close = memchr(text, ']', len);
	const char *wrong;
	size_t rest;

	if (close == NULL)
		return "the ']' is missing";
	parts->host = text + 1;
	parts->host_len = (size_t)(close - parts->host);
	//@ split parts->host_len;
	wrong = check_ipv6(parts->host, parts->host_len);
	if (wrong != NULL)
		return wrong;
	rest = len - parts->host_len - 2;
	text = parts->host + parts->host_len + 1;
	if (rest == 0 || text[0] != ':')
		return "the port is missing";
	return read_port(text + 1, rest - 1, &parts->port);
}

const char *lbp_config_split_address(
	const char *text, size_t len, struct lbp_config_parts *parts)
{
	const char *colon;
	const char *wrong;
	size_t rest;

	*parts = (struct lbp_config_parts){0};
	if (len == 0)
		return "it is empty";
	if (text[0] == '[')
		return split_bracketed(text, len, parts);
	colon = memchr(text, ':', len);
	if (colon == NULL)
		return "the port is missing";
	parts->host = text;
	parts->host_len = (size_t)(colon - text);
	//@ split parts->host_len;
	rest = len - parts->host_len - 1;
	text += parts->host_len + 1;
	if (memchr(text, ':', rest) != NULL)
		return "it has more than one ':', and an IPv6 address needs "
		       "brackets";
	wrong = lbp_config_check_host(parts->host, parts->host_len);
	if (wrong != NULL)
		return wrong;
	return read_port(text, rest, &parts->port);
}

/* What follows "unix:". */
static const char *split_path(
	const char *text, size_t len, struct lbp_config_parts *parts)
{
	if (len < 2 || text[0] != '/')
		return "it is not unix: and an absolute path";
	if (len > LBP_CONFIG_PATH_MAX)
		return "the path has more than 107 bytes";
	parts->host = text;
	parts->host_len = len;
	parts->is_unix = true;
	return lbp_config_check_text(text, len);
}

static bool begins_with(const char *text, size_t len, const char *scheme)
{
	size_t scheme_len = strlen(scheme);

	return len >= scheme_len && memcmp(text, scheme, scheme_len) == 0;
}

const char *lbp_config_split_url(
	const char *text, size_t len, struct lbp_config_parts *parts)
{
	const size_t unix_len = sizeof("unix:") - 1;
	const size_t scheme_len = sizeof("tcp://") - 1;
	const char *wrong;
	bool tls = begins_with(text, len, "tls://");

	*parts = (struct lbp_config_parts){0};
	if (begins_with(text, len, "unix:"))
		return split_path(text + unix_len, len - unix_len, parts);
	if (!tls && !begins_with(text, len, "tcp://"))
		return "it does not start with tcp://, tls:// or unix:";
	text += scheme_len;
	len -= scheme_len;
	if (len == 0)
		return "the host is empty";
	if (memchr(text, '/', len) != NULL)
		return "it has a path";
	if (memchr(text, '@', len) != NULL)
		return "it has a user";
	wrong = lbp_config_split_address(text, len, parts);
	parts->tls = tls;
	return wrong;
}

size_t lbp_config_canonical(const struct lbp_config_parts *parts, char *buf)
{
	unsigned char addr[sizeof(struct in6_addr)];
	bool ipv6 = !parts->is_unix &&
		    read_literal(AF_INET6, parts->host, parts->host_len, addr);
	size_t len = 0;

	/* An IPv4 literal has only one form, and no name looks like one. */
	if (parts->is_unix) {
		memcpy(buf, parts->host, parts->host_len);
		len = parts->host_len;
	} else if (ipv6) {
		memcpy(buf, addr, sizeof(addr));
		len = sizeof(addr);
	} else {
		for (; len < parts->host_len; len++)
			buf[len] = lower(parts->host[len]);
	}
	buf[len++] = (char)ipv6;
	buf[len++] = (char)parts->tls;
	buf[len++] = (char)(parts->port >> 8);
	buf[len++] = (char)(parts->port & 0xff);
	return len;
}
