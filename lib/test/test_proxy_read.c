#include <CUnit/CUnit.h>
#include <stdlib.h>

#include "proxy_text.h"
#include "server/crc32c.h"
#include "suites.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define ENDS4 "\300\0\2\7\306\63\144\11\1\2\20\70" /* 192.0.2.7:258 ... */

/* Reads len bytes that stand in a block of their own. */
static enum lbp_proxy_found read(
	const void *bytes, size_t len, struct lbp_proxy_header *header)
{
	uint8_t *copy = malloc(len + (len == 0));
	enum lbp_proxy_found found;

	if (copy == NULL)
		abort();
	memcpy(copy, bytes, len);
	memset(header, 0x5a, sizeof(*header));
	found = lbp_proxy_read(copy, len, header);
	free(copy);
	return found;
}

/* The bytes must be a header, and each shorter piece its beginning. */
static struct lbp_proxy_header is_whole(const void *bytes, size_t len)
{
	struct lbp_proxy_header header;
	uint8_t more[2048];
	size_t i;

	for (i = 0; i < len; i++)
		CU_ASSERT_EQUAL(read(bytes, i, &header), LBP_PROXY_MORE);
	memcpy(more, bytes, len);
	memset(more + len, 3, 20);
	CU_ASSERT_EQUAL(read(more, len + 20, &header), LBP_PROXY_WHOLE);
	CU_ASSERT_EQUAL(header.len, len);
	CU_ASSERT_EQUAL(read(bytes, len, &header), LBP_PROXY_WHOLE);
	CU_ASSERT_EQUAL(header.len, len);
	return header;
}

/* The same of a header that tells nothing. */
static void is_unknown(const void *bytes, size_t len)
{
	CU_ASSERT_FALSE(is_whole(bytes, len).ends.are_known);
}

/* Bad from byte len on, and not before. */
static void is_bad_from(const void *bytes, size_t len, const char *fault)
{
	struct lbp_proxy_header header;

	CU_ASSERT_EQUAL(read(bytes, len, &header), LBP_PROXY_BAD);
	CU_ASSERT_STRING_EQUAL(header.fault, fault);
	CU_ASSERT_EQUAL(read(bytes, len - 1, &header), LBP_PROXY_MORE);
}

static bool has_octets(const struct lbp_ip *ip, const char *octets)
{
	return memcmp(ip->octets, octets, sizeof(ip->octets)) == 0;
}

#define V4(octets) "\0\0\0\0\0\0\0\0\0\0\377\377" octets
#define V6_ONE     "\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\1"
#define V6_TWO     "\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\2"
#define ALL_ONES   "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"
#define SIXTEEN_377                                                            \
	"\377\377\377\377\377\377\377\377"                                     \
	"\377\377\377\377\377\377\377\377"

static void has_ends(const struct lbp_proxy_header *header, const char *source,
	unsigned source_port, const char *destination,
	unsigned destination_port)
{
	const struct lbp_proxy_ends *ends = &header->ends;

	CU_ASSERT_TRUE(ends->are_known);
	CU_ASSERT_TRUE(has_octets(&ends->source, source));
	CU_ASSERT_TRUE(has_octets(&ends->destination, destination));
	CU_ASSERT_EQUAL(ends->source_port, source_port);
	CU_ASSERT_EQUAL(ends->destination_port, destination_port);
}

static void nothing_yet(void)
{
	struct lbp_proxy_header header;

	CU_ASSERT_EQUAL(read("", 0, &header), LBP_PROXY_MORE);
	CU_ASSERT_EQUAL(lbp_proxy_read(NULL, 0, &header), LBP_PROXY_MORE);
}

static void neither(void)
{
	static const char fault[] = "no PROXY header";

	is_bad_from(BYTES("G"), fault);
	is_bad_from(BYTES("\26"), fault);
	is_bad_from(BYTES("p"), fault);
	is_bad_from(BYTES("PROXX"), fault);
	is_bad_from(BYTES("PROXY\r"), fault);
	is_bad_from(BYTES("\r\r"), fault);
	is_bad_from(BYTES("\r\n\r\n\0\r\nQUIT\r"), fault);
}

