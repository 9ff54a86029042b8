/* By which names of a certificate its holder may be known. */
#include "server/sans.h"

#include <CUnit/CUnit.h>
#include <string.h>

#include "suites.h"

static bool take_uri(struct lbp_sans *sans, const char *uri)
{
	return lbp_sans_take(sans, LBP_NAME_URI, uri, strlen(uri));
}

static bool take_dns(struct lbp_sans *sans, const char *dns)
{
	return lbp_sans_take(sans, LBP_NAME_DNS, dns, strlen(dns));
}

static void listable_names_are_kept(void)
{
	struct lbp_sans sans = {0};

	CU_ASSERT_TRUE(lbp_sans_are_fine(&sans));
	CU_ASSERT_TRUE(take_uri(&sans, "spiffe://corp/a"));
	CU_ASSERT_TRUE(take_dns(&sans, "a.corp"));
	CU_ASSERT_TRUE(take_dns(&sans, "A"));
	CU_ASSERT_EQUAL(sans.len, 3);
	CU_ASSERT_EQUAL(sans.size, 16 + 7 + 2);
	CU_ASSERT_TRUE(lbp_sans_are_fine(&sans));
}

/* Neither is a name of the other kind, nor one that ends at a NUL. */
static void other_names_are_nobodys(void)
{
	struct lbp_sans sans = {0};

	CU_ASSERT_FALSE(take_dns(&sans, "*.corp"));
	CU_ASSERT_FALSE(take_dns(&sans, "a:b"));
	CU_ASSERT_FALSE(take_uri(&sans, "a.corp"));
	CU_ASSERT_FALSE(lbp_sans_take(&sans, LBP_NAME_DNS, "a\0.b", 4));
	CU_ASSERT_FALSE(lbp_sans_take(&sans, LBP_NAME_URI, "a:b\0", 4));
	CU_ASSERT_FALSE(lbp_sans_take(&sans, LBP_NAME_URI, "", 0));
	CU_ASSERT_EQUAL(sans.len, 0);
	CU_ASSERT_EQUAL(sans.size, 0);
	CU_ASSERT_TRUE(lbp_sans_are_fine(&sans));
}

static bool are_fine(const char *first, const char *second)
{
	struct lbp_sans sans = {0};

	(void)take_uri(&sans, first);
	CU_ASSERT_TRUE(lbp_sans_are_fine(&sans));
	(void)take_dns(&sans, "spiffe");
	CU_ASSERT_TRUE(lbp_sans_are_fine(&sans));
	(void)take_uri(&sans, second);
	return lbp_sans_are_fine(&sans);
}

static void a_spiffe_uri_is_alone(void)
{
	struct lbp_sans sans = {0};

	CU_ASSERT_TRUE(are_fine("a:b", "a:c"));
	CU_ASSERT_TRUE(are_fine("spiff:b", "xspiffe:c"));
	CU_ASSERT_TRUE(are_fine("spiffe", "spiffex:a"));
	CU_ASSERT_FALSE(are_fine("spiffe:b", "a:c"));
	CU_ASSERT_FALSE(are_fine("a:c", "spiffe:b"));
	CU_ASSERT_FALSE(are_fine("spiffe://a/b", "spiffe://a/b"));
	CU_ASSERT_FALSE(are_fine("SPIFFE:b", "a:c"));
	CU_ASSERT_TRUE(are_fine("xpiffe:b", "a:c"));
	/* What is behind its end is not part of it. */
	(void)take_uri(&sans, "a:b");
	(void)lbp_sans_take(&sans, LBP_NAME_URI, "spiffe:b", 3);
	(void)lbp_sans_take(&sans, LBP_NAME_URI, "spiffe:b", 6);
	CU_ASSERT_TRUE(lbp_sans_are_fine(&sans));
	(void)lbp_sans_take(&sans, LBP_NAME_URI, "spiffe:b", 7);
	CU_ASSERT_FALSE(lbp_sans_are_fine(&sans));
	sans = (struct lbp_sans){0};
	/* Also beside what is no URI, or as that. */
	CU_ASSERT_FALSE(are_fine("", "spiffe:b"));
	CU_ASSERT_FALSE(are_fine("spiffe: ", "a:c"));
	CU_ASSERT_FALSE(are_fine("spiffe:", "a"));
	(void)take_uri(&sans, "spiffe:a");
	(void)take_uri(&sans, "a:b");
	(void)take_uri(&sans, "a:c");
	CU_ASSERT_FALSE(lbp_sans_are_fine(&sans));
}

static void there_are_at_most_128(void)
{
	struct lbp_sans sans = {0};

	for (int i = 0; i < LBP_SANS_MAX; i++)
		CU_ASSERT_TRUE(take_dns(&sans, "a"));
	CU_ASSERT_EQUAL(sans.size, 256);
	CU_ASSERT_TRUE(lbp_sans_are_fine(&sans));
	CU_ASSERT_FALSE(take_dns(&sans, "*"));
	CU_ASSERT_TRUE(lbp_sans_are_fine(&sans));
	CU_ASSERT_TRUE(take_dns(&sans, "a"));
	CU_ASSERT_FALSE(lbp_sans_are_fine(&sans));
	CU_ASSERT_FALSE(take_dns(&sans, "a"));
	CU_ASSERT_EQUAL(sans.len, LBP_SANS_MAX + 1);
}

void suite_sans(void)
{
	CU_pSuite suite = CU_add_suite("sans", NULL, NULL);

	CU_add_test(suite, "[SRV-180] names that can be listed are kept",
		listable_names_are_kept);
	CU_add_test(suite, "[SRV-180] other names are nobody's",
		other_names_are_nobodys);
	CU_add_test(suite, "[SRV-181] a SPIFFE URI is alone",
		a_spiffe_uri_is_alone);
	CU_add_test(suite, "[SRV-182] there are at most 128 names",
		there_are_at_most_128);
}
