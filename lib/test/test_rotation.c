/* New contents of files that are watched. */
#include <CUnit/CUnit.h>

#include "server/rotation.h"
#include "suites.h"

static struct lbp_rotation rotation;

static void look(uint64_t content, bool wanted)
{
	CU_ASSERT_EQUAL(lbp_rotation_look(&rotation, content), wanted);
}

static void contents_differ(void)
{
	uint64_t none = LBP_ROTATION_NOTHING;
	uint64_t a = lbp_rotation_add(none, "a", 1);
	uint64_t ab = lbp_rotation_add(none, "ab", 2);

	CU_ASSERT_EQUAL(a, lbp_rotation_add(none, "ax", 1));
	CU_ASSERT_NOT_EQUAL(a, lbp_rotation_add(none, "b", 1));
	CU_ASSERT_NOT_EQUAL(a, ab);
	/* Where one file ends and the next one begins counts. */
	CU_ASSERT_NOT_EQUAL(lbp_rotation_add(a, "b", 1), ab);
	CU_ASSERT_NOT_EQUAL(lbp_rotation_add(a, "b", 1),
		lbp_rotation_add(lbp_rotation_add(none, "b", 1), "a", 1));
	CU_ASSERT_NOT_EQUAL(
		lbp_rotation_add(lbp_rotation_add(none, "a", 1), "", 0),
		lbp_rotation_add(lbp_rotation_add(none, "", 0), "a", 1));
	/* No file is not an empty one. */
	CU_ASSERT_NOT_EQUAL(
		lbp_rotation_add(none, NULL, 0), lbp_rotation_add(none, "", 0));
	CU_ASSERT_NOT_EQUAL(lbp_rotation_add(none, "", 0), none);
	CU_ASSERT_EQUAL(lbp_rotation_add(none, NULL, 7),
		lbp_rotation_add(none, NULL, 0));
	/* As published for FNV-1a, of the length and then the text. */
	CU_ASSERT_EQUAL(none, UINT64_C(14695981039346656037));
	CU_ASSERT_EQUAL(lbp_rotation_add(none, "foobar", 6),
		UINT64_C(0xb277229a2d9d19f2));
	CU_ASSERT_EQUAL(
		lbp_rotation_add(none, NULL, 0), UINT64_C(0x8cf51a8bfca3883d));
}

static void what_is_in_use_is_not_tried(void)
{
	lbp_rotation_init(&rotation, 1);
	look(1, false);
	look(1, false);
}

static void a_new_content_is_tried_once_it_has_settled(void)
{
	lbp_rotation_init(&rotation, 1);
	look(2, false);
	look(2, true);
	lbp_rotation_init(&rotation, 2);
	look(2, false);
	/* Written in steps. */
	look(3, false);
	look(4, false);
	look(5, false);
	look(5, true);
}

static void a_content_is_tried_once(void)
{
	lbp_rotation_init(&rotation, 1);
	look(2, false);
	look(2, true);
	look(2, false);
	look(2, false);
	/* Another one, and back. */
	look(3, false);
	look(3, true);
	look(2, false);
	look(2, true);
}

static void what_is_in_use_again_makes_it_new(void)
{
	lbp_rotation_init(&rotation, 1);
	look(2, false);
	look(2, true);
	look(1, false);
	look(2, false);
	look(2, true);
}

void suite_rotation(void)
{
	CU_pSuite suite = CU_add_suite("rotation", NULL, NULL);

	CU_add_test(suite, "[WAT-1] contents differ", contents_differ);
	CU_add_test(suite, "[WAT-2] what is in use is not tried",
		what_is_in_use_is_not_tried);
	CU_add_test(suite, "[WAT-3] a new content is tried once it has settled",
		a_new_content_is_tried_once_it_has_settled);
	CU_add_test(suite, "[WAT-4] a content is tried once",
		a_content_is_tried_once);
	CU_add_test(suite, "[WAT-4] what is in use again makes it new",
		what_is_in_use_again_makes_it_new);
}
