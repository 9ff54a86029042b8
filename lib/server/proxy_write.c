#include <string.h>

#include "server/proxy_state.h"

/* Bits of the value SSL. */
enum {
	CLIENT_TLS = 0x01,
	CLIENT_CERT_CONN = 0x02, /* a certificate came over this connection */
	CLIENT_CERT_SESS = 0x04, /* or, at least, over this TLS session */
};

enum {
	VALUE_HEAD_LEN = 3,
	SSL_LEN = 1 + 4, /* bits and result, before the values in it */
};

/* A header being written. */
struct writer {
	uint8_t *buf;
	size_t cap;
	size_t len; /* at most cap */
};

static void put(struct writer *writer, const void *bytes, size_t len)
{
	memcpy(writer->buf + writer->len, bytes, len);
	writer->len += len;
}

/* Writes a number of n octets. */
static void put_number(struct writer *writer, size_t number, unsigned n)
{
	while (n-- > 0)
		writer->buf[writer->len++] = (uint8_t)(number >> 8 * n);
}

/* Sets the two octets at a place to the length of all that follows them. */
static void set_len(struct writer *writer, size_t at)
{
	size_t len = writer->len - at - 2;

	writer->buf[at] = (uint8_t)(len >> 8);
	writer->buf[at + 1] = (uint8_t)len;
}

static void put_head(struct writer *writer, size_t command, size_t family)
{
	put(writer, LBP_PROXY_SIGNATURE, LBP_PROXY_SIGNATURE_LEN);
	put_number(writer, command, 1);
	put_number(writer, family, 1);
	put_number(writer, 0, 2);
}

/* Bytes of each address; 0: they are not known. */
static size_t ip_len_of(const struct lbp_proxy_ends *ends)
{
	if (!ends->are_known)
		return 0;
	return lbp_ip_is_v4(&ends->source) && lbp_ip_is_v4(&ends->destination)
		       ? 4
		       : 16;
}

static void put_ends(
	struct writer *writer, const struct lbp_proxy_ends *ends, size_t ip_len)
{
	size_t skipped = sizeof(ends->source.octets) - ip_len;

	put(writer, ends->source.octets + skipped, ip_len);
	put(writer, ends->destination.octets + skipped, ip_len);
	put_number(writer, ends->source_port, 2);
	put_number(writer, ends->destination_port, 2);
}

/* Writes a text as a value, unless it is empty or does not fit. [PRX-14]. */
static void put_text(
	struct writer *writer, size_t type, const struct lbp_proxy_text *text)
{
	size_t room = writer->cap - writer->len;

	if (text->len == 0 || room < VALUE_HEAD_LEN ||
		text->len > room - VALUE_HEAD_LEN)
		return;
	put_number(writer, type, 1);
	put_number(writer, text->len, 2);
	put(writer, text->ptr, text->len);
}

static void put_tls(
	struct writer *writer, const struct lbp_proxy_client *client)
{
	size_t at = writer->len + 1;

	if (writer->cap - writer->len < VALUE_HEAD_LEN + SSL_LEN)
		return;
	put_number(writer, LBP_PROXY_SSL, 1);
	put_number(writer, 0, 2);
	put_number(writer,
		CLIENT_TLS | CLIENT_CERT_SESS |
			(client->is_resumed ? 0u : CLIENT_CERT_CONN),
		1);
	put_number(writer, 0, 4);
	put_text(writer, LBP_PROXY_SSL_VERSION, &client->version);
	put_text(writer, LBP_PROXY_SSL_CIPHER, &client->cipher);
	if (client->common_name.len <= LBP_PROXY_CN_MAX)
		put_text(writer, LBP_PROXY_SSL_CN, &client->common_name);
	set_len(writer, at);
}

static size_t min(size_t a, size_t b)
{
	return a < b ? a : b;
}

size_t lbp_proxy_write(
	uint8_t *buf, size_t cap, const struct lbp_proxy_client *client)
{
	size_t ip_len = ip_len_of(&client->ends);
	size_t ends_len = ip_len == 0 ? 0 : 2 * (ip_len + 2);
	struct writer writer = {.buf = buf, .cap = min(cap, LBP_PROXY_MAX)};

	if (cap < LBP_PROXY_HEAD_LEN + ends_len)
		return 0;
	put_head(&writer, LBP_PROXY_PROXY,
		ip_len == 0   ? LBP_PROXY_UNSPEC
		: ip_len == 4 ? LBP_PROXY_TCP4
			      : LBP_PROXY_TCP6);
	if (ip_len != 0)
		put_ends(&writer, &client->ends, ip_len);
	put_text(&writer, LBP_PROXY_CLIENT_ID, &client->id);
	put_text(&writer, LBP_PROXY_SERIAL, &client->serial);
	put_tls(&writer, client);
	put_text(&writer, LBP_PROXY_NAME, &client->name);
	put_text(&writer, LBP_PROXY_ALPN, &client->alpn);
	put_text(&writer, LBP_PROXY_AUTHORITY, &client->authority);
	set_len(&writer, LBP_PROXY_HEAD_LEN - 2);
	return writer.len;
}

size_t lbp_proxy_write_local(uint8_t *buf, size_t cap)
{
	struct writer writer = {.buf = buf, .cap = cap};

	if (cap < LBP_PROXY_HEAD_LEN)
		return 0;
	put_head(&writer, LBP_PROXY_LOCAL, LBP_PROXY_UNSPEC);
	return writer.len;
}
