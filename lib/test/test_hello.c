#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>

#include "server/hello.h"
#include "suites.h"

/* A message that is written piece by piece. */
struct text {
	uint8_t bytes[20000];
	size_t len;
};

static void put(struct text *text, const void *bytes, size_t len)
{
	memcpy(text->bytes + text->len, bytes, len);
	text->len += len;
}

static void put_number(struct text *text, size_t number, unsigned octets)
{
	while (octets-- > 0)
		text->bytes[text->len++] = (uint8_t)(number >> 8 * octets);
}

static void put_zeros(struct text *text, size_t len)
{
	memset(text->bytes + text->len, 0, len);
	text->len += len;
}

/* Puts the length, in so many octets, of what follows mark, before that. */
static void wrap(struct text *text, size_t mark, unsigned octets)
{
	size_t len = text->len - mark;

	memmove(text->bytes + mark + octets, text->bytes + mark, len);
	text->len = mark;
	put_number(text, len, octets);
	text->len += len;
}

/* The same as an element of DER. */
static void wrap_der(struct text *text, size_t mark, uint8_t tag)
{
	size_t len = text->len - mark;
	unsigned octets = len < 0x80 ? 0 : len < 0x100 ? 1 : 2;

	wrap(text, mark, octets == 0 ? 1 : octets);
	memmove(text->bytes + mark + 1 + (octets > 0), text->bytes + mark,
		text->len - mark);
	text->len += octets > 0 ? 2 : 1;
	text->bytes[mark] = tag;
	if (octets > 0)
		text->bytes[mark + 1] = (uint8_t)(0x80 | octets);
}

/* --- hellos -------------------------------------------------------------- */

static void put_hello(struct text *text, size_t session_id)
{
	text->len = 0;
	put_zeros(text, 34);
	put_number(text, session_id, 1);
	put_zeros(text, session_id);
	put(text, "\0\2\x13\1\1\0", 6);
}

static void put_extension(struct text *text, size_t type, size_t len)
{
	put_number(text, type, 2);
	put_number(text, len, 2);
	put_zeros(text, len);
}

static enum lbp_err check_hello(const struct text *text)
{
	return lbp_hello_check(text->bytes, text->len);
}

/* A hello with one extension of this length. */
static enum lbp_err check_with(size_t type, size_t len)
{
	static struct text text;
	size_t mark;

	put_hello(&text, 32);
	mark = text.len;
	put_extension(&text, 0, 5);
	put_extension(&text, type, len);
	put_extension(&text, 43, 3);
	wrap(&text, mark, 2);
	return check_hello(&text);
}

static void test_hello_lengths(void)
{
	static const size_t limited[] = {10, 13, 50};
	size_t i;

	for (i = 0; i < 3; i++) {
		CU_ASSERT_EQUAL(check_with(limited[i], 0), LBP_OK);
		CU_ASSERT_EQUAL(check_with(limited[i], 258), LBP_OK);
		CU_ASSERT_EQUAL(check_with(limited[i], 259), LBP_ERR_RANGE);
		CU_ASSERT_EQUAL(check_with(limited[i] - 1, 259), LBP_OK);
		CU_ASSERT_EQUAL(check_with(limited[i] + 1, 259), LBP_OK);
	}
}

static void test_hello_whole(void)
{
	static struct text text;
	size_t mark;

	put_hello(&text, 0);
	CU_ASSERT_EQUAL(check_hello(&text), LBP_OK);
	mark = text.len;
	put_extension(&text, 21, 8192 - text.len - 6);
	wrap(&text, mark, 2);
	CU_ASSERT_EQUAL(text.len, 8192);
	CU_ASSERT_EQUAL(check_hello(&text), LBP_OK);
	text.len = 8193;
	CU_ASSERT_EQUAL(check_hello(&text), LBP_ERR_RANGE);
}

