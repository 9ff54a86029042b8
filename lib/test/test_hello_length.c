#include <CUnit/CUnit.h>
#include <string.h>

#include "server/hello.h"
#include "server/hello_length.h"
#include "suites.h"

#define LEN_MAX 40000

/* What a client sends. */
static struct {
	uint8_t bytes[LEN_MAX];
	size_t len;
} sent;

static void put(unsigned byte)
{
	sent.bytes[sent.len++] = (uint8_t)byte;
}

static void put_record(unsigned type, size_t len)
{
	put(type);
	put(3);
	put(1);
	put((unsigned)len >> 8);
	put((unsigned)len & 0xff);
}

static void put_message(unsigned type, size_t len)
{
	put(type);
	put((unsigned)len >> 16);
	put((unsigned)len >> 8 & 0xff);
	put((unsigned)len & 0xff);
}

/* Bytes that could be headers. */
static void put_body(size_t len)
{
	while (len-- > 0)
		put(22);
}

/* One message in one record. */
static void put_whole(unsigned type, size_t len)
{
	put_record(22, len + 4);
	put_message(type, len);
	put_body(len);
}

/* Has it been changed, when it comes in pieces of so many bytes? */
static bool has_changed(size_t piece)
{
	struct lbp_hello_length state = {0};
	uint8_t bytes[LEN_MAX];
	size_t at;

	memcpy(bytes, sent.bytes, sent.len);
	for (at = 0; at < sent.len; at += piece) {
		size_t left = sent.len - at;

		lbp_hello_length_limit(
			&state, bytes + at, left < piece ? left : piece);
	}
	return memcmp(bytes, sent.bytes, sent.len) != 0;
}

/* The same in all the ways that matter. */
static void expect(bool changed)
{
	size_t piece;

	for (piece = 1; piece <= 16; piece++)
		CU_ASSERT_EQUAL(has_changed(piece), changed);
	CU_ASSERT_EQUAL(has_changed(4099), changed);
	CU_ASSERT_EQUAL(has_changed(LEN_MAX), changed);
}

static void start(void)
{
	sent.len = 0;
}

static void test_length(void)
{
	static const size_t lens[] = {
		0, 1, 255, 256, LBP_HELLO_MAX - 1, LBP_HELLO_MAX};
	static const size_t more[] = {LBP_HELLO_MAX + 1, LBP_HELLO_MAX + 255,
		LBP_HELLO_MAX + 256, 0xffff, 0x10000, 0x10001, 131396,
		0xfeffff};
	size_t i;

	for (i = 0; i < sizeof(lens) / sizeof(*lens); i++) {
		start();
		put_whole(1, lens[i]);
		/* What follows is a message again. */
		put_whole(1, 100);
		expect(false);
		put_whole(1, LBP_HELLO_MAX + 1);
		expect(true);
	}
	for (i = 0; i < sizeof(more) / sizeof(*more); i++) {
		start();
		put_record(22, 4);
		put_message(1, more[i]);
		expect(true);
	}
}

static void test_other_messages(void)
{
	start();
	put_whole(11, LBP_HELLO_MAX + 1);
	put_whole(0, 9000);
	expect(false);
	put_whole(1, 9000);
	expect(true);
}

/* Headers may be in as many records as they have bytes, or more. */
static void test_records(void)
{
	static const unsigned header[] = {1, 0, 0x20, 1};
	size_t i;

	start();
	put_whole(1, 5);
	put_record(20, 1);
	put(1);
	for (i = 0; i < 4; i++) {
		put_record(22, 0);
		put_record(20, 2);
		put_body(2);
		expect(false);
		put_record(22, 1);
		put(header[i]);
	}
	expect(true);
}

static void test_one_message_over_records(void)
{
	start();
	put_record(22, 10);
	put_message(1, 300);
	put_body(6);
	put_record(22, 294);
	put_body(294);
	put_whole(1, 7);
	expect(false);
	put_record(22, 5);
	put_message(1, LBP_HELLO_MAX + 300);
	put(1);
	expect(true);
}

/* Two messages in one record. */
static void test_messages_of_one_record(void)
{
	start();
	put_record(22, 4 + 3 + 4 + 2 + 4);
	put_message(1, 3);
	put_body(3);
	put_message(16, 2);
	put_body(2);
	put_message(1, 8193);
	expect(true);
	start();
	put_record(22, 4 + 3 + 4 + 2);
	put_message(1, 3);
	put_body(3);
	put_message(1, 2);
	put_body(2);
	expect(false);
}

/* Whatever is in them. */
static void test_other_records(void)
{
	static const unsigned types[] = {0, 20, 21, 23, 24, 0x80};
	size_t i;

	for (i = 0; i < sizeof(types) / sizeof(*types); i++) {
		start();
		put_whole(1, 3);
		put_record(types[i], 9);
		put_message(1, 9000);
		put_body(5);
		expect(false);
		put_whole(1, 9000);
		expect(true);
	}
}

/* What OpenSSL gets then. */
static void test_what_it_becomes(void)
{
	struct lbp_hello_length state = {0};
	uint8_t bytes[] = {22, 3, 1, 0, 9, 1, 1, 2, 3, 'b', 'o', 'd', 'y', '!'};
	uint8_t late[] = {22, 3, 1, 0, 9, 1, 0, 0x21, 3, 'b', 'o', 'd', 'y',
		'!', 22, 3, 1, 0, 5, 1, 0, 0xff, 0, 0};

	lbp_hello_length_limit(&state, bytes, sizeof(bytes));
	CU_ASSERT_EQUAL(memcmp(bytes,
				"\x16\x03\x01\x00\x09\x01\xff\x02\x03"
				"body!",
				sizeof(bytes)),
		0);
	state = (struct lbp_hello_length){0};
	lbp_hello_length_limit(&state, late, sizeof(late));
	/* Three bytes that are none of a hello, and nothing after that. */
	CU_ASSERT_EQUAL(memcmp(late,
				"\x16\x03\x01\x00\x09\x01\x00\x00\x03"
				"\xff\xff\xff"
				"y!\x16\x03\x01\x00\x05\x01\x00\xff\x00\x00",
				sizeof(late)),
		0);
	state = (struct lbp_hello_length){0};
	bytes[6] = 0, bytes[7] = 0x20, bytes[8] = 1;
	lbp_hello_length_limit(&state, bytes, sizeof(bytes));
	CU_ASSERT_EQUAL(memcmp(bytes,
				"\x16\x03\x01\x00\x09\x01\x00\x20\x00"
				"\xff\xff\xff\xff\xff",
				sizeof(bytes)),
		0);
}

void suite_hello_length(void)
{
	CU_pSuite suite = CU_add_suite("hello_length", NULL, NULL);

	CU_add_test(suite, "[SRV-346] a ClientHello announces at most 8 KiB",
		test_length);
	CU_add_test(suite, "[SRV-346] other messages may be longer",
		test_other_messages);
	CU_add_test(suite, "[SRV-346] headers are found in any records",
		test_records);
	CU_add_test(suite, "[SRV-346] a message is followed over records",
		test_one_message_over_records);
	CU_add_test(suite, "[SRV-346] and a record over messages",
		test_messages_of_one_record);
	CU_add_test(suite, "[SRV-346] other records are left alone",
		test_other_records);
	CU_add_test(suite, "[SRV-346] what is too long is made unacceptable",
		test_what_it_becomes);
}
