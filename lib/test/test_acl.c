#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>

#include "acl.h"
#include "alloc.h"
#include "lists.h"
#include "suites.h"

/* What is there before, and stays if nobody is found. */
#define NOBODY 7777
/* The same, if more than one is. */
#define SEVERAL 8888

static struct lbp_name serial_of(const char *text)
{
	struct lbp_serial serial = {{0}, 0};

	CU_ASSERT_EQUAL_FATAL(
		lbp_serial_from_hex(&serial, text, strlen(text)), LBP_OK);
	return lbp_name_of_serial(&serial);
}

/* Client 0 has 01 and 0203, client 1 has 05, client 2 has none. */
static enum lbp_err make(struct lbp_acl **acl)
{
	const struct lbp_acl_name names[] = {{serial_of("0203"), 0},
		{serial_of("5"), 1}, {serial_of("1"), 0}};
	const struct lbp_acl_grant grants[] = {
		GRANT(2, 8), GRANT(0, 0), GRANT(0, 8), GRANT(1, 7)};

	return acl_from(acl, names, 3, grants, 4, 3, 9);
}

static void expect(const struct lbp_acl *acl, const struct lbp_name *names,
	size_t len, uint32_t want)
{
	enum lbp_err err = want == NOBODY    ? LBP_ERR_UNKNOWN_CLIENT
			   : want == SEVERAL ? LBP_ERR_AMBIGUOUS
					     : LBP_OK;
	uint32_t client = want == SEVERAL ? SEVERAL : NOBODY;

	CU_ASSERT_EQUAL(lbp_acl_identify(acl, names, len, &client), err);
	CU_ASSERT_EQUAL(client, want);
}

static void expect_client(
	const struct lbp_acl *acl, const char *text, uint32_t want)
{
	struct lbp_name name = serial_of(text);

	expect(acl, &name, 1, want);
}

static void expect_nobody(const struct lbp_acl *acl, const char *text)
{
	expect_client(acl, text, NOBODY);
}

static void serials_identify(void)
{
	struct lbp_acl *acl;

	CU_ASSERT_EQUAL_FATAL(make(&acl), LBP_OK);
	expect_client(acl, "1", 0);
	expect_client(acl, "0203", 0);
	expect_client(acl, "05", 1);
	expect_nobody(acl, "2");
	expect_nobody(acl, "4");
	expect_nobody(acl, "6");
	expect_nobody(acl, "0202");
	expect_nobody(acl, "0204");
	expect_nobody(acl, "0103");
	expect_nobody(acl, "010203");
	expect_nobody(acl, "0100");
	lbp_acl_free(acl);
}

/* Client 0 has the id "ann" and a serial, client 1 the id "bob". */
static struct lbp_acl *make_with_ids(void)
{
	char ann[] = "ann";
	char bob[] = "bob";
	const struct lbp_acl_name names[] = {{lbp_name_of_id(bob), 1},
		{serial_of("7"), 0}, {lbp_name_of_id(ann), 0}};
	struct lbp_acl *acl;

	CU_ASSERT_EQUAL_FATAL(acl_from(&acl, names, 3, NULL, 0, 3, 1), LBP_OK);
	/* Theirs to do with as they like. */
	memset(ann, 'x', 3);
	memset(bob, 'y', 3);
	return acl;
}

static void ids_identify(void)
{
	struct lbp_acl *acl = make_with_ids();
	const struct lbp_name names[] = {lbp_name_of_id("ann"),
		lbp_name_of_id("bob"), lbp_name_of_id("xxx"),
		lbp_name_of_id("an"), lbp_name_of_id("anna"),
		lbp_name_of_id(""), lbp_name_of_id("Ann"),
		lbp_name_of_id(NULL)};
	const uint32_t owners[] = {
		0, 1, NOBODY, NOBODY, NOBODY, NOBODY, NOBODY, NOBODY};

	for (size_t i = 0; i < 8; i++)
		expect(acl, &names[i], 1, owners[i]);
	expect_client(acl, "7", 0);
	lbp_acl_free(acl);
}