static void test_hello_cut(void)
{
	static struct text text;
	size_t mark, whole, bare;

	put_hello(&text, 3);
	bare = mark = text.len;
	put_extension(&text, 10, 4);
	put_extension(&text, 11, 2);
	wrap(&text, mark, 2);
	whole = text.len;
	CU_ASSERT_EQUAL(check_hello(&text), LBP_OK);
	for (text.len = 0; text.len < whole; text.len++)
		CU_ASSERT_EQUAL(check_hello(&text),
			text.len == bare ? LBP_OK : LBP_ERR_SYNTAX);
	text.len = whole + 1;
	CU_ASSERT_EQUAL(check_hello(&text), LBP_ERR_SYNTAX);
	/* An extension that ends after its list does. */
	text.len = whole;
	text.bytes[whole - 3]++;
	CU_ASSERT_EQUAL(check_hello(&text), LBP_ERR_SYNTAX);
	/* Half a type, and half a length. */
	put_hello(&text, 3);
	put(&text, "\0\1\0", 3);
	CU_ASSERT_EQUAL(check_hello(&text), LBP_ERR_SYNTAX);
	put_hello(&text, 3);
	put(&text, "\0\3\0\1\0", 5);
	CU_ASSERT_EQUAL(check_hello(&text), LBP_ERR_SYNTAX);
}

/* --- certificates -------------------------------------------------------- */

#define OID_RSA     "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"
#define OID_RSA_PSS "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a"
#define OID_EC      "\x2a\x86\x48\xce\x3d\x02\x01"
#define OID_P256    "\x2a\x86\x48\xce\x3d\x03\x01\x07"
#define OID_DSA     "\x2a\x86\x48\xce\x38\x04\x01"

/* What a certificate is to be like. */
struct key {
	const char *oid;
	uint8_t parameters; /* the tag of the algorithm's; 0: none */
	const char *bits;   /* of the key; NULL: RSA */
	size_t bits_len;
	size_t modulus; /* octets */
	size_t exponent;
	bool no_version;
	size_t padding; /* of its subject */
};

static const struct key p256 = {
	.oid = OID_EC, .parameters = 6, .bits = "\0\4xy", .bits_len = 4};

static void put_integer(struct text *text, size_t octets, uint8_t first)
{
	size_t mark = text->len;

	/* The sign's octet, if the first one would be a sign. */
	put_zeros(text, octets + (first >= 0x80));
	if (octets > 0)
		text->bytes[mark + (first >= 0x80)] = first;
	wrap_der(text, mark, 2);
}

static void put_bits(struct text *text, const struct key *key)
{
	size_t mark = text->len;
	size_t sequence;

	if (key->bits != NULL) {
		put(text, key->bits, key->bits_len);
	} else {
		put_zeros(text, 1);
		sequence = text->len;
		put_integer(text, key->modulus, 0xc0);
		put_integer(text, key->exponent, 1);
		wrap_der(text, sequence, 0x30);
	}
	wrap_der(text, mark, 3);
}

static void put_info(struct text *text, const struct key *key)
{
	size_t info = text->len;
	size_t mark;

	put(text, key->oid, strlen(key->oid));
	wrap_der(text, info, 6);
	mark = text->len;
	if (key->parameters == 6)
		put(text, OID_P256, 8);
	if (key->parameters != 0)
		wrap_der(text, mark, key->parameters);
	wrap_der(text, info, 0x30);
	put_bits(text, key);
	wrap_der(text, info, 0x30);
}

/* What is in a TBSCertificate, as far as it matters. */
static void put_tbs(struct text *text, const struct key *key)
{
	size_t mark;

	if (!key->no_version)
		put(text, "\xa0\3\2\1\2", 5);
	put(text, "\2\1\7\x30\0\x30\0\x30\0", 9);
	mark = text->len;
	put_zeros(text, key->padding);
	wrap_der(text, mark, 0x30);
	put_info(text, key);
}