static void lines(void)
{
	struct lbp_proxy_header header;

	header = is_whole(BYTES("PROXY TCP4 192.0.2.7 198.51.100.9 258 "
				"4152\r\n"));
	has_ends(&header, V4("\300\0\2\7"), 258, V4("\306\63\144\11"), 4152);
	header = is_whole(
		BYTES("PROXY TCP6 2001:db8::1 2001:DB8::2 0 65535\r\n"));
	has_ends(&header, V6_ONE, 0, V6_TWO, 65535);
	header = is_whole(
		BYTES("PROXY TCP6 ::ffff:192.0.2.7 2001:db8::2 10 9\r\n"));
	has_ends(&header, V4("\300\0\2\7"), 10, V6_TWO, 9);
	header = is_whole(
		BYTES("PROXY TCP6 " ALL_ONES " " ALL_ONES " 65535 65535\r\n"));
	CU_ASSERT_EQUAL(header.len, 104);
	has_ends(&header, SIXTEEN_377, 65535, SIXTEEN_377, 65535);
}

static void unknown_lines(void)
{
	is_unknown(BYTES("PROXY UNKNOWN\r\n"));
	is_unknown(BYTES("PROXY UNKNOWN \r\n"));
	is_unknown(BYTES(
		"PROXY UNKNOWN " ALL_ONES " " ALL_ONES " 65535 65535\r\n"));
	is_unknown(BYTES("PROXY UNKNOWN \r \n \377\0 TCP4\r\r\n"));
}

static void bad_families(void)
{
	static const char fault[] = "unknown family in the PROXY line";

	is_bad_from(BYTES("PROXY \r\n"), fault);
	is_bad_from(BYTES("PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n"), fault);
	is_bad_from(BYTES("PROXY tcp4 1.2.3.4 1.2.3.4 1 2\r\n"), fault);
	is_bad_from(BYTES("PROXY TCP5 1.2.3.4 1.2.3.4 1 2\r\n"), fault);
	is_bad_from(BYTES("PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n"), fault);
	is_bad_from(BYTES("PROXY UNKNOWNS\r\n"), fault);
	is_bad_from(BYTES("PROXY UNKNOW\r\n"), fault);
	is_bad_from(BYTES("PROXY UNKNOWN\t\r\n"), fault);
}

static void bad_lines(void)
{
	static const char *const bads[] = {
		"",
		" ",
		" 1.2.3.4",
		" 1.2.3.4 1.2.3.4",
		" 1.2.3.4 1.2.3.4 1",
		" 1.2.3.4 1.2.3.4 1 ",
		" 1.2.3.4 1.2.3.4  1",
		" 1.2.3.4 1.2.3.4 1 2 ",
		" 1.2.3.4 1.2.3.4 1 2 3",
		" 1.2.3.4  1.2.3.4 1 2",
		"  1.2.3.4 1.2.3.4 1 2",
		" 1.2.3.4 1.2.3 1 2",
		" 1.2.3 1.2.3.4 1 2",
		" 1.2.3.04 1.2.3.4 1 2",
		" ::1 1.2.3.4 1 2",
		" 1.2.3.4 ::1 1 2",
		" 1.2.3.4 1.2.3.4 65536 2",
		" 1.2.3.4 1.2.3.4 1 65536",
		" 1.2.3.4 1.2.3.4 99999 2",
		" 1.2.3.4 1.2.3.4 000001 2",
		" 1.2.3.4 1.2.3.4 00 2",
		" 1.2.3.4 1.2.3.4 01 2",
		" 1.2.3.4 1.2.3.4 1 02",
		" 1.2.3.4 1.2.3.4 1: 2",
		" 1.2.3.4 1.2.3.4 1/ 2",
		" 1.2.3.4 1.2.3.4 -1 2",
		" 1.2.3.4 1.2.3.4 +1 2",
		" 1.2.3.4 1.2.3.4 1 4294967298",
		" 1.2.3.4 1.2.3.4 1 2\r",
		" 1.2.3.4 1.2.3.4 1 2\n",
		" 1.2.3.4\r1.2.3.4 1 2",
	};

	for (size_t i = 0; i < COUNT(bads); i++) {
		struct proxy_text text = {.len = 0};

		proxy_put(&text, BYTES("PROXY TCP4"));
		proxy_put(&text, bads[i], strlen(bads[i]));
		proxy_put(&text, BYTES("\r\n"));
		is_bad_from(
			text.bytes, text.len, "bad address in the PROXY line");
	}
	is_bad_from(BYTES("PROXY TCP6 1.2.3.4 ::1 1 2\r\n"),
		"bad address in the PROXY line");
	is_bad_from(BYTES("PROXY TCP4 1.2.3.4 1.2.3.4 1 2\0\r\n"),
		"bad address in the PROXY line");
}

