/* By what the configuration knows clients, and whose serials they are. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "config_expect.h"
#include "server/config.h"
#include "server/config_field.h"
#include "suites.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define TLS   "[tls]\ncertificate='c'\nprivate_key='k'\n"
#define ONE   TLS "client_ca='a'\n"
#define CA(x) "[[tls.client_ca]]\nid='" x "'\nfile='f'\n"
#define APP                                                                    \
	"[[app]]\nid='e'\nlisten=['h:1']\n[[app.upstream]]\nurl='tcp://h:1'\n"
#define ALICE "[[client]]\nid='alice'\napps=['e']\n"
#define BOB   "[[client]]\nid='bob'\napps=['e']\n"

#define SERIALS                                                                \
	"an array of one or more serial numbers, each hex like \"1A:2B:3C\", " \
	"positive and at most 20 octets"
#define URIS                                                                   \
	"an array of URIs, each as in the certificate, like "                  \
	"\"spiffe://corp/alice\", at most 2048 characters"
#define DNS                                                                    \
	"an array of DNS names, each as in the certificate, like "             \
	"\"alice.corp.example\", without a wildcard"
#define CAS                                                                    \
	"the path of the PEM file with the one CA that issues every client "   \
	"certificate, or 1 to 16 tables, [[tls.client_ca]]"
#define CA_ID "a unique name of " LBP_CONFIG_ID ", and no '/'"
#define CA_CRL                                                                 \
	"the path of the PEM file with the lists of revoked certificates of "  \
	"the CA and its intermediates"

static struct lbp_config *parse(const char *text)
{
	struct lbp_config_errors errors;
	struct lbp_config *config;

	CU_ASSERT_EQUAL_FATAL(
		lbp_config_parse(text, strlen(text), &config, &errors), LBP_OK);
	return config;
}

static void expect_one(
	const char *text, uint32_t line, uint32_t column, const char *message)
{
	const struct want want = {line, column, message};

	config_expect(text, &want, 1);
}

static bool is_text(const struct lbp_config_text *text, const char *want,
	uint32_t line, uint32_t column)
{
	return strcmp(text->ptr, want) == 0 && text->pos.line == line &&
	       text->pos.column == column;
}

static void names_are_stored(void)
{
	struct lbp_config *config = parse(
		ONE APP ALICE "uris=['spiffe://corp/A', 'a:b']\ndns=[]\n" BOB
			      "serials=[]\nuris=[]\ndns=['M.Corp.example']\n");
	const struct lbp_config_client *alice = &config->clients[0];
	const struct lbp_config_client *bob = &config->clients[1];

	CU_ASSERT_EQUAL(alice->serial_len, 0);
	CU_ASSERT_EQUAL(alice->dns_len, 0);
	CU_ASSERT_EQUAL_FATAL(alice->uri_len, 2);
	CU_ASSERT(is_text(&alice->uris[0], "spiffe://corp/A", 13, 7));
	CU_ASSERT(is_text(&alice->uris[1], "a:b", 13, 26));
	CU_ASSERT_EQUAL(bob->serial_len, 0);
	CU_ASSERT_EQUAL(bob->uri_len, 0);
	CU_ASSERT_EQUAL_FATAL(bob->dns_len, 1);
	CU_ASSERT(is_text(&bob->dns[0], "M.Corp.example", 20, 6));
	lbp_config_free(config);
}

static void a_client_has_a_name(void)
{
	expect_one(ONE APP ALICE, 10, 1,
		"client.serials is required: " SERIALS
		"; or client.uris or client.dns");
	expect_one(ONE APP ALICE "serials=[]\n", 13, 9,
		"client.serials must be " SERIALS ", not empty");
	expect_one(ONE APP ALICE "uris=[]\n", 13, 6,
		"client.uris must be " URIS ", not empty");
	expect_one(ONE APP ALICE "dns=[]\nuris=[]\n", 14, 6,
		"client.uris must be " URIS ", not empty");
	expect_one(ONE APP ALICE "dns=[]\nserials=[]\n", 14, 9,
		"client.serials must be " SERIALS ", not empty");
	expect_one(ONE APP ALICE "dns=[]\n", 13, 5,
		"client.dns must be " DNS ", not empty");
}

/* What was to be a name is wrong in itself, and no other one is missed. */
static void a_wrong_name_is_reported_once(void)
{
	expect_one(ONE APP ALICE "dns=1\n", 13, 5,
		"client.dns must be " DNS ", not an integer");
	expect_one(ONE APP ALICE "serials=[]\nuris=[true]\n", 14, 7,
		"client.uris must be " URIS ", not a boolean");
	expect_one(ONE APP ALICE "dns=['a', 1, 'b']\n", 13, 11,
		"client.dns must be " DNS ", not an integer");
	expect_one(ONE APP ALICE "uri=['a:b']\n", 13, 1,
		"unknown key 'client.uri'; did you mean 'uris'? accepted: id, "
		"serials, uris, dns, apps, limits");
	expect_one(ONE APP ALICE "uri=['a:b']\nserials=[]\n", 13, 1,
		"unknown key 'client.uri'; did you mean 'uris'? accepted: id, "
		"serials, uris, dns, apps, limits");
	expect_one(ONE APP ALICE "uris=['a:b', 'alice']\n", 13, 14,
		"client.uris must be " URIS ", not 'alice': it has no scheme");
	expect_one(ONE APP ALICE "dns=['*.a']\n", 13, 6,
		"client.dns must be " DNS ", not '*.a': it has a wildcard");
}