static void put_cert(struct text *text, const struct key *key)
{
	size_t start = text->len;

	put_tbs(text, key);
	put(text, "\xa3\0", 2);
	wrap_der(text, start, 0x30);
	put(text, "\x30\0\3\1\0", 5);
	wrap_der(text, start, 0x30);
}

static void put_list(
	struct text *text, const struct key *key, unsigned n, bool is_tls13)
{
	size_t list, mark;

	text->len = 0;
	if (is_tls13)
		put_zeros(text, 1);
	list = text->len;
	for (; n > 0; n--) {
		mark = text->len;
		put_cert(text, key);
		wrap(text, mark, 3);
		if (is_tls13)
			put(text, "\0\3abc", 5);
	}
	wrap(text, list, 3);
}

static enum lbp_err check_list(const struct key *key, unsigned n, bool is_tls13)
{
	static struct text text;

	put_list(&text, key, n, is_tls13);
	return lbp_certs_check(text.bytes, text.len, is_tls13);
}

/* One certificate with this key. */
static enum lbp_err check_key(const struct key *key)
{
	enum lbp_err err = check_list(key, 1, false);

	CU_ASSERT_EQUAL(check_list(key, 1, true), err);
	return err;
}

static void test_certs_number(void)
{
	unsigned n;

	for (n = 0; n <= 6; n++) {
		enum lbp_err want = n <= 4 ? LBP_OK : LBP_ERR_RANGE;

		CU_ASSERT_EQUAL(check_list(&p256, n, false), want);
		CU_ASSERT_EQUAL(check_list(&p256, n, true), want);
	}
}

/* A byte more is one too many, whatever it begins. */
static void test_certs_and_a_byte(void)
{
	static struct text text;
	unsigned n;

	text.len = 0;
	for (n = 0; n < 4; n++) {
		size_t mark = text.len;

		put_cert(&text, &p256);
		wrap(&text, mark, 3);
	}
	put_zeros(&text, 1);
	wrap(&text, 0, 3);
	CU_ASSERT_EQUAL(
		lbp_certs_check(text.bytes, text.len, false), LBP_ERR_RANGE);
}

/* Nothing behind it may be read, which sanitizers see. */
static void test_certs_of_nothing(void)
{
	static const char list[] = "\0\0\7\0\0\4\x30\2\x30\0";
	size_t len = sizeof(list) - 1;
	uint8_t *exact = malloc(len);

	CU_ASSERT_PTR_NOT_NULL_FATAL(exact);
	memcpy(exact, list, len);
	CU_ASSERT_EQUAL(lbp_certs_check(exact, len, false), LBP_ERR_SYNTAX);
	free(exact);
}

static void test_certs_bytes(void)
{
	static struct text text;
	struct key key = p256;

	key.padding = 16000;
	put_list(&text, &key, 1, false);
	key.padding += 16384 - text.len;
	put_list(&text, &key, 1, false);
	CU_ASSERT_EQUAL(text.len, 16384);
	CU_ASSERT_EQUAL(lbp_certs_check(text.bytes, text.len, false), LBP_OK);
	key.padding++;
	CU_ASSERT_EQUAL(check_list(&key, 1, false), LBP_ERR_RANGE);
	/* Lengths of DER of all sizes. */
	for (key.padding = 0; key.padding < 600; key.padding++)
		CU_ASSERT_EQUAL(check_list(&key, 1, true), LBP_OK);
}

