/* Which protocol is spoken: the server's choice of what a client offers. */
#include <CUnit/CUnit.h>
#include <string.h>

#include "config_expect.h"
#include "server/alpn.h"
#include "server/config.h"
#include "suites.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define TLS "[tls]\ncertificate='c'\nprivate_key='k'\nclient_ca='a'\n"
#define APP "[[app]]\nid='e'\nlisten=['h:1']\n"
#define UP  "[[app.upstream]]\nurl='tcp://h:1'\n"

#define NAMES "an array of at most 16 names of protocols, such as \"h2\""

static struct lbp_alpn list_of(const char *first, const char *second)
{
	struct lbp_alpn alpn = {0};

	CU_ASSERT_TRUE(lbp_alpn_add(&alpn, first, strlen(first)));
	if (second != NULL)
		CU_ASSERT_TRUE(lbp_alpn_add(&alpn, second, strlen(second)));
	return alpn;
}

static void names_are_kept_as_on_the_wire(void)
{
	struct lbp_alpn alpn = list_of("h2", "http/1.1");

	CU_ASSERT_EQUAL(alpn.len, 12);
	CU_ASSERT_EQUAL(memcmp(alpn.list, "\2h2\10http/1.1", 12), 0);
}

static void a_list_has_room_for_255_bytes(void)
{
	struct lbp_alpn alpn = {0};
	struct lbp_alpn_name chosen;
	uint8_t name[256];

	memset(name, 'x', sizeof(name));
	CU_ASSERT_FALSE(lbp_alpn_add(&alpn, name, 256));
	CU_ASSERT_FALSE(lbp_alpn_add(&alpn, name, 255));
	CU_ASSERT_EQUAL(alpn.len, 0);
	CU_ASSERT_TRUE(lbp_alpn_add(&alpn, name, 252));
	CU_ASSERT_EQUAL(alpn.len, 253);
	CU_ASSERT_FALSE(lbp_alpn_add(&alpn, name, 2));
	CU_ASSERT_TRUE(lbp_alpn_add(&alpn, name, 1));
	CU_ASSERT_EQUAL(alpn.len, 255);
	CU_ASSERT_EQUAL(alpn.list[0], 252);
	CU_ASSERT_EQUAL(alpn.list[253], 1);
	CU_ASSERT_FALSE(lbp_alpn_add(&alpn, name, 1));
	CU_ASSERT_EQUAL(alpn.len, 255);

	alpn.len = 0;
	CU_ASSERT_TRUE(lbp_alpn_add(&alpn, name, 254));
	CU_ASSERT_EQUAL(alpn.len, 255);
	/* Nothing is looked for beyond it. */
	CU_ASSERT_EQUAL(
		lbp_alpn_choose(&alpn, (const uint8_t *)"\1y", 2, &chosen),
		LBP_ALPN_NONE);
}

static void the_server_s_order_decides(void)
{
	/* at: where in offered the name that is chosen stands; 0: none. */
	static const struct {
		const char *offered;
		size_t len;
		enum lbp_alpn_choice choice;
		size_t at;
	} rows[] = {
		{"\2h2\10http/1.1", 12, LBP_ALPN_CHOSEN, 1},
		{"\10http/1.1\2h2", 12, LBP_ALPN_CHOSEN, 10},
		{"\10http/1.1", 9, LBP_ALPN_CHOSEN, 1},
		{"\2h3\2h2\2h2", 9, LBP_ALPN_CHOSEN, 4},
		{"\2h3", 3, LBP_ALPN_NONE, 0},
		{"\1h\3h2x\2H2\7http/1.", 17, LBP_ALPN_NONE, 0},
		{"", 0, LBP_ALPN_NONE, 0},
		{"\0", 1, LBP_ALPN_NONE, 0},
		{"\0\2h2", 4, LBP_ALPN_CHOSEN, 2},
		/* Malformed. */
		{"\2h2\1", 4, LBP_ALPN_NONE, 0},
		{"\2h2\2h", 5, LBP_ALPN_NONE, 0},
		{"\3h2", 3, LBP_ALPN_NONE, 0},
	};
	const struct lbp_alpn ours = list_of("h2", "http/1.1");

	for (size_t i = 0; i < COUNT(rows); i++) {
		const uint8_t *offered = (const uint8_t *)rows[i].offered;
		struct lbp_alpn_name chosen = {NULL, 77};

		CU_ASSERT_EQUAL(
			lbp_alpn_choose(&ours, offered, rows[i].len, &chosen),
			rows[i].choice);
		if (rows[i].at == 0) {
			CU_ASSERT_PTR_NULL(chosen.ptr);
			CU_ASSERT_EQUAL(chosen.len, 77);
			continue;
		}
		CU_ASSERT_PTR_EQUAL(chosen.ptr, offered + rows[i].at);
		CU_ASSERT_EQUAL(chosen.len, offered[rows[i].at - 1]);
	}
}

