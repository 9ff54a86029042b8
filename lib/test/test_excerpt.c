#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/excerpt.h"
#include "suites.h"

static bool cut(const char *text, uint32_t line, uint32_t column,
	struct lbp_excerpt *out)
{
	struct lbp_excerpts excerpts;

	lbp_excerpts_init(&excerpts, text, strlen(text));
	return lbp_excerpts_cut(&excerpts, line, column, out);
}

/* A place of a text is shown as this line, with the caret here. */
static void expect(const char *text, uint32_t line, uint32_t column,
	const char *shown, size_t caret)
{
	struct lbp_excerpt out;

	CU_ASSERT_TRUE_FATAL(cut(text, line, column, &out));
	CU_ASSERT_STRING_EQUAL(out.line, shown);
	CU_ASSERT_EQUAL(out.caret, caret);
	if (strcmp(out.line, shown) != 0)
		(void)printf("\n%s\n", out.line);
}

static void a_place_has_its_line(void)
{
	expect("a = 1\nb = 2\nc = 3", 1, 1, "a = 1", 0);
	expect("a = 1\nb = 2\nc = 3", 2, 5, "b = 2", 4);
	expect("a = 1\nb = 2\nc = 3", 3, 5, "c = 3", 4);
	/* Behind the last character of a line and of the text. */
	expect("a =\nb = 2\n", 1, 4, "a =", 3);
	expect("a =\r\nb = 2\r\n", 1, 4, "a =", 3);
	expect("a =\r\nb = 2", 2, 6, "b = 2", 5);
	expect("a =\n", 2, 1, "", 0);
	expect("", 1, 1, "", 0);
	/* A mark at the beginning has no column. */
	expect("\xef\xbb\xbf"
	       "a = 1",
		1, 2, "a = 1", 1);
	expect("\xef\xbb\xbf", 1, 1, "", 0);
}

static void there_may_be_no_such_place(void)
{
	struct lbp_excerpts empty;
	struct lbp_excerpt out;

	CU_ASSERT_FALSE(cut("a = 1\n", 0, 1, &out));
	CU_ASSERT_FALSE(cut("a = 1\n", 1, 0, &out));
	CU_ASSERT_FALSE(cut("a = 1\n", 1, 7, &out));
	CU_ASSERT_FALSE(cut("a = 1\r\n", 1, 7, &out));
	CU_ASSERT_FALSE(cut("a = 1\n", 2, 2, &out));
	CU_ASSERT_FALSE(cut("a = 1\n", 3, 1, &out));
	CU_ASSERT_FALSE(cut("a = 1", 2, 1, &out));
	lbp_excerpts_init(&empty, NULL, 0);
	CU_ASSERT_TRUE(lbp_excerpts_cut(&empty, 1, 1, &out));
	CU_ASSERT_FALSE(lbp_excerpts_cut(&empty, 2, 1, &out));
}

static void places_come_in_any_order(void)
{
	static const char text[] = "abc\ndef\nghi\n";
	static const uint32_t places[][2] = {{1, 2}, {1, 3}, {3, 2}, {3, 1},
		{2, 3}, {2, 3}, {2, 4}, {1, 1}, {4, 1}, {9, 9}, {1, 4}};
	struct lbp_excerpts excerpts;

	lbp_excerpts_init(&excerpts, text, strlen(text));
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		struct lbp_excerpt got, want;
		uint32_t line = places[i][0];
		uint32_t column = places[i][1];
		bool found = lbp_excerpts_cut(&excerpts, line, column, &got);

		CU_ASSERT_EQUAL(found, line < 9);
		if (!found || !cut(text, line, column, &want))
			continue;
		CU_ASSERT_STRING_EQUAL(got.line, want.line);
		CU_ASSERT_EQUAL(got.caret, want.caret);
	}
}

/* The text has changed behind the walk's back, which did not turn. */
static void places_in_order_take_one_walk(void)
{
	static const struct {
		uint32_t line;
		uint32_t column;
		const char *shown;
	} places[] = {{2, 2, "abxcd"}, {2, 3, "abxcd"}, {2, 3, "abxcd"},
		{3, 1, "ef"}, {3, 3, "ef"}, {4, 1, "gh"}};
	char text[] = "ab\ncd\nef\ngh";
	struct lbp_excerpts excerpts;
	struct lbp_excerpt got;

	lbp_excerpts_init(&excerpts, text, strlen(text));
	CU_ASSERT_TRUE(lbp_excerpts_cut(&excerpts, 2, 2, &got));
	CU_ASSERT_STRING_EQUAL(got.line, "cd");
	text[2] = 'x';
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		CU_ASSERT_TRUE(lbp_excerpts_cut(
			&excerpts, places[i].line, places[i].column, &got));
		CU_ASSERT_STRING_EQUAL(got.line, places[i].shown);
	}
	/* Backwards it begins anew. */
	CU_ASSERT_TRUE(lbp_excerpts_cut(&excerpts, 2, 1, &got));
	CU_ASSERT_STRING_EQUAL(got.line, "ef");
}