static void wrong_names_are_not_compared(void)
{
	static const struct want wanted[] = {
		{13, 6,
			"client.dns must be " DNS
			", not '*.a': it has a wildcard"},
		{13, 13,
			"client.dns must be " DNS
			", not '*.a': it has a wildcard"}};

	config_expect(
		ONE APP ALICE "dns=['*.a', '*.a']\n", wanted, COUNT(wanted));
}

/* So many that they fill each part of memory to its last byte. */
static void many_names_are_stored(void)
{
	const size_t n = 1000;
	char text[32 * 1000];
	size_t len = (size_t)sprintf(text, ONE APP ALICE "dns=[");
	struct lbp_config *config;

	for (size_t i = 0; i < n; i++)
		len += (size_t)sprintf(text + len, "'n%03zu.example.com',", i);
	strcpy(text + len, "]\n");
	config = parse(text);
	CU_ASSERT_EQUAL_FATAL(config->clients[0].dns_len, n);
	CU_ASSERT_STRING_EQUAL(
		config->clients[0].dns[n - 1].ptr, "n999.example.com");
	lbp_config_free(config);
}

static void names_are_unique(void)
{
	expect_one(ONE APP ALICE "uris=['a:b']\n" BOB "uris=['a:c','a:b']\n",
		17, 13,
		"client.uris 'a:b' is already on line 13 (client.uris) and "
		"must be unique");
	expect_one(ONE APP ALICE "dns=['A.b','a.B']\n", 13, 12,
		"client.dns 'a.B' is already on line 13 (client.dns) and must "
		"be unique");
}

/* What is alike and not the same, in one list and in two. */
static void names_that_are_alike_are_not_the_same(void)
{
	struct lbp_config *config = parse(ONE APP ALICE
		"serials=['AB']\nuris=['a:b','A:b','a:B','a:bc']\n"
		"dns=['a','aa','a.a','ab']\n" BOB "dns=['b']\nuris=['b:b']\n");

	CU_ASSERT_EQUAL(config->client_len, 2);
	lbp_config_free(config);
}

static void cas_are_stored(void)
{
	struct lbp_config *config = parse(TLS CA("2026") "crl='r'\n" CA(
		"old") "chain=true\n" APP ALICE
		       "serials=['01', 'old/01', '2026/0a', 'old/1:02']\n");
	const struct lbp_config_serial *serials = config->clients[0].serials;
	static const uint32_t whose[] = {0, 1, 0, 1};

	CU_ASSERT_EQUAL_FATAL(config->ca_len, 2);
	CU_ASSERT(is_text(&config->cas[0].id, "2026", 5, 4));
	CU_ASSERT(is_text(&config->cas[0].file, "f", 6, 6));
	CU_ASSERT(is_text(&config->cas[0].crl, "r", 7, 5));
	CU_ASSERT_FALSE(config->cas[0].chain);
	CU_ASSERT_EQUAL(config->cas[0].number, 0);
	CU_ASSERT(is_text(&config->cas[1].id, "old", 9, 4));
	CU_ASSERT_PTR_NULL(config->cas[1].crl.ptr);
	CU_ASSERT_TRUE(config->cas[1].chain);
	CU_ASSERT_EQUAL(config->cas[1].number, 1);
	CU_ASSERT_EQUAL_FATAL(config->clients[0].serial_len, 4);
	for (size_t i = 0; i < 4; i++)
		CU_ASSERT_EQUAL(serials[i].ca, whose[i]);
	CU_ASSERT_EQUAL(serials[1].serial.octets[0], 1);
	CU_ASSERT_EQUAL(serials[2].serial.octets[0], 10);
	CU_ASSERT_EQUAL(serials[3].serial.len, 2);
	CU_ASSERT_EQUAL(serials[3].pos.line, 20);
	CU_ASSERT_EQUAL(serials[3].pos.column, 37);
	lbp_config_free(config);
}

