/* The grammars of the configuration's scalar values, phrase by phrase. */
#include "server/config_value.h"

#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/config.h"
#include "suites.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A text and its length, for it may hold a NUL. */
#define TEXT(literal) literal, sizeof(literal) - 1

#define TEN "1234567890"
#define L63 TEN TEN TEN TEN TEN TEN "abc"

#define CONTROL   "it has a control character"
#define PRINTABLE "it has a character that is not printable ASCII"
#define EMPTY     "it is empty"
#define BAD_CHAR                                                               \
	"the host has a character other than letters, digits, '-', '_' and "   \
	"'.'"
#define EMPTY_PART "the host has an empty part"
#define LONG_PART  "a part of the host is longer than 63"
#define HYPHEN     "a part of the host starts or ends with '-'"
#define NOT_IPV4   "the IPv4 address is not valid"
#define NOT_IPV6   "the IPv6 address is not valid"
#define NO_PORT    "the port is missing"
#define BAD_PORT   "the port is not 1 to 65535"
#define NO_NUMBER  "the port is not a number"
#define COLONS     "it has more than one ':', and an IPv6 address needs brackets"
#define NO_SCHEME  "it does not start with tcp://, tls:// or unix:"
#define NO_HOST    "the host is empty"
#define NO_ADDRESS "it is an address or has a port"

#define NO_URI_CHAR "it has a character that no URI has"

struct row {
	const char *text;
	size_t len;
	const char *wrong; /* NULL: it is good */
};

/* A copy that ends where its memory ends; a sanitizer sees what is beyond. */
static char *copy_of(const char *text, size_t len)
{
	char *copy = malloc(len > 0 ? len : 1);

	if (copy == NULL)
		abort();
	if (len > 0)
		memcpy(copy, text, len);
	return copy;
}

static void expect(const struct row *row, const char *wrong)
{
	bool good =
		row->wrong == wrong || (row->wrong != NULL && wrong != NULL &&
					       strcmp(row->wrong, wrong) == 0);

	CU_ASSERT(good);
	if (!good)
		(void)printf("\n%.*s: %s\n", (int)row->len, row->text,
			wrong != NULL ? wrong : "good");
}

static void check_rows(const struct row *rows, size_t len,
	const char *(*check)(const char *text, size_t len))
{
	for (size_t i = 0; i < len; i++) {
		char *copy = copy_of(rows[i].text, rows[i].len);

		expect(&rows[i], check(copy, rows[i].len));
		free(copy);
	}
}

static void texts(void)
{
	static const struct row rows[] = {
		{TEXT(""), EMPTY},
		{TEXT(" "), NULL},
		{TEXT("~"), NULL},
		{TEXT("a\x1f"), CONTROL},
		{TEXT("\0"), CONTROL},
		{TEXT("a\x7f"), CONTROL},
		{TEXT("\xc2\x80"), CONTROL},
		{TEXT("a\xc2\x9f"), CONTROL},
		{TEXT("\xc2\xa0"), NULL},
		{TEXT("\xc3\x80"), NULL},
		{TEXT("\xc2\xa2\x80"), NULL},
		{TEXT("\xe0\xa0\x80"), NULL},
	};

	check_rows(rows, COUNT(rows), lbp_config_check_text);
}

static void ids(void)
{
	static const struct row rows[] = {
		{TEXT(""), EMPTY},
		{TEXT(L63 "d"), NULL},
		{TEXT(L63 "de"), "it is too long"},
		{TEXT("!"), NULL},
		{TEXT("~"), NULL},
		{TEXT("a b"), "it has a space"},
		{TEXT("a\""), "it has a quotation mark or backslash"},
		{TEXT("a\\"), "it has a quotation mark or backslash"},
		{TEXT("a\x1f"), PRINTABLE},
		{TEXT("\0"), PRINTABLE},
		{TEXT("a\x7f"), PRINTABLE},
		{TEXT("\xc3\xa9"), PRINTABLE},
	};

	check_rows(rows, COUNT(rows), lbp_config_check_id);
}