static void numbers_identify(void)
{
	struct lbp_acl *acl = make_with_ids();

	for (uint32_t i = 0; i < 3; i++) {
		struct lbp_name name = lbp_name_of_number(i);

		expect(acl, &name, 1, i);
	}
	for (uint32_t i = 0; i < 3; i++) {
		struct lbp_name name =
			lbp_name_of_number(i < 2 ? 3 + i : UINT32_MAX);

		expect(acl, &name, 1, NOBODY);
	}
	lbp_acl_free(acl);
}

/* What no list can have identifies nobody, whatever the rest of it says. */
static void what_is_no_name_is_nobodys(void)
{
	struct lbp_acl *acl = make_with_ids();
	struct lbp_name name = serial_of("7");

	name.serial.len = 0;
	expect(acl, &name, 1, NOBODY);
	name.serial.len = LBP_SERIAL_MAX + 1;
	expect(acl, &name, 1, NOBODY);
	name.serial.len = 1;
	name.serial.octets[0] = 0;
	expect(acl, &name, 1, NOBODY);
	name = serial_of("7");
	name.kind = (enum lbp_name_kind)(LBP_NAME_ISSUED + 1);
	expect(acl, &name, 1, NOBODY);
	lbp_acl_free(acl);
}

static void several_names_identify_one(void)
{
	struct lbp_acl *acl = make_with_ids();
	const struct lbp_name anns[] = {serial_of("8"), lbp_name_of_id("ann"),
		serial_of("7"), lbp_name_of_number(0), lbp_name_of_id("eve")};
	const struct lbp_name two[] = {serial_of("7"), lbp_name_of_id("eve"),
		lbp_name_of_id("ann"), lbp_name_of_id("bob")};

	expect(acl, NULL, 0, NOBODY);
	expect(acl, anns, 1, NOBODY);
	expect(acl, anns, 5, 0);
	expect(acl, two, 3, 0);
	expect(acl, two, 4, SEVERAL);
	expect(acl, two + 2, 2, SEVERAL);
	expect(acl, two + 3, 1, 1);
	lbp_acl_free(acl);
}

/* Client 0 has a URI and a DNS name, client 1 others, client 2 an id. */
static struct lbp_acl *make_with_texts(void)
{
	char uri[] = "spiffe://corp/Alice";
	char dns[] = "a-9.Corp.example";
	const struct lbp_acl_name names[] = {{lbp_name_of_dns(dns), 0},
		{lbp_name_of_uri("spiffe://corp/bob"), 1},
		{lbp_name_of_dns("b.corp.example"), 1},
		{lbp_name_of_uri(uri), 0},
		{lbp_name_of_id("spiffe://corp/id"), 2}};
	struct lbp_acl *acl;

	CU_ASSERT_EQUAL_FATAL(acl_from(&acl, names, 5, NULL, 0, 3, 1), LBP_OK);
	memset(uri, 'x', sizeof(uri) - 1);
	memset(dns, 'y', sizeof(dns) - 1);
	return acl;
}

static void uris_identify(void)
{
	struct lbp_acl *acl = make_with_texts();
	static const char *const others[] = {"spiffe://corp/alice",
		"SPIFFE://corp/Alice", "spiffe://corp/Alice/",
		"spiffe://corp/Alic", "a-9.Corp.example", "spiffe://corp/id",
		"", NULL};
	struct lbp_name name = lbp_name_of_uri("spiffe://corp/Alice");

	expect(acl, &name, 1, 0);
	name = lbp_name_of_uri("spiffe://corp/bob");
	expect(acl, &name, 1, 1);
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		name = lbp_name_of_uri(others[i]);
		expect(acl, &name, 1, NOBODY);
	}
	lbp_acl_free(acl);
}