static void cas_have_their_keys(void)
{
	static const char text[] =
		TLS "[[tls.client_ca]]\nx=1\n"
		    "[[tls.client_ca]]\nid='a/b'\nfile=1\ncrl=''\nchain=1\n"
		    "[[tls.client_ca]]\nid=''\nfile='f'\n" CA("a") CA("a") APP;
	static const struct want wanted[] = {
		{4, 1,
			"tls.client_ca.file is required: the path of the PEM "
			"file with this one CA"},
		{4, 1, "tls.client_ca.id is required: " CA_ID},
		{5, 1,
			"unknown key 'tls.client_ca.x'; accepted: id, file, "
			"crl, chain"},
		{7, 4,
			"tls.client_ca.id must be " CA_ID
			", not 'a/b': it has a '/'"},
		{8, 6,
			"tls.client_ca.file must be the path of the PEM file "
			"with this one CA, not an integer"},
		{9, 5,
			"tls.client_ca.crl must be " CA_CRL
			", not '': it is empty"},
		{10, 7,
			"tls.client_ca.chain must be true or false, not an "
			"integer"},
		{12, 4,
			"tls.client_ca.id must be " CA_ID
			", not '': it is empty"},
		{18, 4,
			"tls.client_ca.id 'a' is already on line 15 "
			"(tls.client_ca.id) and must be unique"},
	};

	config_expect(text, wanted, COUNT(wanted));
	expect_one(TLS "[[tls.client_ca]]\nid=1\nfile='f'\n" APP, 5, 4,
		"tls.client_ca.id must be " CA_ID ", not an integer");
	expect_one(TLS "client_ca=1\n" APP, 4, 11,
		"tls.client_ca must be " CAS ", not an integer");
	expect_one(TLS "client_ca=[]\n" APP, 4, 11,
		"tls.client_ca must be " CAS ", not empty");
	expect_one(TLS "client_ca=['a']\n" APP, 4, 12,
		"tls.client_ca must be " CAS ", not a string");
}

/* As many as there may be, and one more. */
static void cas_are_few(void)
{
	static const char sixteen[] = TLS CA("a") CA("b") CA("c") CA("d")
		CA("e") CA("f") CA("g") CA("h") CA("i") CA("j") CA("k") CA("l")
			CA("m") CA("n") CA("o") CA("p");
	char text[sizeof(sixteen) + sizeof(CA("q") APP)];
	struct lbp_config *config;

	strcpy(text, sixteen);
	strcat(text, APP);
	config = parse(text);
	CU_ASSERT_EQUAL(config->ca_len, LBP_CAS_MAX);
	CU_ASSERT_EQUAL(config->cas[15].number, 15);
	lbp_config_free(config);
	strcpy(text, sixteen);
	strcat(text, CA("q") APP);
	expect_one(text, 52, 1, "tls.client_ca must be " CAS ", not more");
}

static void lists_belong_to_their_cas(void)
{
	expect_one(TLS "crl='r'\n" CA("a") APP, 4, 5,
		"tls.crl is accepted only with tls.client_ca = \"PATH\"; "
		"accepted: crl in each [[tls.client_ca]]");
	expect_one(TLS "crl=1\n" CA("a") APP, 4, 5,
		"tls.crl is accepted only with tls.client_ca = \"PATH\"; "
		"accepted: crl in each [[tls.client_ca]]");
	expect_one(
		TLS "crl='r'\n" APP, 1, 1, "tls.client_ca is required: " CAS);
}

