/*
 * PROXY headers that are read in pieces and written into buffers of any size,
 * and networks, against models that read them as a whole.
 *
 * Input: a byte, modulo 4, that says what the rest is:
 * - 0: the first bytes of a connection
 * - 1: the same, the checksum in it being made the right one
 * - 2: what to write, see draw_client, after the size of the buffer, modulo
 *   1100: two bytes
 * - 3: a byte for the length of a text, the text, which may be a network, and
 *   an address: IPv4 with 0, IPv6 with 1, the network's with others, of which
 *   then the bit is turned that is the next byte
 */
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "model/model_proxy.h"
#include "oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define INPUT_MAX 1200

/* --- reading -------------------------------------------------------------- */

/* Reads bytes that end where the memory does. */
static enum lbp_proxy_found read_exactly(
	const uint8_t *bytes, size_t len, struct lbp_proxy_header *header)
{
	uint8_t *copy = malloc(len + (len == 0));
	enum lbp_proxy_found found;

	if (copy == NULL)
		abort();
	memcpy(copy, bytes, len);
	found = lbp_proxy_read(copy, len, header);
	free(copy);
	return found;
}

static bool are_same_ends(
	const struct lbp_proxy_ends *a, const struct lbp_proxy_ends *b)
{
	if (!a->are_known || !b->are_known)
		return a->are_known == b->are_known;
	return memcmp(&a->source, &b->source, sizeof(a->source)) == 0 &&
	       memcmp(&a->destination, &b->destination,
		       sizeof(a->destination)) == 0 &&
	       a->source_port == b->source_port &&
	       a->destination_port == b->destination_port;
}

/* Every longer piece says the same as the first that says anything. */
static void check_pieces(const uint8_t *bytes, size_t len)
{
	enum lbp_proxy_found found = LBP_PROXY_MORE;
	struct lbp_proxy_header first = {0};

	for (size_t n = 0; n <= len; n++) {
		struct lbp_proxy_header header;
		enum lbp_proxy_found now = read_exactly(bytes, n, &header);

		if (found == LBP_PROXY_MORE) {
			found = now;
			first = header;
			continue;
		}
		ORACLE("PRX-1", now == found, "%d after %zu bytes, then %d",
			(int)found, n, (int)now);
		ORACLE("PRX-1",
			now == LBP_PROXY_BAD ||
				(header.len == first.len &&
					are_same_ends(
						&header.ends, &first.ends)),
			"another header after %zu bytes", n);
	}
}

static void check_read(const uint8_t *bytes, size_t len)
{
	struct lbp_proxy_header got, want;
	enum lbp_proxy_found found = read_exactly(bytes, len, &got);
	enum lbp_proxy_found wanted = model_proxy_read(bytes, len, &want);

	if (len > 0 && bytes[0] == 'P')
		ORACLE("PRX-2", found == wanted, "%d instead of %d", (int)found,
			(int)wanted);
	ORACLE("PRX-5", found == wanted, "%d instead of %d", (int)found,
		(int)wanted);
	ORACLE("PRX-6", found != LBP_PROXY_MORE || len < LBP_PROXY_MAX,
		"%zu bytes are not enough", len);
	if (found == LBP_PROXY_BAD)
		ORACLE("PRX-1", got.fault != NULL, "no fault");
	if (found == LBP_PROXY_WHOLE) {
		ORACLE("PRX-1", got.len == want.len, "%zu bytes instead of %zu",
			got.len, want.len);
		ORACLE("PRX-7", are_same_ends(&got.ends, &want.ends),
			"other ends");
	}
	check_pieces(bytes, len);
}

static void check_summed(const uint8_t *bytes, size_t len)
{
	uint8_t copy[INPUT_MAX];

	memcpy(copy, bytes, len);
	model_proxy_sum(copy, len);
	check_read(copy, len);
}

/* --- writing -------------------------------------------------------------- */

static struct lbp_ip draw_ip(struct bytes *bytes, bool is_v4)
{
	uint8_t octets[16] = {0};

	for (size_t i = 0; i < (is_v4 ? 4u : 16u); i++)
		octets[i] = bytes_u8(bytes);
	return is_v4 ? lbp_ip_v4(octets) : lbp_ip_v6(octets);
}

static void draw_ends(struct bytes *bytes, struct lbp_proxy_ends *ends)
{
	uint8_t kinds = bytes_u8(bytes);

	ends->are_known = (kinds & 4) == 0;
	ends->source = draw_ip(bytes, (kinds & 1) != 0);
	ends->destination = draw_ip(bytes, (kinds & 2) != 0);
	ends->source_port = (uint16_t)bytes_uint(bytes, 2);
	ends->destination_port = (uint16_t)bytes_uint(bytes, 2);
}