static void dns_names_identify(void)
{
	struct lbp_acl *acl = make_with_texts();
	static const char *const same[] = {
		"a-9.Corp.example", "a-9.corp.example", "A-9.CORP.EXAMPLE"};
	/* 0x0d and 0x2d, 0x19 and 0x39, 0x40 and 0x60 differ in one bit. */
	static const char *const others[] = {"a-9.corp.exampl",
		"a-9.corp.example.", "a-9.corp.example2", "a\r9.corp.example",
		"a-\x19.corp.example", "*.corp.example", "*",
		"spiffe://corp/Alice", "", NULL};
	struct lbp_name name;
	size_t i;

	for (i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		name = lbp_name_of_dns(same[i]);
		expect(acl, &name, 1, 0);
	}
	for (i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		name = lbp_name_of_dns(others[i]);
		expect(acl, &name, 1, NOBODY);
	}
	name = lbp_name_of_dns("B.Corp.Example");
	expect(acl, &name, 1, 1);
	lbp_acl_free(acl);
}

/* Those next to the first and last letter, with the other one's bit. */
static void only_letters_have_a_case(void)
{
	static const char *const pairs[][2] = {{"@", "`"}, {"[", "{"},
		{"A", "a"}, {"Z", "z"}, {"\xc0", "\xe0"}};

	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct lbp_acl_name names[2] = {
			{lbp_name_of_dns(pairs[i][0]), 0},
			{lbp_name_of_dns(pairs[i][1]), 1}};
		bool is_letter = i == 2 || i == 3;
		struct lbp_acl *acl;

		CU_ASSERT_EQUAL(acl_from(&acl, names, 2, NULL, 0, 2, 1),
			is_letter ? LBP_ERR_NAME_TWICE : LBP_OK);
		for (uint32_t c = 0; acl != NULL && c < 2; c++)
			expect(acl, &names[c].name, 1, c);
		lbp_acl_free(acl);
	}
}

static void names_of_all_kinds_go_together(void)
{
	struct lbp_acl *acl = make_with_texts();
	const struct lbp_name names[] = {serial_of("7"),
		lbp_name_of_uri("spiffe://corp/other"),
		lbp_name_of_uri("spiffe://corp/Alice"),
		lbp_name_of_dns("*.corp.example"),
		lbp_name_of_dns("A-9.corp.example"),
		lbp_name_of_dns("b.corp.example")};

	expect(acl, names, 5, 0);
	expect(acl, names, 6, SEVERAL);
	expect(acl, names, 2, NOBODY);
	expect(acl, names + 5, 1, 1);
	lbp_acl_free(acl);
}

static struct lbp_name issued_of(const char *text, uint64_t issuer)
{
	struct lbp_name name = serial_of(text);

	return lbp_name_of_issued(&name.serial, issuer);
}

static void a_serial_is_its_issuers(void)
{
	const uint64_t large = UINT64_MAX;
	const struct lbp_acl_name names[] = {{issued_of("0203", 5), 0},
		{issued_of("0203", large), 1}, {serial_of("0203"), 2},
		{issued_of("0203", 4), 3}, {issued_of("09", 5), 4}};
	const struct lbp_name asked[] = {issued_of("0203", 0),
		issued_of("0203", 3), issued_of("0203", 6),
		issued_of("0203", large - 1), issued_of("09", 4),
		serial_of("09")};
	const uint32_t whose[] = {2, NOBODY, NOBODY, NOBODY, NOBODY, NOBODY};
	struct lbp_acl *acl;

	CU_ASSERT_EQUAL_FATAL(acl_from(&acl, names, 5, NULL, 0, 5, 1), LBP_OK);
	for (uint32_t i = 0; i < 5; i++)
		expect(acl, &names[i].name, 1, i);
	for (size_t i = 0; i < 6; i++)
		expect(acl, &asked[i], 1, whose[i]);
	lbp_acl_free(acl);
}

static void many_serials_identify(void)
{
	static struct lbp_acl_name names[1000];
	struct lbp_acl *acl;

	for (uint32_t i = 0; i < 1000; i++) {
		/* A bijection on three octets that leaves no order. */
		uint32_t value = (i * 40503u + 1) % 0x10000 + 1;
		uint8_t content[] = {0, (uint8_t)(value >> 16),
			(uint8_t)(value >> 8), (uint8_t)value};
		struct lbp_serial serial;

		CU_ASSERT_EQUAL_FATAL(
			lbp_serial_from_der(&serial, content, 4), LBP_OK);
		names[i].name = lbp_name_of_serial(&serial);
		names[i].client = i;
	}
	CU_ASSERT_EQUAL_FATAL(
		acl_from(&acl, names, 1000, NULL, 0, 1000, 1), LBP_OK);
	for (uint32_t i = 0; i < 1000; i++)
		expect(acl, &names[i].name, 1, i);
	lbp_acl_free(acl);
}