static void test_certs_rsa(void)
{
	struct key key = {
		.oid = OID_RSA, .parameters = 5, .modulus = 256, .exponent = 3};

	CU_ASSERT_EQUAL(check_key(&key), LBP_OK);
	key.modulus = 1024;
	key.exponent = 8;
	CU_ASSERT_EQUAL(check_key(&key), LBP_OK);
	key.modulus = 1025;
	CU_ASSERT_EQUAL(check_key(&key), LBP_ERR_RANGE);
	key.modulus = 1024;
	key.exponent = 9;
	CU_ASSERT_EQUAL(check_key(&key), LBP_ERR_RANGE);
	key.oid = OID_RSA_PSS;
	CU_ASSERT_EQUAL(check_key(&key), LBP_ERR_RANGE);
	key.exponent = 8;
	CU_ASSERT_EQUAL(check_key(&key), LBP_OK);
	/* A number without octets, or the like of a key. */
	key.exponent = 0;
	CU_ASSERT_EQUAL(check_key(&key), LBP_ERR_SYNTAX);
	key.bits_len = 3;
	key.bits = "\0\x30\0";
	CU_ASSERT_EQUAL(check_key(&key), LBP_ERR_SYNTAX);
	key.bits = "\0\x31\0";
	CU_ASSERT_EQUAL(check_key(&key), LBP_ERR_SYNTAX);
}

static void test_certs_ec(void)
{
	struct key key = p256;

	CU_ASSERT_EQUAL(check_key(&key), LBP_OK);
	key.parameters = 0x30;
	CU_ASSERT_EQUAL(check_key(&key), LBP_ERR_RANGE);
	key.parameters = 0;
	CU_ASSERT_EQUAL(check_key(&key), LBP_ERR_RANGE);
	key.parameters = 6;
	key.bits = "\0\2x";
	CU_ASSERT_EQUAL(check_key(&key), LBP_ERR_RANGE);
	key.bits = "\0\6x";
	CU_ASSERT_EQUAL(check_key(&key), LBP_ERR_RANGE);
	key.bits_len = 1;
	CU_ASSERT_EQUAL(check_key(&key), LBP_ERR_RANGE);
	key.bits_len = 0;
	CU_ASSERT_EQUAL(check_key(&key), LBP_ERR_SYNTAX);
}

static void test_certs_others(void)
{
	struct key key = {.oid = "\x2b\x65\x70", .bits = "\0x", .bits_len = 2};

	CU_ASSERT_EQUAL(check_key(&key), LBP_OK);
	key.oid = "\x2b\x65\x71";
	CU_ASSERT_EQUAL(check_key(&key), LBP_OK);
	key.oid = "\x2b\x65\x6e";
	CU_ASSERT_EQUAL(check_key(&key), LBP_ERR_RANGE);
	key.oid = "\x2b\x65";
	CU_ASSERT_EQUAL(check_key(&key), LBP_ERR_RANGE);
	key.oid = "\x2b\x65\x70\x01";
	CU_ASSERT_EQUAL(check_key(&key), LBP_ERR_RANGE);
	key.oid = OID_DSA;
	CU_ASSERT_EQUAL(check_key(&key), LBP_ERR_RANGE);
	key.oid = "\x2b\x65\x70";
	key.no_version = true;
	CU_ASSERT_EQUAL(check_key(&key), LBP_OK);
}

static size_t number_at(const struct text *text, size_t at, unsigned n)
{
	size_t number = 0;

	for (; n > 0; n--)
		number = number << 8 | text->bytes[at++];
	return number;
}

/* Behind the first certificate, so many bytes, and what they are now. */
static void check_hidden(const struct text *text, size_t others)
{
	size_t at = 4 + 3 + number_at(text, 4, 3);

	CU_ASSERT_EQUAL(number_at(text, at, 2), 3 + others);
	CU_ASSERT_EQUAL(memcmp(text->bytes + at + 2, "abc", 3), 0);
	at += 2 + 3;
	CU_ASSERT_EQUAL(number_at(text, at, 2), 0x0a0a);
	CU_ASSERT_EQUAL(number_at(text, at + 2, 2), others - 4);
	CU_ASSERT_EQUAL(at + others, text->len);
	CU_ASSERT_EQUAL(lbp_certs_check(text->bytes, text->len, true), LBP_OK);
}