static void dns_names(void)
{
	static const struct row rows[] = {
		{TEXT("AZaz09-_z"), NULL},
		{TEXT("A"), NULL},
		{TEXT("Z"), NULL},
		{TEXT("a@"), BAD_CHAR},
		{TEXT("["), BAD_CHAR},
		{TEXT("`"), BAD_CHAR},
		{TEXT("{"), BAD_CHAR},
		{TEXT("/"), BAD_CHAR},
		{TEXT(","), BAD_CHAR},
		{TEXT("^"), BAD_CHAR},
		{TEXT("\0"), BAD_CHAR},
		{TEXT("\xc3\xa9"), BAD_CHAR},
		{TEXT("."), EMPTY_PART},
		{TEXT("a."), EMPTY_PART},
		{TEXT("a..b"), EMPTY_PART},
		{TEXT(L63 "." L63), NULL},
		{TEXT(L63 "d"), LONG_PART},
		{TEXT("a." L63 "d"), LONG_PART},
		{TEXT(L63 "." L63 "." L63 "." TEN TEN TEN TEN TEN TEN "a"),
			NULL},
		{TEXT(L63 "." L63 "." L63 "." TEN TEN TEN TEN TEN TEN "ab"),
			"the host is longer than 253"},
		{TEXT("-a"), HYPHEN},
		{TEXT("a-"), HYPHEN},
		{TEXT("a.-"), HYPHEN},
		{TEXT("a-b"), NULL},
	};

	check_rows(rows, COUNT(rows), lbp_config_check_host);
}

static void names_of_numbers(void)
{
	static const struct row rows[] = {
		{TEXT("0"), NOT_IPV4},
		{TEXT("1.2.3"), NOT_IPV4},
		{TEXT("1.2.3.04"), NOT_IPV4},
		{TEXT("1.2.3.256"), NOT_IPV4},
		{TEXT("1.2.3.4.5"), NOT_IPV4},
		{TEXT("0x"), NOT_IPV4},
		{TEXT("0X"), NOT_IPV4},
		{TEXT("0xAFaf09"), NOT_IPV4},
		{TEXT("1.0x7"), NOT_IPV4},
		{TEXT("0x0.0xf"), NOT_IPV4},
		{TEXT("0xg"), NULL},
		{TEXT("0xG1"), NULL},
		{TEXT("0xg1.1"), NULL},
		{TEXT("0x_1"), NULL},
		{TEXT("0x-1"), NULL},
		{TEXT("1x1"), NULL},
		{TEXT("0y1"), NULL},
		{TEXT("x"), NULL},
		{TEXT("a1"), NULL},
		{TEXT("1a"), NULL},
		{TEXT("1.a"), NULL},
		{TEXT("a.1"), NULL},
		{TEXT("1.a.1"), NULL},
	};

	check_rows(rows, COUNT(rows), lbp_config_check_host);
}

static void hosts(void)
{
	static const struct row rows[] = {
		{TEXT(""), NO_HOST},
		{TEXT("0.0.0.0"), NULL},
		{TEXT("255.255.255.255"), NULL},
		{TEXT("::"), NULL},
		{TEXT("::1.2.3.4"), NULL},
		{TEXT("2001:DB8::f"), NULL},
		{TEXT(":"), NOT_IPV6},
		{TEXT("::\0"), NOT_IPV6},
		{TEXT("1::2::3"), NOT_IPV6},
		{TEXT("0000:0000:0000:0000:0000:ffff:255.255.255.255"), NULL},
		{TEXT("0000:0000:0000:0000:0000:ffff:255.255.255.2555"),
			NOT_IPV6},
		{TEXT("fe80::1%1"), "an IPv6 zone is not accepted"},
		{TEXT("%:"), "an IPv6 zone is not accepted"},
		{TEXT("::&"), NOT_IPV6},
	};

	check_rows(rows, COUNT(rows), lbp_config_check_host);
}

static void durations(void)
{
	static const struct {
		const char *text;
		size_t len;
		enum lbp_err err;
	} rows[] = {
		{TEXT("0"), LBP_ERR_SYNTAX},
		{TEXT("9"), LBP_ERR_SYNTAX},
		{TEXT("5:s"), LBP_ERR_SYNTAX},
		{TEXT("5/s"), LBP_ERR_SYNTAX},
		{TEXT("5ns"), LBP_ERR_SYNTAX},
		{TEXT("5mn"), LBP_ERR_SYNTAX},
		{TEXT("5\0"), LBP_ERR_SYNTAX},
		{TEXT("5m\0"), LBP_ERR_SYNTAX},
		{TEXT("99999999999999999999999999999999999999x"),
			LBP_ERR_SYNTAX},
		{TEXT("99999999999999999999999999999999999999h"),
			LBP_ERR_RANGE},
		{TEXT("184467440737095516161ms"), LBP_ERR_RANGE},
		{TEXT("315360000000ms"), LBP_ERR_RANGE},
		{TEXT("90909ms"), LBP_OK},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		char *copy = copy_of(rows[i].text, rows[i].len);
		uint64_t ns = 7;

		CU_ASSERT_EQUAL(lbp_duration_parse(&ns, copy, rows[i].len),
			rows[i].err);
		CU_ASSERT_EQUAL(
			ns, rows[i].err == LBP_OK ? UINT64_C(90909000000) : 7);
		free(copy);
	}
}