static void grants_allow(void)
{
	static const bool allowed[3][9] = {
		[0] = {[0] = true, [8] = true},
		[1] = {[7] = true},
		[2] = {[8] = true},
	};
	struct lbp_acl *acl;

	CU_ASSERT_EQUAL_FATAL(make(&acl), LBP_OK);
	for (uint32_t client = 0; client < 3; client++) {
		for (uint32_t app = 0; app < 9; app++)
			CU_ASSERT_EQUAL(lbp_acl_authorize(acl, client, app),
				allowed[client][app] ? LBP_OK
						     : LBP_ERR_NOT_ALLOWED);
	}
	lbp_acl_free(acl);
}

static void numbers_out_of_range_are_not_allowed(void)
{
	static const uint32_t large[] = {9, 10, 15, 16, 1u << 29, UINT32_MAX};
	struct lbp_acl_grant grants[27];
	struct lbp_acl *acl;

	for (uint32_t i = 0; i < 27; i++)
		grants[i] = (struct lbp_acl_grant)GRANT(i / 9, i % 9);
	CU_ASSERT_EQUAL_FATAL(
		acl_from(&acl, NULL, 0, grants, 27, 3, 9), LBP_OK);
	CU_ASSERT_EQUAL(lbp_acl_authorize(acl, 2, 8), LBP_OK);
	CU_ASSERT_EQUAL(lbp_acl_authorize(acl, 3, 0), LBP_ERR_NOT_ALLOWED);
	for (size_t i = 0; i < sizeof(large) / sizeof(large[0]); i++) {
		CU_ASSERT_EQUAL(lbp_acl_authorize(acl, 0, large[i]),
			LBP_ERR_NOT_ALLOWED);
		CU_ASSERT_EQUAL(lbp_acl_authorize(acl, large[i], 0),
			LBP_ERR_NOT_ALLOWED);
	}
	lbp_acl_free(acl);
}

static void empty_lists_allow_nothing(void)
{
	struct lbp_acl *acl;

	CU_ASSERT_EQUAL_FATAL(acl_from(&acl, NULL, 0, NULL, 0, 0, 0), LBP_OK);
	CU_ASSERT_PTR_NOT_NULL_FATAL(acl);
	expect_nobody(acl, "1");
	CU_ASSERT_EQUAL(lbp_acl_authorize(acl, 0, 0), LBP_ERR_NOT_ALLOWED);
	lbp_acl_free(acl);
	lbp_acl_free(NULL);
}

static void expect_refused(const struct lbp_acl_name *names, size_t name_len,
	struct lbp_acl_grant grant, enum lbp_err want)
{
	struct lbp_acl *acl = (struct lbp_acl *)&grant;

	CU_ASSERT_EQUAL(acl_from(&acl, names, name_len, &grant, 1, 2, 2), want);
	CU_ASSERT_PTR_NULL(acl);
}

static void numbers_out_of_range_are_refused(void)
{
	static const struct lbp_acl_grant bad[] = {GRANT(2, 0), GRANT(0, 2),
		GRANT(UINT32_MAX, 0), GRANT(0, UINT32_MAX)};
	const struct lbp_acl_grant good = GRANT(1, 1);
	struct lbp_acl_name names[] = {
		{serial_of("1"), 0}, {serial_of("2"), 2}};

	expect_refused(names, 2, good, LBP_ERR_CLIENT_NUMBER);
	names[1].client = UINT32_MAX;
	expect_refused(names, 2, good, LBP_ERR_CLIENT_NUMBER);
	for (size_t i = 0; i < 4; i++)
		expect_refused(names, 1, bad[i],
			i % 2 == 0 ? LBP_ERR_CLIENT_NUMBER
				   : LBP_ERR_APP_NUMBER);
}