static void test_certs_hidden(void)
{
	static struct text text, before;
	size_t one;
	unsigned n;

	put_list(&text, &p256, 1, true);
	one = text.len - 4;
	for (n = 2; n <= 4; n++) {
		put_list(&text, &p256, n, true);
		before = text;
		lbp_certs_hide_others(text.bytes, text.len);
		check_hidden(&text, (n - 1) * one);
		/* Nothing else changes. */
		CU_ASSERT_EQUAL(
			memcmp(text.bytes, before.bytes, 4 + one - 5), 0);
		CU_ASSERT_EQUAL(
			memcmp(text.bytes + 4 + one + 4,
				before.bytes + 4 + one + 4, (n - 1) * one - 4),
			0);
	}
}

/* A single certificate, none, and what is no list at all. */
static void test_certs_nothing_to_hide(void)
{
	static struct text text, before;
	size_t whole;
	unsigned n;

	for (n = 0; n <= 1; n++) {
		put_list(&text, &p256, n, true);
		before = text;
		lbp_certs_hide_others(text.bytes, text.len);
		CU_ASSERT_EQUAL(memcmp(&text, &before, sizeof(text)), 0);
	}
	put_list(&text, &p256, 2, true);
	before = text;
	whole = text.len;
	for (text.len = 0; text.len < whole; text.len++)
		lbp_certs_hide_others(text.bytes, text.len);
	CU_ASSERT_EQUAL(memcmp(&text, &before, sizeof(text)), 0);
}

/* Of what follows as many bytes as an extension has, and one fewer. */
static void test_certs_hidden_edge(void)
{
	static const uint8_t few[] = "\0\0\0\11\0\0\1x\0\0abc";
	static const uint8_t enough[] = "\0\0\0\12\0\0\1x\0\0abcd";
	static const uint8_t hidden[] = "\0\0\0\12\0\0\1x\0\4\12\12\0\0";
	static uint8_t body[1 << 17];

	memcpy(body, few, sizeof(few));
	lbp_certs_hide_others(body, sizeof(few) - 1);
	CU_ASSERT_EQUAL(memcmp(body, few, sizeof(few)), 0);
	memcpy(body, enough, sizeof(enough));
	lbp_certs_hide_others(body, sizeof(enough) - 1);
	CU_ASSERT_EQUAL(memcmp(body, hidden, sizeof(hidden)), 0);
}

/* A certificate longer than the list, and extensions that are. */
static void test_certs_broken_to_hide(void)
{
	static const uint8_t cert[] = "\0\0\0\12\0\0\10xxabcde";
	static const uint8_t extensions[] = "\0\0\0\12\0\0\1x\0\5abcd";
	uint8_t body[sizeof(cert) + sizeof(extensions)];

	memcpy(body, cert, sizeof(cert));
	lbp_certs_hide_others(body, sizeof(cert) - 1);
	CU_ASSERT_EQUAL(memcmp(body, cert, sizeof(cert)), 0);
	memcpy(body, extensions, sizeof(extensions));
	lbp_certs_hide_others(body, sizeof(extensions) - 1);
	CU_ASSERT_EQUAL(memcmp(body, extensions, sizeof(extensions)), 0);
}

/* What is too long for the extensions of a certificate is left alone. */
static void test_certs_too_long_to_hide(void)
{
	static uint8_t body[1 << 17];
	size_t others;

	for (others = 65534; others <= 65536; others++) {
		size_t list = 3 + 1 + 2 + 1 + others;

		memset(body, 0, sizeof(body));
		body[1] = (uint8_t)(list >> 16);
		body[2] = (uint8_t)(list >> 8);
		body[3] = (uint8_t)list;
		body[6] = 1; /* of the certificate */
		body[9] = 1; /* of its extensions */
		lbp_certs_hide_others(body, 4 + list);
		CU_ASSERT_EQUAL(body[8] != 0, others <= 65534);
		CU_ASSERT_EQUAL(body[11] != 0, others <= 65534);
	}
}