struct split_row {
	struct row row;
	bool tls;
	const char *host;
	uint16_t port;
};

static void check_splits(const struct split_row *rows, size_t len,
	const char *(*split)(
		const char *text, size_t len, struct lbp_config_parts *parts))
{
	for (size_t i = 0; i < len; i++) {
		const struct row *row = &rows[i].row;
		char *copy = copy_of(row->text, row->len);
		struct lbp_config_parts parts;
		const char *wrong;

		memset(&parts, 0x5a, sizeof(parts));
		wrong = split(copy, row->len, &parts);
		expect(row, wrong);
		if (wrong == NULL && row->wrong == NULL) {
			CU_ASSERT_EQUAL(parts.tls, rows[i].tls);
			CU_ASSERT_EQUAL(parts.port, rows[i].port);
			CU_ASSERT_EQUAL_FATAL(
				parts.host_len, strlen(rows[i].host));
			CU_ASSERT_NSTRING_EQUAL(
				parts.host, rows[i].host, parts.host_len);
		}
		free(copy);
	}
}

static void addresses(void)
{
	static const struct split_row rows[] = {
		{{TEXT(""), EMPTY}, false, "", 0},
		{{TEXT("a:1"), NULL}, false, "a", 1},
		{{TEXT("1.2.3.4:65535"), NULL}, false, "1.2.3.4", 65535},
		{{TEXT("ab.c:90"), NULL}, false, "ab.c", 90},
		{{TEXT("a"), NO_PORT}, false, "", 0},
		{{TEXT("a:"), "the port is empty"}, false, "", 0},
		{{TEXT("a:0"), BAD_PORT}, false, "", 0},
		{{TEXT("a:00"), BAD_PORT}, false, "", 0},
		{{TEXT("a:65536"), BAD_PORT}, false, "", 0},
		{{TEXT("a:4294967297"), BAD_PORT}, false, "", 0},
		{{TEXT("a:42949672960000000001"), BAD_PORT}, false, "", 0},
		{{TEXT("a:01"), "the port starts with 0"}, false, "", 0},
		{{TEXT("a:+1"), NO_NUMBER}, false, "", 0},
		{{TEXT("a:1/"), NO_NUMBER}, false, "", 0},
		{{TEXT("a:1\0"), NO_NUMBER}, false, "", 0},
		{{TEXT(":1"), NO_HOST}, false, "", 0},
		{{TEXT("a b:1"), BAD_CHAR}, false, "", 0},
		{{TEXT("a:1:"), COLONS}, false, "", 0},
		{{TEXT("::"), COLONS}, false, "", 0},
		{{TEXT("::1:1"), COLONS}, false, "", 0},
		{{TEXT("[::]:1"), NULL}, false, "::", 1},
		{{TEXT("[2001:db8::1]:443"), NULL}, false, "2001:db8::1", 443},
		{{TEXT("["), "the ']' is missing"}, false, "", 0},
		{{TEXT("[::1:1"), "the ']' is missing"}, false, "", 0},
		{{TEXT("[]:1"), NOT_IPV6}, false, "", 0},
		{{TEXT("[a]:1"), NOT_IPV6}, false, "", 0},
		{{TEXT("[1.2.3.4]:1"), NOT_IPV6}, false, "", 0},
		{{TEXT("[::1%lo]:1"), "an IPv6 zone is not accepted"}, false,
			"", 0},
		{{TEXT("[::1]"), NO_PORT}, false, "", 0},
		{{TEXT("[::1]1"), NO_PORT}, false, "", 0},
		{{TEXT("[::1]]:1"), NO_PORT}, false, "", 0},
		{{TEXT("[::1]:"), "the port is empty"}, false, "", 0},
		{{TEXT("[::1]:0"), BAD_PORT}, false, "", 0},
		{{TEXT("[::1]:1x"), NO_NUMBER}, false, "", 0},
	};

	check_splits(rows, COUNT(rows), lbp_config_split_address);
}