static void without_a_list_nothing_is_chosen(void)
{
	const struct lbp_alpn none = {0};
	struct lbp_alpn_name chosen = {NULL, 77};

	CU_ASSERT_EQUAL(
		lbp_alpn_choose(&none, (const uint8_t *)"\2h2", 3, &chosen),
		LBP_ALPN_IGNORED);
	CU_ASSERT_EQUAL(
		lbp_alpn_choose(&none, (const uint8_t *)"\2h", 2, &chosen),
		LBP_ALPN_IGNORED);
	CU_ASSERT_EQUAL(chosen.len, 77);
}

static struct lbp_config *parse(const char *text)
{
	struct lbp_config_errors errors;
	struct lbp_config *config = NULL;

	CU_ASSERT_EQUAL_FATAL(
		lbp_config_parse(text, strlen(text), &config, &errors), LBP_OK);
	return config;
}

static void protocols_are_stored(void)
{
	struct lbp_config *config =
		parse(TLS APP "alpn=['http/1.1', 'h2']\n" UP);

	CU_ASSERT_EQUAL(config->apps[0].alpn.len, 12);
	CU_ASSERT_EQUAL(
		memcmp(config->apps[0].alpn.list, "\10http/1.1\2h2", 12), 0);
	lbp_config_free(config);
	config = parse(TLS APP "alpn=[]\n" UP);
	CU_ASSERT_EQUAL(config->apps[0].alpn.len, 0);
	lbp_config_free(config);
	config = parse(TLS APP UP);
	CU_ASSERT_EQUAL(config->apps[0].alpn.len, 0);
	lbp_config_free(config);
	config = parse(TLS APP "alpn=['1','2','3','4','5','6','7','8','9','a',"
			       "'b','c','d','e','f','g']\n" UP);
	CU_ASSERT_EQUAL(config->apps[0].alpn.len, 32);
	lbp_config_free(config);
}

#define TEN   "xxxxxxxxxx"
#define FIFTY TEN TEN TEN TEN TEN

static const char wrong_text[] = TLS
	/* 5 */ "[[app]]\nid='1'\nlisten=['h:1']\nalpn='h2'\n" UP
		/* 11 */ "[[app]]\nid='2'\nlisten=['h:2']\n"
		"alpn=['h2', 1, '', \"\\u0001\", 'h3', 'h2']\n" UP
		/* 17 */ "[[app]]\nid='3'\nlisten=['h:3']\n"
		"alpn=['1','2','3','4','5','6','7','8','9','a','b','c',"
		"'d','e','f','g','h']\n" UP
		/* 23 */ "[[app]]\nid='4'\nlisten=['h:4']\n"
		"alpn=['" FIFTY FIFTY FIFTY FIFTY FIFTY "',\n'abcd',\n"
		"'abc', '']\n" UP;

static const struct want wrong_wanted[] = {
	{8, 6, "app.alpn must be " NAMES ", not a string"},
	{14, 13, "app.alpn must be " NAMES ", not an integer"},
	{14, 16, "app.alpn must be " NAMES ", not '': it is empty"},
	{14, 20,
		"app.alpn must be " NAMES
		", not '\\u0001': it has a control character"},
	{14, 36,
		"app.alpn 'h2' is already on line 14 (app.alpn) and must be "
		"unique"},
	{20, 71, "app.alpn must be " NAMES ", not more"},
	{27, 1,
		"app.alpn must be " NAMES ", not 'abcd': there is no room for "
		"it in 255 bytes"},
	{28, 8, "app.alpn must be " NAMES ", not '': it is empty"},
};

static void what_is_no_protocol_is_said(void)
{
	config_expect(wrong_text, wrong_wanted, COUNT(wrong_wanted));
}

void suite_alpn(void)
{
	CU_pSuite suite = CU_add_suite("alpn", NULL, NULL);

	CU_add_test(suite, "[CFG-63] names are kept as on the wire",
		names_are_kept_as_on_the_wire);
	CU_add_test(suite, "[CFG-63] a list has room for 255 bytes",
		a_list_has_room_for_255_bytes);
	CU_add_test(suite, "[SRV-173][SRV-174] the server's order decides",
		the_server_s_order_decides);
	CU_add_test(suite, "[SRV-175] without a list nothing is chosen",
		without_a_list_nothing_is_chosen);
	CU_add_test(
		suite, "[CFG-63] protocols are stored", protocols_are_stored);
	CU_add_test(suite, "[CFG-63][CFG-44] what is no protocol is said",
		what_is_no_protocol_is_said);
}