/* What is cut, or too long for what holds it, is none. */
static void test_certs_cut(bool is_tls13)
{
	static struct text text;
	size_t whole;

	put_list(&text, &p256, 1, is_tls13);
	whole = text.len;
	for (text.len = 0; text.len < whole; text.len++)
		CU_ASSERT_EQUAL(lbp_certs_check(text.bytes, text.len, is_tls13),
			LBP_ERR_SYNTAX);
	CU_ASSERT_EQUAL(lbp_certs_check(text.bytes, whole + 1, is_tls13),
		LBP_ERR_SYNTAX);
	CU_ASSERT_EQUAL(
		lbp_certs_check(text.bytes, whole, !is_tls13), LBP_ERR_SYNTAX);
}

static void test_certs_of_both_versions(void)
{
	test_certs_cut(false);
	test_certs_cut(true);
}

/* A list with one certificate of these octets. */
static enum lbp_err check_der(const char *der, size_t len)
{
	static struct text text;

	text.len = 0;
	put(&text, der, len);
	wrap(&text, 0, 3);
	wrap(&text, 0, 3);
	return lbp_certs_check(text.bytes, text.len, false);
}

#define CHECK_DER(der)                                                         \
	CU_ASSERT_EQUAL(check_der(der, sizeof(der) - 1), LBP_ERR_SYNTAX)

static void test_certs_der(void)
{
	static struct text text;
	size_t at, whole;

	CHECK_DER("");
	CHECK_DER("\x31\2\x30\0");
	CHECK_DER("\x30\0");
	CHECK_DER("\x30\2\x31\0");
	CHECK_DER("\x30\2\x30\0");
	/* Lengths that are longer than need be, or without an end. */
	CHECK_DER("\x30\x81\2\x30\0");
	CHECK_DER("\x30\x82\0\2\x30\0");
	CHECK_DER("\x30\x80\x30\0\0\0");
	CHECK_DER("\x30\x83\0\0\2\x30\0");
	CHECK_DER("\x30\x81");
	CHECK_DER("\x30\x82\1");
	/* Any other tag, in any place, from the certificate to its key. */
	text.len = 0;
	put_cert(&text, &p256);
	whole = text.len;
	CU_ASSERT_EQUAL(check_der((char *)text.bytes, whole), LBP_OK);
	for (at = 0; at < 9; at++) {
		static const uint8_t tags[] = {0, 2, 4, 9, 12, 14, 16, 18, 20};

		text.bytes[tags[at]] ^= 1;
		CU_ASSERT_EQUAL(
			check_der((char *)text.bytes, whole), LBP_ERR_SYNTAX);
		text.bytes[tags[at]] ^= 1;
	}
}

/* An otherwise good certificate whose subject has this header. */
static enum lbp_err check_subject(
	const char *header, size_t header_len, size_t len)
{
	static struct text text;

	text.len = 0;
	put(&text, "\2\1\7\x30\0\x30\0\x30\0", 9);
	put(&text, header, header_len);
	put_zeros(&text, len);
	put_info(&text, &p256);
	wrap_der(&text, 0, 0x30);
	wrap_der(&text, 0, 0x30);
	return check_der((char *)text.bytes, text.len);
}