static void urls(void)
{
	static const struct split_row rows[] = {
		{{TEXT("tcp://a:1"), NULL}, false, "a", 1},
		{{TEXT("tls://a:1"), NULL}, true, "a", 1},
		{{TEXT("tls://[::1]:258"), NULL}, true, "::1", 258},
		{{TEXT(""), NO_SCHEME}, false, "", 0},
		{{TEXT("tcp:/"), NO_SCHEME}, false, "", 0},
		{{TEXT("tls:/"), NO_SCHEME}, false, "", 0},
		{{TEXT("TCP://a:1"), NO_SCHEME}, false, "", 0},
		{{TEXT("tlt://a:1"), NO_SCHEME}, false, "", 0},
		{{TEXT("tcp:/.a:1"), NO_SCHEME}, false, "", 0},
		{{TEXT("tls:/.a:1"), NO_SCHEME}, false, "", 0},
		{{TEXT("tcp://"), NO_HOST}, false, "", 0},
		{{TEXT("tls://"), NO_HOST}, false, "", 0},
		{{TEXT("tcp://:1"), NO_HOST}, false, "", 0},
		{{TEXT("tcp:///"), "it has a path"}, false, "", 0},
		{{TEXT("tcp://a:1/"), "it has a path"}, false, "", 0},
		{{TEXT("tcp://u@a:1"), "it has a user"}, false, "", 0},
		{{TEXT("tcp://a:1?q"), NO_NUMBER}, false, "", 0},
		{{TEXT("tcp://a:1#f"), NO_NUMBER}, false, "", 0},
		{{TEXT("tls://a"), NO_PORT}, false, "", 0},
	};

	check_splits(rows, COUNT(rows), lbp_config_split_url);
}

/* Equal in canonical form if and only if they are in one group. */
static void canonical_forms(void)
{
	static const struct {
		int group;
		bool tls;
		const char *host;
		uint16_t port;
	} rows[] = {
		{1, false, "abcd", 1},
		{1, false, "ABCD", 1},
		{1, false, "aBcD", 1},
		{2, false, "azAZ", 1},
		{2, false, "AZaz", 1},
		{3, true, "abcd", 1},
		{4, false, "abcd", 2},
		{5, false, "abcd", 3},
		{6, false, "abcd", 257},
		{7, false, "abcd", 513},
		{8, false, "abcd", 32769},
		{9, false, "bbcd", 1},
		{10, false, "abce", 1},
		{11, false, "abc", 1},
		{12, false, "a", 1},
		{13, false, "b", 1},
		{14, false, "a9", 1},
		{15, false, "ai", 1},
		{16, false, "a-", 1},
		{17, false, "a_", 1},
		/* The octets of the first and of the last one. */
		{20, false, "97.98.99.100", 1},
		{21, true, "97.98.99.100", 1},
		{22, false, "97.98.99.101", 1},
		{23, false, "98.98.99.100", 1},
		{30, false, "6162:6364::", 1},
		{30, false, "6162:6364:0:0::0", 1},
		{30, false, "6162:6364::0.0.0.0", 1},
		{31, false, "::97.98.99.100", 1},
		{31, false, "::6162:6364", 1},
		{31, false, "0:0::6162:6364", 1},
		{32, true, "::6162:6364", 1},
		{33, false, "::6162:6365", 1},
		{34, false, "1::6162:6364", 1},
		{35, false, "::ffff:97.98.99.100", 1},
		{36, false, "6162:6364:6162:6364:6162:6364:6162:6364", 1},
		{37, false, "abcdabcdabcdabcd", 1},
		{38, true, "6162:6364:6162:6364:6162:6364:6162:6364", 1},
		{39, true, "abcdabcdabcdabcd", 1},
	};
	char forms[COUNT(rows)][LBP_CONFIG_CANONICAL_MAX];
	size_t lens[COUNT(rows)];

	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t len = strlen(rows[i].host);
		char *host = copy_of(rows[i].host, len);
		const struct lbp_config_parts parts = {
			rows[i].tls, host, len, rows[i].port, false};

		/* What is not written differs. */
		memset(forms[i], (int)i, sizeof(forms[i]));
		lens[i] = lbp_config_canonical(&parts, forms[i]);
		CU_ASSERT_FATAL(lens[i] <= LBP_CONFIG_CANONICAL_MAX);
		for (size_t j = 0; j < i; j++)
			CU_ASSERT_EQUAL(
				lens[i] == lens[j] && memcmp(forms[i], forms[j],
							      lens[i]) == 0,
				rows[i].group == rows[j].group);
		free(host);
	}
}

