#include <CUnit/CUnit.h>
#include <stdlib.h>

#include "proxy_text.h"
#include "suites.h"

#define TEXT(text)                                                             \
	{                                                                      \
		(text), sizeof(text) - 1                                       \
	}

static const uint8_t v4_source[4] = {192, 0, 2, 7};
static const uint8_t v4_destination[4] = {198, 51, 100, 9};
static const uint8_t v6_source[16] = {0x20, 1, 0xd, 0xb8, [15] = 1};

#define V6_SOURCE "\40\1\15\270\0\0\0\0\0\0\0\0\0\0\0\1"
#define MAPPED    "\0\0\0\0\0\0\0\0\0\0\377\377"

static struct lbp_proxy_client client_of_ipv4(void)
{
	return (struct lbp_proxy_client){
		.ends = {.source = lbp_ip_v4(v4_source),
			.destination = lbp_ip_v4(v4_destination),
			.source_port = 0x0102,
			.destination_port = 0x1038,
			.are_known = true}};
}

/* Writes to a block of exactly so many bytes. */
static size_t write_to(struct proxy_text *out,
	const struct lbp_proxy_client *client, size_t cap)
{
	uint8_t *buf = malloc(cap + (cap == 0));

	if (buf == NULL)
		abort();
	memset(buf, 0x5a, cap);
	out->len = client == NULL ? lbp_proxy_write_local(buf, cap)
				  : lbp_proxy_write(buf, cap, client);
	CU_ASSERT_FATAL(out->len <= cap);
	memcpy(out->bytes, buf,
		cap < sizeof(out->bytes) ? cap : sizeof(out->bytes));
	free(buf);
	return out->len;
}

static bool is_same(
	const struct proxy_text *text, const void *bytes, size_t len)
{
	return text->len == len && memcmp(text->bytes, bytes, len) == 0;
}

/* Without texts: the addresses, and 8 bytes about TLS. */
static void addresses(void)
{
	struct lbp_proxy_client client = client_of_ipv4();
	struct proxy_text text;

	write_to(&text, &client, 1024);
	CU_ASSERT_TRUE(is_same(&text,
		BYTES(SIGNATURE "\41\21\0\24\300\0\2\7\306\63\144\11\1\2\20"
				"\70\40\0\5\7\0\0\0\0")));
	client.ends.source = lbp_ip_v6(v6_source);
	write_to(&text, &client, 1024);
	CU_ASSERT_TRUE(is_same(&text,
		BYTES(SIGNATURE "\41\41\0\54" V6_SOURCE MAPPED
				"\306\63\144\11\1\2\20\70\40\0\5\7\0\0\0\0")));
	client.ends.destination = client.ends.source;
	client.ends.source = lbp_ip_v4(v4_source);
	write_to(&text, &client, 1024);
	CU_ASSERT_TRUE(is_same(&text,
		BYTES(SIGNATURE "\41\41\0\54" MAPPED "\300\0\2\7" V6_SOURCE
				"\1\2\20\70\40\0\5\7\0\0\0\0")));
	client.ends.are_known = false;
	write_to(&text, &client, 1024);
	CU_ASSERT_TRUE(
		is_same(&text, BYTES(SIGNATURE "\41\0\0\10\40\0\5\7\0\0\0\0")));
	CU_ASSERT_EQUAL(write_to(&text, &client, 15), 0);
	CU_ASSERT_EQUAL(write_to(&text, &client, 16), 16);
	CU_ASSERT_TRUE(is_same(&text, BYTES(SIGNATURE "\41\0\0\0")));
}

static void local(void)
{
	struct proxy_text text;

	CU_ASSERT_EQUAL(write_to(&text, NULL, 15), 0);
	CU_ASSERT_EQUAL(text.bytes[0], 0x5a);
	CU_ASSERT_EQUAL(write_to(&text, NULL, 16), 16);
	CU_ASSERT_TRUE(is_same(&text, BYTES(SIGNATURE "\40\0\0\0")));
}

#define HEAD_4(len) SIGNATURE "\41\21" len "\300\0\2\7\306\63\144\11\1\2\20\70"

static struct lbp_proxy_client full_client(void)
{
	struct lbp_proxy_client client = client_of_ipv4();

	client.version = (struct lbp_proxy_text)TEXT("TLSv1.3");
	client.cipher = (struct lbp_proxy_text)TEXT("AES");
	client.common_name = (struct lbp_proxy_text)TEXT("Alice");
	client.alpn = (struct lbp_proxy_text)TEXT("h2");
	client.authority = (struct lbp_proxy_text)TEXT("a.b");
	client.serial = (struct lbp_proxy_text)TEXT("1A:2B");
	client.id = (struct lbp_proxy_text)TEXT("alice");
	client.name = (struct lbp_proxy_text)TEXT("spiffe://x");
	return client;
}

static void all_values(void)
{
	struct lbp_proxy_client client = full_client();
	struct proxy_text text;

	write_to(&text, &client, 1024);
	CU_ASSERT_TRUE(is_same(
		&text, BYTES(HEAD_4("\0\124") "\341\0\5alice\340\0\0051A:2B"
					      "\40\0\35\7\0\0\0\0\41\0\7TLSv1.3"
					      "\43\0\3AES\42\0\5Alice"
					      "\342\0\12spiffe://x\1\0\2h2"
					      "\2\0\3a.b")));
}

static void resumed(void)
{
	struct lbp_proxy_client client = client_of_ipv4();
	struct proxy_text text;

	client.is_resumed = true;
	write_to(&text, &client, 1024);
	CU_ASSERT_TRUE(
		is_same(&text, BYTES(HEAD_4("\0\24") "\40\0\5\5\0\0\0\0")));
}