/* A length: a byte, or two after one above 0xf0; its content is fixed. */
static void draw_text(struct bytes *bytes, struct lbp_proxy_text *text)
{
	static uint8_t letters[0x10000];
	uint8_t len = bytes_u8(bytes);

	if (letters[0] == 0) {
		for (size_t i = 0; i < sizeof(letters); i++)
			letters[i] = (uint8_t)('a' + i % 26);
	}
	text->len = len <= 0xf0 ? len : (size_t)bytes_uint(bytes, 2);
	text->ptr = text->len == 0 ? NULL : letters;
}

static struct lbp_proxy_client draw_client(struct bytes *bytes)
{
	struct lbp_proxy_client client = {.is_resumed = bytes_bool(bytes)};

	draw_ends(bytes, &client.ends);
	draw_text(bytes, &client.id);
	draw_text(bytes, &client.serial);
	draw_text(bytes, &client.version);
	draw_text(bytes, &client.cipher);
	draw_text(bytes, &client.common_name);
	draw_text(bytes, &client.name);
	draw_text(bytes, &client.alpn);
	draw_text(bytes, &client.authority);
	return client;
}

/* A header that was written, being walked. */
struct walk {
	const uint8_t *bytes;
	size_t at;
	size_t len;  /* of the header */
	size_t room; /* of all that could be written */
};

/* The next value is this text, or there was no room for it. */
static void check_value(
	struct walk *walk, uint8_t type, const struct lbp_proxy_text *text)
{
	const uint8_t *value = walk->bytes + walk->at;
	size_t left = walk->len - walk->at;
	size_t len;

	if (left == 0 || value[0] != type) {
		ORACLE("PRX-14",
			text->len == 0 || walk->at + 3 + text->len > walk->room,
			"value %#x is left out at %zu of %zu", type, walk->at,
			walk->room);
		return;
	}
	ORACLE("PRX-10", left >= 3, "value %#x is cut", type);
	len = (size_t)value[1] << 8 | value[2];
	ORACLE("PRX-10",
		text->len > 0 && len == text->len && left - 3 >= len &&
			memcmp(value + 3, text->ptr, len) == 0,
		"value %#x has %zu bytes, not %zu", type, len, text->len);
	walk->at += 3 + len;
}

static void check_tls(struct walk *walk, const struct lbp_proxy_client *client)
{
	const uint8_t start[] = {0, 0, 0, 0};
	const uint8_t *value = walk->bytes + walk->at;
	struct lbp_proxy_text cn = client->common_name;
	size_t left = walk->len - walk->at;
	size_t end;

	if (left == 0 || value[0] != 0x20) {
		ORACLE("PRX-14", walk->at + 8 > walk->room,
			"no word of TLS at %zu of %zu", walk->at, walk->room);
		return;
	}
	ORACLE("PRX-11",
		left >= 8 && value[3] == (client->is_resumed ? 5 : 7) &&
			memcmp(value + 4, start, 4) == 0,
		"a value of TLS begins otherwise");
	end = walk->at + 3 + ((size_t)value[1] << 8 | value[2]);
	walk->at += 8;
	if (cn.len > 256)
		cn.len = 0;
	check_value(walk, 0x21, &client->version);
	check_value(walk, 0x23, &client->cipher);
	check_value(walk, 0x22, &cn);
	ORACLE("PRX-11", walk->at == end, "TLS ends at %zu instead of %zu", end,
		walk->at);
}

static void check_values(
	struct walk *walk, const struct lbp_proxy_client *client)
{
	check_value(walk, 0xe1, &client->id);
	check_value(walk, 0xe0, &client->serial);
	check_tls(walk, client);
	check_value(walk, 0xe2, &client->name);
	check_value(walk, 0x01, &client->alpn);
	check_value(walk, 0x02, &client->authority);
	ORACLE("PRX-10", walk->at == walk->len, "%zu bytes more",
		walk->len - walk->at);
}

static bool is_v4(const struct lbp_proxy_ends *ends)
{
	static const uint8_t start[12] = {[10] = 0xff, [11] = 0xff};

	return memcmp(&ends->source, start, sizeof(start)) == 0 &&
	       memcmp(&ends->destination, start, sizeof(start)) == 0;
}