static void what_is_given_twice_is_refused(void)
{
	const struct lbp_acl_grant good = GRANT(1, 1);
	struct lbp_acl_grant grants[] = {
		GRANT(0, 1), GRANT(1, 0), GRANT(1, 1), GRANT(0, 1)};
	struct lbp_acl_name names[] = {
		{serial_of("1"), 0}, {serial_of("2"), 0}, {serial_of("1"), 0}};
	struct lbp_acl *acl = (struct lbp_acl *)&grants;

	expect_refused(names, 3, good, LBP_ERR_NAME_TWICE);
	names[2].client = 1;
	expect_refused(names, 3, good, LBP_ERR_NAME_TWICE);
	names[0].name = lbp_name_of_id("a");
	names[2].name = lbp_name_of_id("a");
	expect_refused(names, 3, good, LBP_ERR_NAME_TWICE);
	CU_ASSERT_EQUAL(
		acl_from(&acl, NULL, 0, grants, 4, 2, 2), LBP_ERR_GRANT_TWICE);
	CU_ASSERT_PTR_NULL(acl);
	/* Whatever the limits are. */
	grants[3].limits.concurrent = 1;
	CU_ASSERT_EQUAL(
		acl_from(&acl, NULL, 0, grants, 4, 2, 2), LBP_ERR_GRANT_TWICE);
	CU_ASSERT_EQUAL_FATAL(acl_from(&acl, NULL, 0, grants, 3, 2, 2), LBP_OK);
	lbp_acl_free(acl);
}

static void texts_that_are_none_are_refused(void)
{
	const struct lbp_acl_grant good = GRANT(1, 1);
	struct lbp_acl_name names[] = {{lbp_name_of_uri(NULL), 0},
		{lbp_name_of_dns("a"), 1}, {lbp_name_of_dns("A"), 1}};

	expect_refused(names, 2, good, LBP_ERR_NULL);
	names[0].name = lbp_name_of_dns(NULL);
	expect_refused(names, 2, good, LBP_ERR_NULL);
	names[0].name = lbp_name_of_dns("*.a");
	expect_refused(names, 2, good, LBP_ERR_NAME_WILDCARD);
	names[0].name = lbp_name_of_dns("a.b*");
	expect_refused(names, 2, good, LBP_ERR_NAME_WILDCARD);
	expect_refused(names + 1, 2, good, LBP_ERR_NAME_TWICE);
	names[0].name = lbp_name_of_uri("a*");
	names[1].name = lbp_name_of_uri("a*");
	expect_refused(names, 2, good, LBP_ERR_NAME_TWICE);
	names[0].name = issued_of("5", 0);
	names[1].name = serial_of("5");
	expect_refused(names, 2, good, LBP_ERR_NAME_TWICE);
	names[1].name = issued_of("0102", 1);
	names[1].name.issued.serial.octets[0] = 0;
	expect_refused(names, 2, good, LBP_ERR_NAME_SERIAL);
}

static void names_that_are_none_are_refused(void)
{
	const struct lbp_acl_grant good = GRANT(1, 1);
	struct lbp_acl_name names[] = {
		{lbp_name_of_id(NULL), 0}, {lbp_name_of_id("a"), 1}};

	expect_refused(names, 2, good, LBP_ERR_NULL);
	names[0].name = lbp_name_of_number(0);
	expect_refused(names, 2, good, LBP_ERR_NAME_KIND);
	names[0].name = serial_of("0102");
	names[0].name.serial.octets[0] = 0;
	expect_refused(names, 2, good, LBP_ERR_NAME_SERIAL);
	names[0].name = serial_of("1");
	names[0].name.serial.len = 0;
	expect_refused(names, 2, good, LBP_ERR_NAME_SERIAL);
	names[0].name.serial.len = LBP_SERIAL_MAX + 1;
	expect_refused(names, 2, good, LBP_ERR_NAME_SERIAL);
}

static void a_rate_without_a_window_is_refused(void)
{
	struct lbp_acl_grant grant = GRANT(1, 1);
	struct lbp_acl *acl;

	grant.limits.connections = 1;
	expect_refused(NULL, 0, grant, LBP_ERR_WINDOW);
	grant.limits.window_ns = 1;
	CU_ASSERT_EQUAL_FATAL(acl_from(&acl, NULL, 0, &grant, 1, 2, 2), LBP_OK);
	lbp_acl_free(acl);
	grant.limits = (struct lbp_limits){.concurrent = 1};
	CU_ASSERT_EQUAL_FATAL(acl_from(&acl, NULL, 0, &grant, 1, 2, 2), LBP_OK);
	lbp_acl_free(acl);
}