/* The shortest length of each form, and the longest of the one before. */
static void test_certs_shortest_lengths(void)
{
	CU_ASSERT_EQUAL(check_subject("\x30\x7f", 2, 0x7f), LBP_OK);
	CU_ASSERT_EQUAL(check_subject("\x30\x81\x7f", 3, 0x7f), LBP_ERR_SYNTAX);
	CU_ASSERT_EQUAL(check_subject("\x30\x81\x80", 3, 0x80), LBP_OK);
	CU_ASSERT_EQUAL(check_subject("\x30\x80", 2, 0x80), LBP_ERR_SYNTAX);
	CU_ASSERT_EQUAL(
		check_subject("\x30\x83\1\0", 4, 0x100), LBP_ERR_SYNTAX);
	CU_ASSERT_EQUAL(check_subject("\x30\x81\xff", 3, 0xff), LBP_OK);
	CU_ASSERT_EQUAL(
		check_subject("\x30\x82\0\xff", 4, 0xff), LBP_ERR_SYNTAX);
	CU_ASSERT_EQUAL(check_subject("\x30\x82\1\0", 4, 0x100), LBP_OK);
	CU_ASSERT_EQUAL(
		check_subject("\x30\x83\0\1\0", 5, 0x100), LBP_ERR_SYNTAX);
}

/* A certificate of these octets, which are what its TBSCertificate has. */
static enum lbp_err check_tbs(const struct text *tbs, size_t len)
{
	static struct text text;

	text.len = 0;
	put(&text, tbs->bytes, len);
	wrap_der(&text, 0, 0x30);
	wrap_der(&text, 0, 0x30);
	return check_der((char *)text.bytes, text.len);
}

/* The same of its SubjectPublicKeyInfo. */
static enum lbp_err check_info(const struct text *info, size_t len)
{
	static struct text text;
	size_t mark;

	text.len = 0;
	put(&text, "\2\1\7\x30\0\x30\0\x30\0\x30\0", 11);
	mark = text.len;
	put(&text, info->bytes, len);
	wrap_der(&text, mark, 0x30);
	return check_tbs(&text, text.len);
}

/* A curve's tag with no length behind it is no empty name of a curve. */
static void test_certs_curve_without_a_length(void)
{
	static const char info[] = "\x30\x0a\6\7" OID_EC "\6\3\2\0\4";
	static struct text text;

	text.len = 0;
	put(&text, info, sizeof(info) - 1);
	CU_ASSERT_EQUAL(check_info(&text, text.len), LBP_ERR_RANGE);
}

/* Whatever is missing at the end, in lengths that are right. */
static void test_certs_without_an_end(void)
{
	static const struct key rsa = {
		.oid = OID_RSA, .parameters = 5, .modulus = 2, .exponent = 2};
	static struct text text;
	size_t len;

	text.len = 0;
	put_tbs(&text, &p256);
	for (len = 0; len < text.len; len++)
		CU_ASSERT_EQUAL(check_tbs(&text, len), LBP_ERR_SYNTAX);
	CU_ASSERT_EQUAL(check_tbs(&text, len), LBP_OK);
	text.len = 0;
	put_info(&text, &rsa);
	/* Without the header of two bytes. */
	memmove(text.bytes, text.bytes + 2, text.len - 2);
	text.len -= 2;
	for (len = 0; len < text.len; len++)
		CU_ASSERT_EQUAL(check_info(&text, len), LBP_ERR_SYNTAX);
	CU_ASSERT_EQUAL(check_info(&text, len), LBP_OK);
	CU_ASSERT_EQUAL(check_info(&text, len + 1), LBP_OK);
	/* A point of no octets, before one that would do. */
	text.len = 0;
	put(&text, OID_EC, 7);
	wrap_der(&text, 0, 6);
	put(&text, "\6\1x", 3);
	wrap_der(&text, 0, 0x30);
	put(&text, "\3\1\0\4", 4);
	CU_ASSERT_EQUAL(check_info(&text, text.len), LBP_ERR_RANGE);
	/* An algorithm without a name. */
	text.len = 0;
	put(&text, "\x30\0\3\2\0x", 6);
	CU_ASSERT_EQUAL(check_info(&text, text.len), LBP_ERR_SYNTAX);
}