/* Each length of a buffer: whole values only, as many as fit. */
static void small_buffers(void)
{
	struct lbp_proxy_client client = full_client();
	struct proxy_text whole, text;
	struct lbp_proxy_header header;
	size_t cap;

	CU_ASSERT_EQUAL(write_to(&whole, &client, 100), 100);
	for (cap = 0; cap < 28; cap++) {
		CU_ASSERT_EQUAL(write_to(&text, &client, cap), 0);
		CU_ASSERT_TRUE(cap == 0 || text.bytes[0] == 0x5a);
	}
	for (; cap < 100; cap++) {
		CU_ASSERT_TRUE(write_to(&text, &client, cap) >= 28);
		CU_ASSERT_EQUAL(lbp_proxy_read(text.bytes, text.len, &header),
			LBP_PROXY_WHOLE);
		CU_ASSERT_EQUAL(header.len, text.len);
	}
}

static void exact_room(void)
{
	struct lbp_proxy_client client = client_of_ipv4();
	struct proxy_text text;

	client.id = (struct lbp_proxy_text)TEXT("alice");
	CU_ASSERT_EQUAL(write_to(&text, &client, 36), 36);
	CU_ASSERT_TRUE(is_same(&text, BYTES(HEAD_4("\0\24") "\341\0\5alice")));
	/* The id does not fit, but 8 bytes about TLS would, or not. */
	CU_ASSERT_EQUAL(write_to(&text, &client, 35), 28);
	CU_ASSERT_TRUE(is_same(&text, BYTES(HEAD_4("\0\14"))));
	CU_ASSERT_EQUAL(write_to(&text, &client, 30), 28);
	CU_ASSERT_EQUAL(write_to(&text, &client, 44), 44);
	CU_ASSERT_EQUAL(write_to(&text, &client, 43), 36);
	client.id = (struct lbp_proxy_text)TEXT("alice and bob");
	CU_ASSERT_EQUAL(write_to(&text, &client, 36), 36);
	CU_ASSERT_TRUE(
		is_same(&text, BYTES(HEAD_4("\0\24") "\40\0\5\7\0\0\0\0")));
}

/* Values in the one about TLS are left out likewise. */
static void exact_room_in_tls(void)
{
	struct lbp_proxy_client client = client_of_ipv4();
	struct proxy_text text;

	client.version = (struct lbp_proxy_text)TEXT("TLSv1.3");
	client.cipher = (struct lbp_proxy_text)TEXT("AES");
	CU_ASSERT_EQUAL(write_to(&text, &client, 52), 52);
	CU_ASSERT_TRUE(is_same(
		&text, BYTES(HEAD_4("\0\44") "\40\0\25\7\0\0\0\0\41\0\7TLSv1.3"
					     "\43\0\3AES")));
	CU_ASSERT_EQUAL(write_to(&text, &client, 51), 46);
	CU_ASSERT_TRUE(is_same(&text,
		BYTES(HEAD_4("\0\36") "\40\0\17\7\0\0\0\0\41\0\7TLSv1.3")));
	CU_ASSERT_EQUAL(write_to(&text, &client, 45), 42);
	CU_ASSERT_TRUE(is_same(
		&text, BYTES(HEAD_4("\0\32") "\40\0\13\7\0\0\0\0\43\0\3AES")));
}

static void long_texts(void)
{
	static char letters[70000];
	struct lbp_proxy_client client = client_of_ipv4();
	struct proxy_text text;

	memset(letters, 'x', sizeof(letters));
	client.common_name = (struct lbp_proxy_text){letters, 256};
	CU_ASSERT_EQUAL(write_to(&text, &client, 4096), 36 + 3 + 256);
	CU_ASSERT_EQUAL(
		memcmp(text.bytes + 28, "\40\1\10\7\0\0\0\0\42\1\0x", 12), 0);
	client.common_name.len = 257;
	CU_ASSERT_EQUAL(write_to(&text, &client, 4096), 36);
	client.name = (struct lbp_proxy_text){letters, 1024 - 36 - 3};
	client.alpn = (struct lbp_proxy_text)TEXT("h2");
	CU_ASSERT_EQUAL(write_to(&text, &client, 4096), 1024);
	CU_ASSERT_EQUAL(memcmp(text.bytes + 14, "\3\360", 2), 0);
	CU_ASSERT_EQUAL(memcmp(text.bytes + 36, "\342\3\331xx", 5), 0);
	client.name.len++;
	CU_ASSERT_EQUAL(write_to(&text, &client, 4096), 36 + 5);
	client.name.len = 65536 + 10;
	CU_ASSERT_EQUAL(write_to(&text, &client, 100000), 36 + 5);
}

void suite_proxy_write(void)
{
	CU_pSuite suite = CU_add_suite("proxy_write", NULL, NULL);

	CU_add_test(suite, "[PRX-9][PRX-11] addresses", addresses);
	CU_add_test(suite, "[PRX-9] LOCAL", local);
	CU_add_test(suite, "[PRX-10][PRX-11] all values", all_values);
	CU_add_test(suite, "[PRX-11] a resumed session", resumed);
	CU_add_test(suite, "[PRX-14] small buffers", small_buffers);
	CU_add_test(suite, "[PRX-14] room for a value", exact_room);
	CU_add_test(
		suite, "[PRX-14] room for a value of TLS", exact_room_in_tls);
	CU_add_test(suite, "[PRX-14] texts that are too long", long_texts);
}