static void what_is_missing_is_refused(void)
{
	struct lbp_acl *acl = (struct lbp_acl *)&acl;
	struct lbp_acl_options options;

	lbp_acl_options_init(&options);
	CU_ASSERT_EQUAL(lbp_acl_new(NULL, &options), LBP_ERR_NULL);
	CU_ASSERT_EQUAL(lbp_acl_new(&acl, NULL), LBP_ERR_NULL);
	CU_ASSERT_PTR_NULL(acl);
	options.name_len = 1;
	CU_ASSERT_EQUAL(lbp_acl_new(&acl, &options), LBP_ERR_NULL);
	options.name_len = 0;
	options.grant_len = 1;
	CU_ASSERT_EQUAL(lbp_acl_new(&acl, &options), LBP_ERR_NULL);
}

static void a_call_without_an_argument_is_refused(void)
{
	struct lbp_acl *acl = make_with_ids();
	const struct lbp_name name = serial_of("7");
	uint32_t client = NOBODY;

	CU_ASSERT_EQUAL(
		lbp_acl_identify(NULL, &name, 1, &client), LBP_ERR_NULL);
	CU_ASSERT_EQUAL(lbp_acl_identify(acl, NULL, 1, &client), LBP_ERR_NULL);
	CU_ASSERT_EQUAL(lbp_acl_identify(acl, &name, 1, NULL), LBP_ERR_NULL);
	CU_ASSERT_EQUAL(client, NOBODY);
	CU_ASSERT_EQUAL(lbp_acl_authorize(NULL, 0, 0), LBP_ERR_NULL);
	lbp_acl_free(acl);
}

/* What the caller's headers do not have yet is as if it had not been set. */
static void options_of_other_versions_do(void)
{
	static const struct lbp_acl_grant grant = GRANT(1, 1);
	struct {
		struct lbp_acl_options known;
		uint8_t news[64];
	} newer;
	struct lbp_acl_options options;
	struct lbp_acl *acl = (struct lbp_acl *)&acl;

	memset(&options, 0xff, sizeof(options));
	lbp_acl_options_init(&options);
	CU_ASSERT_EQUAL(options.size, sizeof(options));
	options.grants = &grant;
	options.grant_len = 1;
	options.client_len = 2;
	options.app_len = 2;
	options.size = offsetof(struct lbp_acl_options, app_len);
	CU_ASSERT_EQUAL(lbp_acl_new(&acl, &options), LBP_ERR_APP_NUMBER);
	CU_ASSERT_PTR_NULL(acl);
	options.size = sizeof(options.size);
	CU_ASSERT_EQUAL_FATAL(lbp_acl_new(&acl, &options), LBP_OK);
	lbp_acl_free(acl);
	options.size--;
	CU_ASSERT_EQUAL(lbp_acl_new(&acl, &options), LBP_ERR_OPTIONS);
	options.size = 0;
	CU_ASSERT_EQUAL(lbp_acl_new(&acl, &options), LBP_ERR_OPTIONS);
	CU_ASSERT_PTR_NULL(acl);

	memset(&newer, 0xff, sizeof(newer));
	options.size = sizeof(newer);
	newer.known = options;
	CU_ASSERT_EQUAL_FATAL(lbp_acl_new(&acl, &newer.known), LBP_OK);
	CU_ASSERT_EQUAL(lbp_acl_authorize(acl, 1, 1), LBP_OK);
	lbp_acl_free(acl);
}

