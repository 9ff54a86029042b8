#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>

#include "acl.h"
#include "alloc.h"
#include "suites.h"

static struct lbp_serial serial_of(const char *text)
{
	struct lbp_serial serial = {{0}, 0};

	CU_ASSERT_EQUAL_FATAL(
		lbp_serial_from_hex(&serial, text, strlen(text)), LBP_OK);
	return serial;
}

/* Client 0 has 01 and 0203, client 1 has 05, client 2 has none. */
static enum lbp_err make(struct lbp_acl **acl)
{
	const struct lbp_acl_serial serials[] = {{serial_of("0203"), 0},
		{serial_of("5"), 1}, {serial_of("1"), 0}};
	const struct lbp_acl_grant grants[] = {
		{0, 0}, {0, 8}, {1, 7}, {2, 8}, {0, 8}};

	return lbp_acl_new(acl, serials, 3, grants, 5, 3, 9);
}

static void expect_client(
	const struct lbp_acl *acl, const char *text, uint32_t want)
{
	struct lbp_serial serial = serial_of(text);
	uint32_t client = 77;

	CU_ASSERT_EQUAL(lbp_acl_identify(acl, &serial, &client), LBP_OK);
	CU_ASSERT_EQUAL(client, want);
}

static void expect_nobody(const struct lbp_acl *acl, const char *text)
{
	struct lbp_serial serial = serial_of(text);
	uint32_t client = 77;

	CU_ASSERT_EQUAL(lbp_acl_identify(acl, &serial, &client),
		LBP_ERR_UNKNOWN_CLIENT);
	CU_ASSERT_EQUAL(client, 77);
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

static void many_serials_identify(void)
{
	static struct lbp_acl_serial serials[1000];
	struct lbp_acl *acl;

	for (uint32_t i = 0; i < 1000; i++) {
		/* A bijection on three octets that leaves no order. */
		uint32_t value = (i * 40503u + 1) % 0x10000 + 1;
		uint8_t content[] = {0, (uint8_t)(value >> 16),
			(uint8_t)(value >> 8), (uint8_t)value};

		CU_ASSERT_EQUAL_FATAL(
			lbp_serial_from_der(&serials[i].serial, content, 4),
			LBP_OK);
		serials[i].client = i;
	}
	CU_ASSERT_EQUAL_FATAL(
		lbp_acl_new(&acl, serials, 1000, NULL, 0, 1000, 1), LBP_OK);
	for (uint32_t i = 0; i < 1000; i++) {
		uint32_t client = 0;

		CU_ASSERT_EQUAL(
			lbp_acl_identify(acl, &serials[i].serial, &client),
			LBP_OK);
		CU_ASSERT_EQUAL(client, i);
	}
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
		grants[i] = (struct lbp_acl_grant){i / 9, i % 9};
	CU_ASSERT_EQUAL_FATAL(
		lbp_acl_new(&acl, NULL, 0, grants, 27, 3, 9), LBP_OK);
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

	CU_ASSERT_EQUAL_FATAL(
		lbp_acl_new(&acl, NULL, 0, NULL, 0, 0, 0), LBP_OK);
	CU_ASSERT_PTR_NOT_NULL_FATAL(acl);
	expect_nobody(acl, "1");
	CU_ASSERT_EQUAL(lbp_acl_authorize(acl, 0, 0), LBP_ERR_NOT_ALLOWED);
	lbp_acl_free(acl);
	lbp_acl_free(NULL);
}

static void expect_refused(const struct lbp_acl_serial *serials,
	size_t serial_len, struct lbp_acl_grant grant)
{
	struct lbp_acl *acl = (struct lbp_acl *)&grant;

	CU_ASSERT_EQUAL(lbp_acl_new(&acl, serials, serial_len, &grant, 1, 2, 2),
		LBP_ERR_RANGE);
	CU_ASSERT_PTR_NULL(acl);
}

static void bad_lists_are_refused(void)
{
	const struct lbp_acl_grant good = {1, 1};
	struct lbp_acl_serial serials[] = {
		{serial_of("1"), 0}, {serial_of("2"), 0}, {serial_of("1"), 0}};

	expect_refused(serials, 3, good);
	serials[2].client = 1;
	expect_refused(serials, 3, good);
	serials[1].client = 2;
	expect_refused(serials, 2, good);
	serials[1].client = UINT32_MAX;
	expect_refused(serials, 2, good);
	expect_refused(serials, 1, (struct lbp_acl_grant){2, 0});
	expect_refused(serials, 1, (struct lbp_acl_grant){0, 2});
	expect_refused(serials, 1, (struct lbp_acl_grant){UINT32_MAX, 0});
	expect_refused(serials, 1, (struct lbp_acl_grant){0, UINT32_MAX});
}

static void lists_are_copied(void)
{
	struct lbp_acl_serial *serials = malloc(sizeof(*serials));
	struct lbp_acl_grant *grants = malloc(sizeof(*grants));
	struct lbp_acl *acl;

	CU_ASSERT_FATAL(serials != NULL && grants != NULL);
	serials[0] = (struct lbp_acl_serial){serial_of("ab"), 4};
	grants[0] = (struct lbp_acl_grant){4, 2};
	CU_ASSERT_EQUAL_FATAL(
		lbp_acl_new(&acl, serials, 1, grants, 1, 5, 3), LBP_OK);
	memset(serials, 0, sizeof(*serials));
	memset(grants, 0, sizeof(*grants));
	free(serials);
	free(grants);
	expect_client(acl, "ab", 4);
	CU_ASSERT_EQUAL(lbp_acl_authorize(acl, 4, 2), LBP_OK);
	lbp_acl_free(acl);
}

static void no_memory_is_an_error(void)
{
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
		lbp_acl_new(&acl, NULL, 0, NULL, 0, UINT32_MAX, UINT32_MAX),
		LBP_ERR_NOMEM);
	CU_ASSERT_PTR_NULL(acl);
	CU_ASSERT_EQUAL(lbp_acl_new(&acl, NULL, SIZE_MAX, NULL, 0, 1, 1),
		LBP_ERR_NOMEM);
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
				(struct lbp_acl_grant){i / 200, i % 200};
	}
	CU_ASSERT_EQUAL_FATAL(
		lbp_acl_new(&acl, NULL, 0, grants, len, 3, 200), LBP_OK);
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
	CU_add_test(suite, "[ACL-3] what is granted is allowed, and no more",
		grants_allow);
	CU_add_test(
		suite, "[ACL-3] among many applications", many_grants_allow);
	CU_add_test(suite, "[ACL-4] numbers that do not exist",
		numbers_out_of_range_are_not_allowed);
	CU_add_test(suite, "[ACL-1][ACL-4] an empty list allows nothing",
		empty_lists_allow_nothing);
	CU_add_test(suite, "[ACL-5] lists with mistakes are refused",
		bad_lists_are_refused);
	CU_add_test(suite, "[ACL-1] the lists are copied", lists_are_copied);
	CU_add_test(suite, "[ACL-1] out of memory", no_memory_is_an_error);
}