/* What lies behind the text in memory. */
static void a_text_has_an_end(void)
{
	static const char lines[] = "a\nb\nc";
	static const char cut_off[] = "x\xc3\xbcy";
	struct lbp_excerpts excerpts;
	struct lbp_excerpt got;

	lbp_excerpts_init(&excerpts, lines, 3);
	CU_ASSERT_FALSE(lbp_excerpts_cut(&excerpts, 3, 1, &got));
	lbp_excerpts_init(&excerpts, cut_off, 2);
	CU_ASSERT_TRUE(lbp_excerpts_cut(&excerpts, 1, 3, &got));
	CU_ASSERT_STRING_EQUAL(got.line, "...");
	CU_ASSERT_EQUAL(got.caret, 3);
}

static void other_characters_are_escaped(void)
{
	expect("\tk = 'a\tb'", 1, 2, "    k = 'a    b'", 4);
	expect("k\t=\t1", 1, 5, "k    =    1", 10);
	expect("k = 'm\xc3\xbcller' 1", 1, 14, "k = 'm\\u00FCller' 1", 18);
	expect("# \xf0\x9f\x98\x80!", 1, 4, "# \\U0001F600!", 12);
	expect("# \xef\xbf\xbf!", 1, 4, "# \\uFFFF!", 8);
	expect("# \xf0\x90\x80\x80!", 1, 4, "# \\U00010000!", 12);
	/* ESC, DEL, C1's CSI and a lone CR command a terminal. */
	expect("a\x1b[2J", 1, 2, "a\\u001B", 1);
	expect("a\x7f", 1, 1, "a\\u007F", 0);
	expect("\xc2\x9b\rx", 1, 2, "\\u009B\\u000D", 6);
	expect("a\r", 1, 2, "a\\u000D", 1);
	expect("~ ", 1, 1, "~ ", 0);
}

static void what_is_not_text_is_left_out(void)
{
	expect("k = 1 \xff secret", 1, 7, "k = 1 ", 6);
	expect("k\xff = 1\n", 1, 1, "k", 0);
	expect("\xe2\x82", 1, 1, "", 0);
	expect("0w\x02 secret", 1, 3, "0w\\u0002", 2);
	expect("a\x7f secret", 1, 1, "a\\u007F", 0);
	expect("a\x1f secret", 1, 1, "a\\u001F", 0);
	expect("a\x02 b", 1, 3, "... b", 3);
	expect("a\xff"
	       "bc",
		1, 4, "...bc", 4);
	expect("a\x80"
	       "bc",
		1, 3, "...bc", 3);
}

/* A line of len times a character, then the text that is given. */
static const char *line_of(char *buf, size_t len, const char *then)
{
	memset(buf, 'x', len);
	strcpy(buf + len, then);
	return buf;
}

static void long_lines_are_cut(void)
{
	char text[256];
	char want[256];
	struct lbp_excerpt out;

	/* As much as fits: 72 columns, and 45 before the place. */
	expect(line_of(text, 72, ""), 1, 1, line_of(want, 72, ""), 0);
	expect(line_of(text, 72 + 1, ""), 1, 1, line_of(want, 72 - 3, "..."),
		0);
	expect(line_of(text, 45, "!"), 1, 46, line_of(want, 45, "!"), 45);
	expect(line_of(text, 46, "!"), 1, 47,
		"...xxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
		"xxxxxxxxxxxxxxxx!",
		48);
	/* Not in the middle of an escape. */
	expect(line_of(text, 72 - 5, "\xc2\x9by"), 1, 1,
		line_of(want, 72 - 5, "..."), 0);
	expect(line_of(text, 72 - 6, "\xc2\x9by"), 1, 1,
		line_of(want, 72 - 6, "..."), 0);
	expect(line_of(text, 72 - 6, "\xc2\x9b"), 1, 1,
		line_of(want, 72 - 6, "\\u009B"), 0);
	CU_ASSERT_TRUE(cut(line_of(text, 200, "\n"), 1, 150, &out));
	CU_ASSERT_EQUAL(strlen(out.line), 72);
	CU_ASSERT_EQUAL(out.caret, 48);
}

void suite_excerpt(void)
{
	CU_pSuite suite = CU_add_suite("excerpt", NULL, NULL);

	CU_add_test(suite, "[CFG-100] a place has its line and a caret",
		a_place_has_its_line);
	CU_add_test(suite, "[CFG-100] there may be no such place",
		there_may_be_no_such_place);
	CU_add_test(suite, "[CFG-100] places come in any order",
		places_come_in_any_order);
	CU_add_test(suite, "[CFG-100] places in order take one walk",
		places_in_order_take_one_walk);
	CU_add_test(suite, "[CFG-100] a text has an end", a_text_has_an_end);
	CU_add_test(suite, "[CFG-101] other characters are escaped",
		other_characters_are_escaped);
	CU_add_test(suite, "[CFG-101] what is not text is left out",
		what_is_not_text_is_left_out);
	CU_add_test(suite, "[CFG-102] long lines are cut", long_lines_are_cut);
}