static void long_lines(void)
{
	struct proxy_text text = {.len = 0};

	proxy_put(&text, BYTES("PROXY UNKNOWN "));
	memset(text.bytes + text.len, 'x', 100);
	text.bytes[105] = '\r';
	text.bytes[106] = '\n';
	is_unknown(text.bytes, 107);
	text.bytes[105] = 'x';
	is_bad_from(text.bytes, 107, "the PROXY line is too long");
	text.bytes[106] = '\r';
	text.bytes[107] = '\n';
	is_bad_from(text.bytes, 107, "the PROXY line is too long");
	CU_ASSERT_EQUAL(read(text.bytes, 108, &(struct lbp_proxy_header){0}),
		LBP_PROXY_BAD);
}

static void local(void)
{
	struct proxy_text text;

	proxy_start(&text, 0x20, 0, 0);
	is_unknown(text.bytes, text.len);
	/* Neither its family nor the rest means anything. */
	proxy_start(&text, 0x20, 0xff, 3);
	proxy_put(&text, BYTES("\3\377\377"));
	is_unknown(text.bytes, text.len);
	proxy_start(&text, 0x20, 0x11, 12);
	proxy_put(&text, BYTES(ENDS4));
	is_unknown(text.bytes, text.len);
}

static void commands(void)
{
	static const unsigned bads[] = {0x22, 0x2f, 0x11, 0x10, 0x31, 0x01};
	struct proxy_text text;

	for (size_t i = 0; i < COUNT(bads); i++) {
		proxy_start(&text, bads[i], 0x11, 12);
		is_bad_from(text.bytes, text.len,
			"unknown version of PROXY header");
	}
}

static void tcp(void)
{
	struct lbp_proxy_header header;
	struct proxy_text text;

	proxy_start(&text, 0x21, 0x11, 12);
	proxy_put(&text, BYTES(ENDS4));
	header = is_whole(text.bytes, text.len);
	has_ends(&header, V4("\300\0\2\7"), 258, V4("\306\63\144\11"), 4152);
	proxy_start(&text, 0x21, 0x21, 36);
	proxy_put(&text, BYTES(V6_ONE V6_TWO "\377\376\0\1"));
	header = is_whole(text.bytes, text.len);
	has_ends(&header, V6_ONE, 65534, V6_TWO, 1);
}

static void no_tcp(void)
{
	static const struct {
		unsigned family;
		size_t len;
	} others[] = {
		{0x00, 0}, {0x12, 12}, {0x22, 36}, {0x31, 216}, {0x32, 216}};
	struct proxy_text text;

	for (size_t i = 0; i < COUNT(others); i++) {
		proxy_start(&text, 0x21, others[i].family, others[i].len);
		memset(text.bytes + text.len, 0x5b, 216);
		is_unknown(text.bytes, 16 + others[i].len);
	}
	proxy_start(&text, 0x21, 0, 2);
	proxy_put(&text, BYTES("\3\377"));
	is_unknown(text.bytes, text.len);
}