static void serials_have_known_cas(void)
{
	expect_one(TLS CA("2025") CA("new") APP ALICE "serials=['2026/1']\n",
		18, 10,
		"client.serials: no [[tls.client_ca]] has the id '2026'; did "
		"you mean '2025'? accepted: 2025, new");
	/* Then it is no serial of the first CA either. */
	expect_one(TLS CA("a") APP ALICE "serials=['b/1', '1']\n", 15, 10,
		"client.serials: no [[tls.client_ca]] has the id 'b'; did you "
		"mean 'a'? accepted: a");
	expect_one(ONE APP ALICE "serials=['/1', '2']\n", 13, 10,
		"client.serials: no [[tls.client_ca]] has the id ''");
	expect_one(TLS CA("a") APP ALICE "serials=['a/']\n", 15, 10,
		"client.serials must be " SERIALS
		", not 'a/': it is not pairs of hex digits");
	expect_one(TLS CA("a") APP ALICE "serials=['a/a/1']\n", 15, 10,
		"client.serials must be " SERIALS
		", not 'a/a/1': it is not pairs of hex digits");
	expect_one(TLS CA("a") APP ALICE "serials=['a/00']\n", 15, 10,
		"client.serials must be " SERIALS
		", not 'a/00': it is zero or longer than 20 octets");
	/* Which CA is meant may be behind the error, or what it is. */
	expect_one(TLS "[[tls.client_ca]]\nfile='f'\n" APP ALICE
		       "serials=['a/1', 'a/1']\n",
		4, 1, "tls.client_ca.id is required: " CA_ID);
	expect_one(TLS "client_ca=['a']\n" APP ALICE "serials=['a/1']\n", 4, 12,
		"tls.client_ca must be " CAS ", not a string");
	expect_one(TLS APP ALICE "serials=['a/1']\n", 1, 1,
		"tls.client_ca is required: " CAS);
	expect_one(TLS CA("a") CA("a") APP ALICE "serials=['b/1']\n", 8, 4,
		"tls.client_ca.id 'a' is already on line 5 "
		"(tls.client_ca.id) and must be unique");
}

/* As long as the allocator rounds up to, so that one byte more is seen. */
static void long_serials_are_unique(void)
{
#define OCTETS        "01:02:03:04:05:06:07:08:09:0A:0B:0C:0D:0E:0F"
#define TWICE(serial) "serials=['1', 'b/" serial "', 'b/" serial "']\n"
#define IS_TWICE(serial)                                                       \
	"client.serials 'b/" serial "' is already on line 18 "                 \
	"(client.serials) and must be unique"
	expect_one(TLS CA("a") CA("b") APP ALICE TWICE(OCTETS), 18, 65,
		IS_TWICE(OCTETS));
	expect_one(TLS CA("a") CA("b") APP ALICE TWICE(OCTETS ":10"), 18, 68,
		IS_TWICE(OCTETS ":10"));
}

static void a_serial_is_unique_under_its_ca(void)
{
	struct lbp_config *config = parse(TLS CA("a") CA("b") APP ALICE
		"serials=['1', 'b/1', 'b/01:00', '01:01']\n");

	lbp_config_free(config);
	expect_one(TLS CA("a") CA("b") APP ALICE "serials=['b/1', '1']\n" BOB
						 "serials=['a/01']\n",
		22, 10,
		"client.serials 'a/01' is already on line 18 (client.serials) "
		"and must be unique");
}

void suite_config_identity(void)
{
	CU_pSuite suite = CU_add_suite("config_identity", NULL, NULL);

	CU_add_test(suite, "[CFG-29] names are stored", names_are_stored);
	CU_add_test(suite, "[CFG-92] a client has a name", a_client_has_a_name);
	CU_add_test(suite, "[CFG-92] a wrong name is reported once",
		a_wrong_name_is_reported_once);
	CU_add_test(suite, "[CFG-46] wrong names are not compared",
		wrong_names_are_not_compared);
	CU_add_test(
		suite, "[CFG-29] many names are stored", many_names_are_stored);
	CU_add_test(suite, "[CFG-44] names are unique", names_are_unique);
	CU_add_test(suite, "[CFG-45] names that are alike are not the same",
		names_that_are_alike_are_not_the_same);
	CU_add_test(suite, "[CFG-94] CAs are stored", cas_are_stored);
	CU_add_test(suite, "[CFG-94] CAs have their keys", cas_have_their_keys);
	CU_add_test(suite, "[CFG-94] there are at most 16 CAs", cas_are_few);
	CU_add_test(suite, "[CFG-95] lists belong to their CAs",
		lists_belong_to_their_cas);
	CU_add_test(suite, "[CFG-93] serials have known CAs",
		serials_have_known_cas);
	CU_add_test(suite, "[CFG-45] long serials are unique",
		long_serials_are_unique);
	CU_add_test(suite, "[CFG-93] a serial is unique under its CA",
		a_serial_is_unique_under_its_ca);
}