/* By application, each with its clients in order and their limits. */
static void grants_are_listed_by_application(void)
{
	const struct lbp_acl_grant grants[] = {GRANT(2, 3),
		{.client = 3, .app = 1, .limits = {.concurrent = 7}},
		{.client = 0, .app = 1, .limits = {.concurrent = 8}},
		{.client = 2, .app = 1, .limits = {0, 1, 9}}, GRANT(1, 3)};
	struct lbp_acl *acl;
	const struct lbp_acl_grant *got;
	size_t len = 77;

	CU_ASSERT_EQUAL_FATAL(acl_from(&acl, NULL, 0, grants, 5, 4, 4), LBP_OK);
	got = lbp_acl_grants(acl, 1, &len);
	CU_ASSERT_EQUAL_FATAL(len, 3);
	CU_ASSERT_EQUAL(got[0].client, 0);
	CU_ASSERT_EQUAL(got[0].limits.concurrent, 8);
	CU_ASSERT_EQUAL(got[1].client, 2);
	CU_ASSERT_EQUAL(got[1].limits.window_ns, 9);
	CU_ASSERT_EQUAL(got[2].client, 3);
	CU_ASSERT_EQUAL(got[2].limits.concurrent, 7);
	got = lbp_acl_grants(acl, 3, &len);
	CU_ASSERT_EQUAL_FATAL(len, 2);
	CU_ASSERT_EQUAL(got[0].client, 1);
	CU_ASSERT_EQUAL(got[1].client, 2);
	for (uint32_t app = 0; app < 3; app += 2) {
		CU_ASSERT_PTR_NOT_NULL(lbp_acl_grants(acl, app, &len));
		CU_ASSERT_EQUAL(len, 0);
	}
	len = 77;
	CU_ASSERT_PTR_NULL(lbp_acl_grants(acl, 4, &len));
	CU_ASSERT_EQUAL(len, 0);
	lbp_acl_free(acl);
}

/* A serial of as many octets as there can be, and the longest way around. */
static void a_long_serial_identifies(void)
{
	struct lbp_acl_name name = {
		serial_of("0102030405060708090a0b0c0d0e0f1011121314"), 0};
	struct lbp_acl *acl;

	CU_ASSERT_EQUAL_FATAL(acl_from(&acl, &name, 1, NULL, 0, 1, 1), LBP_OK);
	expect(acl, &name.name, 1, 0);
	name.name.serial.octets[LBP_SERIAL_MAX - 1]++;
	expect(acl, &name.name, 1, NOBODY);
	lbp_acl_free(acl);
}

static void lists_are_copied(void)
{
	struct lbp_acl_name *names = malloc(sizeof(*names));
	struct lbp_acl_grant *grants = malloc(sizeof(*grants));
	struct lbp_acl *acl;

	CU_ASSERT_FATAL(names != NULL && grants != NULL);
	names[0] = (struct lbp_acl_name){serial_of("ab"), 4};
	grants[0] = (struct lbp_acl_grant)GRANT(4, 2);
	CU_ASSERT_EQUAL_FATAL(
		acl_from(&acl, names, 1, grants, 1, 5, 3), LBP_OK);
	memset(names, 0, sizeof(*names));
	memset(grants, 0, sizeof(*grants));
	free(names);
	free(grants);
	expect_client(acl, "ab", 4);
	CU_ASSERT_EQUAL(lbp_acl_authorize(acl, 4, 2), LBP_OK);
	lbp_acl_free(acl);
}

static void no_memory_is_an_error(void)
{
	const struct lbp_acl_name name = {lbp_name_of_id("a"), 0};
	struct lbp_acl *acl;
	long allocations;

	alloc_fail_at(0);
	CU_ASSERT_EQUAL_FATAL(make(&acl), LBP_OK);
	lbp_acl_free(acl);
	allocations = alloc_count();
	CU_ASSERT_TRUE(allocations > 0);
	for (long n = 1; n <= allocations; n++) {
		alloc_fail_at(n);
		acl = (struct lbp_acl *)&allocations;
		CU_ASSERT_EQUAL(make(&acl), LBP_ERR_NOMEM);
		CU_ASSERT_PTR_NULL(acl);
	}
	alloc_fail_at(0);
	CU_ASSERT_EQUAL(
		acl_from(&acl, NULL, 0, NULL, 0, UINT32_MAX, UINT32_MAX),
		LBP_ERR_NOMEM);
	CU_ASSERT_PTR_NULL(acl);
	CU_ASSERT_EQUAL(
		acl_from(&acl, &name, SIZE_MAX, NULL, 0, 1, 1), LBP_ERR_NOMEM);
	CU_ASSERT_PTR_NULL(acl);
}