static void families(void)
{
	static const unsigned bads[] = {0x01, 0x02, 0x03, 0x10, 0x13, 0x20,
		0x23, 0x30, 0x33, 0x41, 0xff};
	struct proxy_text text;

	for (size_t i = 0; i < COUNT(bads); i++) {
		proxy_start(&text, 0x21, bads[i], 216);
		memset(text.bytes + text.len, 0, 216);
		is_bad_from(text.bytes, text.len + 216,
			"unknown family in the PROXY header");
	}
}

static void cut_addresses(void)
{
	static const struct {
		unsigned family;
		size_t len;
	} cut[] = {{0x11, 11}, {0x12, 0}, {0x21, 35}, {0x22, 35}, {0x31, 215},
		{0x32, 215}};
	struct proxy_text text;

	for (size_t i = 0; i < COUNT(cut); i++) {
		proxy_start(&text, 0x21, cut[i].family, cut[i].len);
		memset(text.bytes + text.len, 0, 216);
		is_bad_from(text.bytes, text.len + cut[i].len,
			"the PROXY header is too short");
	}
}

/* A header for TCP over IPv4 with these values. */
static void with_values(struct proxy_text *text, const void *values, size_t len)
{
	proxy_start(text, 0x21, 0x11, 12 + len);
	proxy_put(text, BYTES(ENDS4));
	proxy_put(text, values, len);
}

static void values(void)
{
	struct lbp_proxy_header header;
	struct proxy_text text;

	with_values(&text, BYTES("\4\0\0\1\0\2h2\340\0\1x"));
	header = is_whole(text.bytes, text.len);
	has_ends(&header, V4("\300\0\2\7"), 258, V4("\306\63\144\11"), 4152);
}

static void cut_values(void)
{
	static const struct {
		const char *values;
		size_t len;
	} cut[] = {{BYTES("\4")}, {BYTES("\4\0")}, {BYTES("\4\0\1")},
		{BYTES("\4\0\2x")}, {BYTES("\4\1\0x")}, {BYTES("\1\0\1xy")}};
	struct proxy_text text;

	for (size_t i = 0; i < COUNT(cut); i++) {
		with_values(&text, cut[i].values, cut[i].len);
		is_bad_from(text.bytes, text.len,
			"a value exceeds the PROXY header");
	}
}

static void long_headers(void)
{
	struct proxy_text text;

	proxy_start(&text, 0x20, 0, 1008);
	memset(text.bytes + text.len, 1, 1008);
	is_unknown(text.bytes, 1024);
	proxy_start(&text, 0x20, 0, 1009);
	is_bad_from(text.bytes, text.len, "the PROXY header is too long");
	proxy_start(&text, 0x21, 0x11, 65535);
	is_bad_from(text.bytes, text.len, "the PROXY header is too long");
}

static void sums(void)
{
	CU_ASSERT_EQUAL(lbp_crc32c(0, NULL, 0), 0);
	CU_ASSERT_EQUAL(
		lbp_crc32c(0, (const uint8_t *)"123456789", 9), 0xe3069283);
	CU_ASSERT_EQUAL(lbp_crc32c(lbp_crc32c(0, (const uint8_t *)"1234", 4),
				(const uint8_t *)"56789", 5),
		0xe3069283);
}

/* Sets the checksum of a header, whose bytes are at a place of it. */
static void set_sum(struct proxy_text *text, size_t at)
{
	uint32_t sum = lbp_crc32c(0, text->bytes, text->len);

	for (size_t i = 0; i < 4; i++)
		text->bytes[at + i] = (uint8_t)(sum >> (24 - 8 * i));
}