/* What was written is read with the same ends and has all that fits. */
static void check_written(const struct lbp_proxy_client *client,
	const uint8_t *buf, size_t cap, size_t len)
{
	size_t ends_len = !client->ends.are_known ? 0
			  : is_v4(&client->ends)  ? 12
						  : 36;
	struct walk walk = {.bytes = buf,
		.at = 16 + ends_len,
		.len = len,
		.room = cap < 1024 ? cap : 1024};
	struct lbp_proxy_header header;

	ORACLE("PRX-14", (len == 0) == (cap < 16 + ends_len) && len <= 1024,
		"%zu bytes of %zu", len, cap);
	if (len == 0)
		return;
	ORACLE("PRX-9",
		read_exactly(buf, len, &header) == LBP_PROXY_WHOLE &&
			header.len == len &&
			are_same_ends(&header.ends, &client->ends),
		"it is read otherwise");
	ORACLE("PRX-9",
		buf[12] == 0x21 && buf[13] == (ends_len == 0           ? 0
						      : ends_len == 12 ? 0x11
								       : 0x21),
		"command %#x, family %#x", buf[12], buf[13]);
	check_values(&walk, client);
}

static void check_write(struct bytes *bytes)
{
	size_t cap = (size_t)bytes_uint(bytes, 2) % 1100;
	struct lbp_proxy_client client = draw_client(bytes);
	uint8_t *buf = malloc(cap + (cap == 0));
	struct lbp_proxy_header header;
	size_t len;

	if (buf == NULL)
		abort();
	len = lbp_proxy_write(buf, cap, &client);
	check_written(&client, buf, cap, len);
	len = lbp_proxy_write_local(buf, cap);
	ORACLE("PRX-9", len == (cap < 16 ? 0 : 16), "%zu bytes of %zu", len,
		cap);
	if (len > 0)
		ORACLE("PRX-7",
			read_exactly(buf, len, &header) == LBP_PROXY_WHOLE &&
				header.len == len && !header.ends.are_known,
			"a local header is read otherwise");
	free(buf);
}

/* --- networks ------------------------------------------------------------- */

/* Parses a text that ends where the memory does. */
static bool parse_exactly(
	struct lbp_network *network, const uint8_t *text, size_t len)
{
	char *copy = malloc(len + (len == 0));
	const char *wrong;

	if (copy == NULL)
		abort();
	memcpy(copy, text, len);
	wrong = lbp_network_parse(network, copy, len);
	free(copy);
	return wrong == NULL;
}

static struct lbp_ip draw_near(
	struct bytes *bytes, const struct lbp_network *network)
{
	uint8_t kind = bytes_u8(bytes);
	struct lbp_ip ip;
	uint8_t bit;

	if (kind < 2)
		return draw_ip(bytes, kind == 0);
	bit = bytes_u8(bytes);
	ip = network->ip;
	ip.octets[bit / 8 % 16] ^= (uint8_t)(0x80 >> bit % 8);
	return ip;
}

static void check_network(struct bytes *bytes)
{
	size_t len = bytes_u8(bytes);
	struct lbp_network networks[2] = {{.bits = 7}};
	struct lbp_network want = {.bits = 7};
	struct lbp_ip ip;
	bool is_good;

	if (len > bytes->len)
		len = bytes->len;
	is_good = parse_exactly(&networks[0], bytes->ptr, len);
	ORACLE("PRX-12",
		is_good == model_network_parse(
				   &want, (const char *)bytes->ptr, len),
		"a network: %d", is_good);
	if (!is_good)
		return;
	ORACLE("PRX-12",
		networks[0].bits == want.bits &&
			memcmp(&networks[0].ip, &want.ip, sizeof(want.ip)) == 0,
		"another network of %u bits", networks[0].bits);
	bytes->ptr += len;
	bytes->len -= len;
	ip = draw_near(bytes, &want);
	networks[1] = networks[0];
	ORACLE("PRX-13",
		lbp_networks_contain(networks, 2, &ip) ==
			model_network_contains(&want, &ip),
		"in %u bits: %d", want.bits,
		model_network_contains(&want, &ip));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct bytes bytes = {data, len};
	uint32_t kind = bytes_below(&bytes, 4);

	if (len > INPUT_MAX)
		return 0;
	if (kind == 0)
		check_read(bytes.ptr, bytes.len);
	else if (kind == 1)
		check_summed(bytes.ptr, bytes.len);
	else if (kind == 2)
		check_write(&bytes);
	else
		check_network(&bytes);
	return 0;
}