static void the_longest_form(void)
{
	char host[253];
	char *form = malloc(LBP_CONFIG_CANONICAL_MAX);
	const struct lbp_config_parts parts = {
		true, host, sizeof(host), 1, false};

	CU_ASSERT_PTR_NOT_NULL_FATAL(form);
	memset(host, 'a', sizeof(host));
	CU_ASSERT_EQUAL(
		lbp_config_canonical(&parts, form), LBP_CONFIG_CANONICAL_MAX);
	free(form);
}

static void uris(void)
{
	static const struct row rows[] = {
		{TEXT("spiffe://corp/alice"), NULL},
		{TEXT("a:b"), NULL},
		{TEXT("Z9+-.:%"), NULL},
		{TEXT("z:-._~:/?#[]@!$&'()*+,;=%09azAZ"), NULL},
		{TEXT(""), EMPTY},
		{TEXT("a"), "it has no scheme"},
		{TEXT(":b"), "it has no scheme"},
		{TEXT("1a:b"), "it has no scheme"},
		{TEXT("+:b"), "it has no scheme"},
		{TEXT("a_b:c"), "it has no scheme"},
		{TEXT("a/b:c"), "it has no scheme"},
		{TEXT("alice.corp"), "it has no scheme"},
		{TEXT("spiffe:"), "it ends after its scheme"},
		{TEXT("a:b c"), NO_URI_CHAR},
		{TEXT("a:b\0"), NO_URI_CHAR},
		{TEXT("\0:b"), NO_URI_CHAR},
		{TEXT("a:\x7f"), NO_URI_CHAR},
		{TEXT("a:\xc3\xa9"), NO_URI_CHAR},
		{TEXT("a:\""), NO_URI_CHAR},
		{TEXT("a:<"), NO_URI_CHAR},
		{TEXT("a:>"), NO_URI_CHAR},
		{TEXT("a:\\"), NO_URI_CHAR},
		{TEXT("a:^"), NO_URI_CHAR},
		{TEXT("a:`"), NO_URI_CHAR},
		{TEXT("a:{"), NO_URI_CHAR},
		{TEXT("a:|"), NO_URI_CHAR},
		{TEXT("a:}"), NO_URI_CHAR},
	};
	char longest[2049] = "a:";
	struct row row = {longest, 2048, NULL};

	check_rows(rows, COUNT(rows), lbp_config_check_uri);
	memset(longest + 2, 'b', sizeof(longest) - 2);
	check_rows(&row, 1, lbp_config_check_uri);
	row = (struct row){longest, 2049, "it is too long"};
	check_rows(&row, 1, lbp_config_check_uri);
}

static void clients_dns_names(void)
{
	static const struct row rows[] = {
		{TEXT("alice.corp.example"), NULL},
		{TEXT("A"), NULL},
		{TEXT("a_1-b.0x"), NULL},
		{TEXT(""), EMPTY},
		{TEXT("*.corp.example"), "it has a wildcard"},
		{TEXT("a*"), "it has a wildcard"},
		{TEXT("127.0.0.1"), NO_ADDRESS},
		{TEXT("::1"), NO_ADDRESS},
		{TEXT("corp:443"), NO_ADDRESS},
		{TEXT("1.2"), NOT_IPV4},
		{TEXT("a."), EMPTY_PART},
		{TEXT("a b"), BAD_CHAR},
		{TEXT("a\0"), BAD_CHAR},
		{TEXT("-a"), HYPHEN},
	};

	check_rows(rows, COUNT(rows), lbp_config_check_dns);
}

void suite_config_value(void)
{
	CU_pSuite suite = CU_add_suite("config_value", NULL, NULL);

	CU_add_test(suite, "[CFG-3] what no duration is", durations);
	CU_add_test(suite, "[CFG-4] hosts, and what is wrong with them", hosts);
	CU_add_test(suite, "[CFG-41] characters and lengths of DNS names",
		dns_names);
	CU_add_test(suite, "[CFG-42] names whose labels are numbers",
		names_of_numbers);
	CU_add_test(suite, "[CFG-5] addresses, and what is wrong with them",
		addresses);
	CU_add_test(suite, "[CFG-6] urls, and what is wrong with them", urls);
	CU_add_test(suite, "[CFG-7] ids, and what is wrong with them", ids);
	CU_add_test(suite, "[CFG-8] texts, and what is wrong with them", texts);
	CU_add_test(suite, "[CFG-90] URIs, and what is wrong with them", uris);
	CU_add_test(suite, "[CFG-91] clients' DNS names, and what is no such",
		clients_dns_names);
	CU_add_test(suite, "[CFG-45] one canonical form for what is the same",
		canonical_forms);
	CU_add_test(
		suite, "[CFG-45] the longest canonical form", the_longest_form);
}