static void good_sums(void)
{
	struct proxy_text text;

	with_values(&text, BYTES("\3\0\4\0\0\0\0"));
	set_sum(&text, 31);
	CU_ASSERT_TRUE(is_whole(text.bytes, text.len).ends.are_known);
	with_values(&text, BYTES("\4\0\1x\3\0\4\0\0\0\0\1\0\2h2"));
	set_sum(&text, 35);
	CU_ASSERT_TRUE(is_whole(text.bytes, text.len).ends.are_known);
}

static void bad_sums(void)
{
	static const char fault[] = "bad checksum of the PROXY header";
	struct proxy_text text;

	with_values(&text, BYTES("\4\0\1x\3\0\4\0\0\0\0\1\0\2h2"));
	set_sum(&text, 35);
	for (size_t i = 16; i < text.len; i++) {
		/* Not what makes it another list of values. */
		if ((i >= 28 && i < 35) || (i >= 39 && i < 42))
			continue;
		text.bytes[i] ^= 0x10;
		is_bad_from(text.bytes, text.len, fault);
		text.bytes[i] ^= 0x10;
	}
	with_values(&text, BYTES("\3\0\0"));
	is_bad_from(text.bytes, text.len, fault);
	with_values(&text, BYTES("\3\0\3\0\0\0"));
	is_bad_from(text.bytes, text.len, fault);
	with_values(&text, BYTES("\3\0\5\0\0\0\0\0"));
	set_sum(&text, 31);
	is_bad_from(text.bytes, text.len, fault);
}

/* Is the checksum at a place that of the header? */
static bool is_right(const struct proxy_text *text, size_t at)
{
	struct proxy_text copy = *text;

	memset(copy.bytes + at, 0, 4);
	set_sum(&copy, at);
	return memcmp(copy.bytes, text->bytes, text->len) == 0;
}

/* Two may be right, each beside the other; many are work for nothing. */
static void two_sums(void)
{
	struct proxy_text text;

	with_values(&text, BYTES("\4\0\1\0\3\0\4\321\216\170\130"
				 "\3\0\4\336\110\362\310"));
	CU_ASSERT_TRUE(is_right(&text, 35));
	CU_ASSERT_TRUE(is_right(&text, 42));
	is_bad_from(text.bytes, text.len, "bad checksum of the PROXY header");
}

void suite_proxy_read(void)
{
	CU_pSuite suite = CU_add_suite("proxy_read", NULL, NULL);

	CU_add_test(suite, "[PRX-1] nothing is a beginning", nothing_yet);
	CU_add_test(suite, "[PRX-1] what begins no header", neither);
	CU_add_test(suite, "[PRX-2][PRX-3] lines", lines);
	CU_add_test(suite, "[PRX-2][PRX-7] UNKNOWN", unknown_lines);
	CU_add_test(suite, "[PRX-2] families of lines", bad_families);
	CU_add_test(suite, "[PRX-3] what a line must have", bad_lines);
	CU_add_test(suite, "[PRX-2] a line of 107 bytes", long_lines);
	CU_add_test(suite, "[PRX-7] LOCAL", local);
	CU_add_test(suite, "[PRX-4] versions and commands", commands);
	CU_add_test(suite, "[PRX-5] TCP", tcp);
	CU_add_test(suite, "[PRX-7] what is not TCP", no_tcp);
	CU_add_test(suite, "[PRX-4] families that do not exist", families);
	CU_add_test(suite, "[PRX-5] addresses that are cut", cut_addresses);
	CU_add_test(suite, "[PRX-5] values", values);
	CU_add_test(suite, "[PRX-5] values that are cut", cut_values);
	CU_add_test(suite, "[PRX-6] headers of 1,024 bytes", long_headers);
	CU_add_test(suite, "[PRX-8] the checksum CRC32c", sums);
	CU_add_test(suite, "[PRX-8] good checksums", good_sums);
	CU_add_test(suite, "[PRX-8] bad checksums", bad_sums);
	CU_add_test(suite, "[PRX-8] two checksums", two_sums);
}