/* Enough applications for the rows of two clients to overlap if too short. */
static void many_grants_allow(void)
{
	static struct lbp_acl_grant grants[600];
	struct lbp_acl *acl;
	size_t len = 0;

	for (uint32_t i = 0; i < 600; i++) {
		if (i % 3 == i / 200)
			grants[len++] =
				(struct lbp_acl_grant)GRANT(i / 200, i % 200);
	}
	CU_ASSERT_EQUAL_FATAL(
		acl_from(&acl, NULL, 0, grants, len, 3, 200), LBP_OK);
	for (uint32_t i = 0; i < 600; i++)
		CU_ASSERT_EQUAL(lbp_acl_authorize(acl, i / 200, i % 200),
			i % 3 == i / 200 ? LBP_OK : LBP_ERR_NOT_ALLOWED);
	lbp_acl_free(acl);
}

void suite_acl(void)
{
	CU_pSuite suite = CU_add_suite("acl", NULL, NULL);

	CU_add_test(suite, "[ACL-1][ACL-2] a listed serial is its client",
		serials_identify);
	CU_add_test(suite, "[ACL-2] among a thousand serials",
		many_serials_identify);
	CU_add_test(suite, "[ACL-2] a serial of 20 octets",
		a_long_serial_identifies);
	CU_add_test(suite, "[ACL-1][ACL-2] a listed id is its client",
		ids_identify);
	CU_add_test(suite, "[ACL-6] a client's number is its client",
		numbers_identify);
	CU_add_test(suite, "[ACL-2] what is no name is nobody's",
		what_is_no_name_is_nobodys);
	CU_add_test(suite, "[ACL-7] several names identify one client or none",
		several_names_identify_one);
	CU_add_test(
		suite, "[ACL-10] a listed URI is its client", uris_identify);
	CU_add_test(suite, "[ACL-10] a listed DNS name is its client",
		dns_names_identify);
	CU_add_test(suite, "[ACL-10] only letters have a case",
		only_letters_have_a_case);
	CU_add_test(suite, "[ACL-7][ACL-12] names of all kinds go together",
		names_of_all_kinds_go_together);
	CU_add_test(suite, "[ACL-11] a serial is its issuer's",
		a_serial_is_its_issuers);
	CU_add_test(suite, "[ACL-5][ACL-12] texts that are none are refused",
		texts_that_are_none_are_refused);
	CU_add_test(suite, "[ACL-3] what is granted is allowed, and no more",
		grants_allow);
	CU_add_test(
		suite, "[ACL-3] among many applications", many_grants_allow);
	CU_add_test(suite, "[ACL-4] numbers that do not exist",
		numbers_out_of_range_are_not_allowed);
	CU_add_test(suite, "[ACL-1][ACL-4] an empty list allows nothing",
		empty_lists_allow_nothing);
	CU_add_test(suite, "[ACL-5][ACL-9] numbers out of range are refused",
		numbers_out_of_range_are_refused);
	CU_add_test(suite, "[ACL-5][ACL-9] what is given twice is refused",
		what_is_given_twice_is_refused);
	CU_add_test(suite, "[ACL-9] a rate without a window is refused",
		a_rate_without_a_window_is_refused);
	CU_add_test(suite, "[ERR-4] what is missing is refused",
		what_is_missing_is_refused);
	CU_add_test(suite, "[ERR-4] a call without an argument is refused",
		a_call_without_an_argument_is_refused);
	CU_add_test(suite, "[ERR-5] options of other versions do",
		options_of_other_versions_do);
	CU_add_test(suite, "[ACL-8] grants are listed by application",
		grants_are_listed_by_application);
	CU_add_test(suite, "[ACL-5] names that are none are refused",
		names_that_are_none_are_refused);
	CU_add_test(suite, "[ACL-1] the lists are copied", lists_are_copied);
	CU_add_test(suite, "[ACL-1] out of memory", no_memory_is_an_error);
}