/* Entries that are longer than their list; the first bad one decides. */
static void test_certs_in_their_list(void)
{
	static struct text text;
	size_t whole, len;
	bool is_tls13 = false;

	do {
		put_list(&text, &p256, 1, is_tls13);
		whole = text.len;
		for (len = 1; len < whole - 3 - is_tls13; len++) {
			put_list(&text, &p256, 1, is_tls13);
			text.len = whole - len;
			memmove(text.bytes + is_tls13,
				text.bytes + is_tls13 + 3, text.len - is_tls13);
			text.len -= 3;
			wrap(&text, is_tls13, 3);
			CU_ASSERT_EQUAL(
				lbp_certs_check(text.bytes, text.len, is_tls13),
				LBP_ERR_SYNTAX);
		}
		is_tls13 = !is_tls13;
	} while (is_tls13);
}

static void test_certs_one_bad(void)
{
	static struct text text;
	struct key dsa = p256;
	unsigned bad, n;

	dsa.oid = OID_DSA;
	for (bad = 0; bad < 4; bad++) {
		text.len = 0;
		for (n = 0; n < 4; n++) {
			size_t mark = text.len;

			put_cert(&text, n == bad ? &dsa : &p256);
			wrap(&text, mark, 3);
		}
		wrap(&text, 0, 3);
		CU_ASSERT_EQUAL(lbp_certs_check(text.bytes, text.len, false),
			LBP_ERR_RANGE);
	}
	/* What follows it is not looked at. */
	text.len = 0;
	put_cert(&text, &dsa);
	wrap(&text, 0, 3);
	put(&text, "\0\0\1x", 4);
	wrap(&text, 0, 3);
	CU_ASSERT_EQUAL(
		lbp_certs_check(text.bytes, text.len, false), LBP_ERR_RANGE);
}

void suite_hello(void)
{
	CU_pSuite suite = CU_add_suite("hello", NULL, NULL);

	CU_add_test(suite, "[SRV-65] groups and signatures of a hello",
		test_hello_lengths);
	CU_add_test(suite, "[SRV-65] a hello of 8 KiB", test_hello_whole);
	CU_add_test(suite, "[SRV-65] what is no hello", test_hello_cut);
	CU_add_test(
		suite, "[SRV-64] at most four certificates", test_certs_number);
	CU_add_test(suite, "[SRV-64] a byte more than four certificates",
		test_certs_and_a_byte);
	CU_add_test(suite, "[SRV-64] a certificate of nothing",
		test_certs_of_nothing);
	CU_add_test(suite, "[SRV-64] of 16 KiB", test_certs_bytes);
	CU_add_test(suite, "[SRV-67] others become an extension of the first",
		test_certs_hidden);
	CU_add_test(suite, "[SRV-67] where there are none nothing changes",
		test_certs_nothing_to_hide);
	CU_add_test(suite, "[SRV-67] the fewest bytes that can be hidden",
		test_certs_hidden_edge);
	CU_add_test(suite, "[SRV-67] a malformed list stays as it is",
		test_certs_broken_to_hide);
	CU_add_test(suite, "[SRV-67] so does one that is too long",
		test_certs_too_long_to_hide);
	CU_add_test(suite, "[SRV-102] RSA keys", test_certs_rsa);
	CU_add_test(suite, "[SRV-102] EC keys", test_certs_ec);
	CU_add_test(suite, "[SRV-102] other keys", test_certs_others);
	CU_add_test(suite, "[SRV-103] lists that are cut",
		test_certs_of_both_versions);
	CU_add_test(suite, "[SRV-103] what is no certificate", test_certs_der);
	CU_add_test(suite, "[SRV-103] certificates without an end",
		test_certs_without_an_end);
	CU_add_test(suite, "[SRV-103] a curve without a length",
		test_certs_curve_without_a_length);
	CU_add_test(suite, "[SRV-103] entries longer than their list",
		test_certs_in_their_list);
	CU_add_test(suite, "[SRV-103] one bad one of four", test_certs_one_bad);
	CU_add_test(
		suite, "[SRV-103] lengths of DER", test_certs_shortest_lengths);
}
