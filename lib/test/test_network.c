#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>

#include "alloc.h"
#include "config_expect.h"
#include "server/config.h"
#include "server/network.h"
#include "suites.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* An address from text, of the family that it looks like. */
static struct lbp_ip ip_of(const char *text)
{
	struct lbp_ip ip = {{0}};
	bool is_read = strchr(text, ':') != NULL
			       ? lbp_ip_read_v6(&ip, text, strlen(text))
			       : lbp_ip_read_v4(&ip, text, strlen(text));

	CU_ASSERT_TRUE(is_read);
	return ip;
}

/* Parses the text in a block of its own length. */
static const char *parse(struct lbp_network *network, const char *text)
{
	size_t len = strlen(text);
	char *copy = malloc(len + 1);
	const char *wrong;

	if (copy == NULL)
		abort();
	memcpy(copy, text, len);
	copy[len] = '9';
	wrong = lbp_network_parse(network, copy, len);
	free(copy);
	return wrong;
}

static void addresses(void)
{
	static const uint8_t v4[4] = {192, 0, 2, 7};
	static const uint8_t v6[16] = {0x20, 1, 0xd, 0xb8, [15] = 1};
	static const uint8_t mapped[16] = {[10] = 0xff, 0xff, 192, 0, 2, 7};
	struct lbp_ip ip = lbp_ip_v4(v4);

	CU_ASSERT_EQUAL(memcmp(ip.octets, mapped, 16), 0);
	CU_ASSERT_TRUE(lbp_ip_is_v4(&ip));
	ip = lbp_ip_v6(mapped);
	CU_ASSERT_EQUAL(memcmp(ip.octets, mapped, 16), 0);
	CU_ASSERT_TRUE(lbp_ip_is_v4(&ip));
	ip = lbp_ip_v6(v6);
	CU_ASSERT_EQUAL(memcmp(ip.octets, v6, 16), 0);
	CU_ASSERT_FALSE(lbp_ip_is_v4(&ip));
	ip = ip_of("192.0.2.7");
	CU_ASSERT_EQUAL(memcmp(ip.octets, mapped, 16), 0);
	ip = ip_of("2001:db8::1");
	CU_ASSERT_EQUAL(memcmp(ip.octets, v6, 16), 0);
	ip = ip_of("::ffff:192.0.2.7");
	CU_ASSERT_EQUAL(memcmp(ip.octets, mapped, 16), 0);
}

static void no_addresses(void)
{
	/* As long as an address can be, and longer. */
	static const char longest[] =
		"0000:0000:0000:0000:0000:ffff:255.255.255.255";
	static const char longer[] =
		"00000:0000:0000:0000:0000:ffff:255.255.255.255";
	struct lbp_ip ip = {{7}};

	CU_ASSERT_FALSE(lbp_ip_read_v4(&ip, "1.2.3", 5));
	CU_ASSERT_FALSE(lbp_ip_read_v4(&ip, "01.2.3.4", 8));
	CU_ASSERT_FALSE(lbp_ip_read_v4(&ip, "1.2.3.4\0", 8));
	CU_ASSERT_FALSE(lbp_ip_read_v4(&ip, "", 0));
	CU_ASSERT_FALSE(lbp_ip_read_v4(&ip, "::1", 3));
	CU_ASSERT_FALSE(lbp_ip_read_v6(&ip, "1.2.3.4", 7));
	CU_ASSERT_FALSE(lbp_ip_read_v6(&ip, "::1%lo", 6));
	CU_ASSERT_FALSE(lbp_ip_read_v6(&ip, longer, sizeof(longer) - 1));
	CU_ASSERT_EQUAL(ip.octets[0], 7);
	CU_ASSERT_TRUE(lbp_ip_read_v6(&ip, longest, sizeof(longest) - 1));
	CU_ASSERT_TRUE(lbp_ip_is_v4(&ip));
}

struct good {
	const char *text;
	const char *ip;
	uint8_t bits;
};

static void networks(void)
{
	static const struct good goods[] = {
		{"10.0.0.0/8", "10.0.0.0", 104},
		{"10.0.0.0/9", "10.0.0.0", 105},
		{"10.128.0.0/9", "10.128.0.0", 105},
		{"10.255.255.254/31", "10.255.255.254", 127},
		{"10.1.2.3/32", "10.1.2.3", 128},
		{"10.1.2.3", "10.1.2.3", 128},
		{"0.0.0.0/0", "0.0.0.0", 96},
		{"::/0", "::", 0},
		{"2001:db8::/32", "2001:db8::", 32},
		{"2001:DB8:8000::/33", "2001:db8:8000::", 33},
		{"::1/128", "::1", 128},
		{"::1", "::1", 128},
		{"::ffff:10.0.0.0/104", "10.0.0.0", 104},
		{"::ffff:10.1.2.3", "10.1.2.3", 128},
	};

	for (size_t i = 0; i < COUNT(goods); i++) {
		struct lbp_network network = {.bits = 77};
		struct lbp_ip ip = ip_of(goods[i].ip);

		CU_ASSERT_PTR_NULL(parse(&network, goods[i].text));
		CU_ASSERT_EQUAL(memcmp(&network.ip, &ip, sizeof(ip)), 0);
		CU_ASSERT_EQUAL(network.bits, goods[i].bits);
	}
}

static void no_networks(void)
{
	static const char *const bads[][2] = {
		{"", "the IPv4 address is not valid"},
		{"/", "the IPv4 address is not valid"},
		{"host/8", "the IPv4 address is not valid"},
		{"10/8", "the IPv4 address is not valid"},
		{"10.0.0/8", "the IPv4 address is not valid"},
		{"010.0.0.0/8", "the IPv4 address is not valid"},
		{"10.0.0.0 /8", "the IPv4 address is not valid"},
		{"[::1]", "the IPv6 address is not valid"},
		{"fe80::1%lo", "the IPv6 address is not valid"},
		{"10.0.0.0:1", "the IPv6 address is not valid"},
		{"10.0.0.0/", "the length is empty"},
		{"10.0.0.0/ 8", "the length is not a number"},
		{"10.0.0.0/+8", "the length is not a number"},
		{"10.0.0.0/8 ", "the length is not a number"},
		{"10.0.0.0/8/", "the length is not a number"},
		{"10.0.0.0/:", "the length is not a number"},
		{"10.0.0.0/8.0", "the length is not a number"},
		{"10.0.0.0/33", "the length is above 32"},
		{"10.0.0.0/4294967304", "the length is above 32"},
		{"::/129", "the length is above 128"},
		{"10.0.0.0/08", "the length starts with 0"},
		{"0.0.0.0/00", "the length starts with 0"},
		{"10.0.0.1/8", "it has bits set beyond its length"},
		{"10.0.0.1/31", "it has bits set beyond its length"},
		{"10.64.0.0/9", "it has bits set beyond its length"},
		{"::1/127", "it has bits set beyond its length"},
		{"::1/0", "it has bits set beyond its length"},
		{"8000::/0", "it has bits set beyond its length"},
		{"::ffff:10.0.0.0/8", "it has bits set beyond its length"},
	};

	for (size_t i = 0; i < COUNT(bads); i++) {
		struct lbp_network network = {.bits = 77};
		const char *wrong = parse(&network, bads[i][0]);

		CU_ASSERT_PTR_NOT_NULL_FATAL(wrong);
		CU_ASSERT_STRING_EQUAL(wrong, bads[i][1]);
		CU_ASSERT_EQUAL(network.bits, 77);
	}
}

static bool is_in(const char *network, const char *address)
{
	struct lbp_network parsed = {.bits = 0};
	struct lbp_ip ip = ip_of(address);

	CU_ASSERT_PTR_NULL(parse(&parsed, network));
	return lbp_networks_contain(&parsed, 1, &ip);
}

static void what_they_contain(void)
{
	CU_ASSERT_TRUE(is_in("10.0.0.0/8", "10.255.1.2"));
	CU_ASSERT_TRUE(is_in("10.0.0.0/8", "::ffff:10.255.1.2"));
	CU_ASSERT_FALSE(is_in("10.0.0.0/8", "11.0.0.0"));
	CU_ASSERT_FALSE(is_in("10.0.0.0/8", "9.255.255.255"));
	CU_ASSERT_TRUE(is_in("10.128.0.0/9", "10.128.0.1"));
	CU_ASSERT_FALSE(is_in("10.128.0.0/9", "10.127.0.1"));
	CU_ASSERT_TRUE(is_in("10.1.2.3", "10.1.2.3"));
	CU_ASSERT_FALSE(is_in("10.1.2.3", "10.1.2.2"));
	CU_ASSERT_TRUE(is_in("0.0.0.0/0", "255.255.255.255"));
	CU_ASSERT_FALSE(is_in("0.0.0.0/0", "::1"));
	CU_ASSERT_TRUE(is_in("::/0", "::1"));
	CU_ASSERT_TRUE(is_in("::/0", "ffff::"));
	CU_ASSERT_FALSE(is_in("::/0", "10.1.2.3"));
	CU_ASSERT_FALSE(is_in("::fffe:0:0/95", "10.1.2.3"));
	CU_ASSERT_TRUE(is_in("::ffff:0:0/96", "10.1.2.3"));
	CU_ASSERT_TRUE(is_in("2001:db8::/33", "2001:db8:7fff::1"));
	CU_ASSERT_FALSE(is_in("2001:db8::/33", "2001:db8:8000::1"));
}

static void any_of_them(void)
{
	struct lbp_network both[2];
	struct lbp_ip ip = ip_of("10.1.2.3");

	CU_ASSERT_PTR_NULL(parse(&both[0], "192.0.2.0/24"));
	CU_ASSERT_PTR_NULL(parse(&both[1], "10.0.0.0/8"));
	CU_ASSERT_FALSE(lbp_networks_contain(NULL, 0, &ip));
	CU_ASSERT_FALSE(lbp_networks_contain(both, 1, &ip));
	CU_ASSERT_TRUE(lbp_networks_contain(both, 2, &ip));
	ip = ip_of("192.0.2.1");
	CU_ASSERT_TRUE(lbp_networks_contain(both, 2, &ip));
	ip = ip_of("192.0.3.1");
	CU_ASSERT_FALSE(lbp_networks_contain(both, 2, &ip));
}

/* --- in a configuration --------------------------------------------------- */

#define BEFORE                                                                 \
	"[tls]\ncertificate='c'\nprivate_key='k'\nclient_ca='a'\n"             \
	"[[app]]\nid='e'\nlisten=['h:1']\n"
#define AFTER "[[app.upstream]]\nurl='tcp://h:2'\n"
#define MUST                                                                   \
	"app.accept_proxy must be an array of at most 1024 networks, "         \
	"\"10.0.0.0/8\" or an address, not "

static struct lbp_config *configured(const char *text)
{
	struct lbp_config_errors errors;
	struct lbp_config *config;

	CU_ASSERT_EQUAL_FATAL(
		lbp_config_parse(text, strlen(text), &config, &errors), LBP_OK);
	return config;
}

static void configured_networks(void)
{
	struct lbp_config *config = configured(
		BEFORE "accept_proxy = ['10.0.0.0/8', '::1']\n" AFTER);
	const struct lbp_config_app *app = &config->apps[0];
	struct lbp_ip ip = ip_of("::1");

	CU_ASSERT_EQUAL_FATAL(app->accept_proxy_len, 2);
	CU_ASSERT_EQUAL(app->accept_proxy[0].bits, 104);
	CU_ASSERT_FALSE(lbp_networks_contain(app->accept_proxy, 1, &ip));
	CU_ASSERT_TRUE(lbp_networks_contain(app->accept_proxy, 2, &ip));
	lbp_config_free(config);
}

static void no_configured_networks(void)
{
	struct lbp_config *config =
		configured(BEFORE "accept_proxy = []\n" AFTER);

	CU_ASSERT_EQUAL(config->apps[0].accept_proxy_len, 0);
	lbp_config_free(config);
	config = configured(BEFORE AFTER);
	CU_ASSERT_EQUAL(config->apps[0].accept_proxy_len, 0);
	lbp_config_free(config);
}

static void bad_configured_networks(void)
{
	static const struct want type[] = {{8, 16, MUST "a string"}};
	static const struct want items[] = {
		{8, 24, MUST "an integer"},
		{8, 27,
			MUST "'10.0.0.1/8': it has bits set beyond its "
			     "length"},
		{8, 41, MUST "'x': the IPv4 address is not valid"},
	};

	config_expect(BEFORE "accept_proxy = '10.0.0.0/8'\n" AFTER, type,
		COUNT(type));
	config_expect(BEFORE
		"accept_proxy = ['::1', 1, '10.0.0.1/8', 'x']\n" AFTER,
		items, COUNT(items));
}

/* So many networks, each "::", and what follows. */
static char *with_networks(size_t n)
{
	char *text = malloc(sizeof(BEFORE) + sizeof(AFTER) + 5 * n + 50);
	size_t i;

	if (text == NULL)
		abort();
	strcpy(text, BEFORE "accept_proxy = [\n");
	for (i = 0; i < n; i++)
		strcat(text, "'::',");
	strcat(text, "]\n" AFTER);
	return text;
}

static void too_many_networks(void)
{
	static const struct want more[] = {{9, 5121, MUST "more"}};
	char *text = with_networks(1024);
	struct lbp_config *config = configured(text);

	CU_ASSERT_EQUAL(config->apps[0].accept_proxy_len, 1024);
	lbp_config_free(config);
	free(text);
	text = with_networks(1025);
	config_expect(text, more, COUNT(more));
	free(text);
}

/* Each allocation fails; that of so many networks is one of its own. */
static void no_memory_for_networks(void)
{
	char *text = with_networks(1024);
	struct lbp_config_errors errors;
	struct lbp_config *config;
	long allocations;

	alloc_fail_at(0);
	lbp_config_free(configured(text));
	allocations = alloc_count();
	for (long n = 1; n <= allocations; n++) {
		alloc_fail_at(n);
		CU_ASSERT_EQUAL(
			lbp_config_parse(text, strlen(text), &config, &errors),
			LBP_ERR_NOMEM);
		CU_ASSERT_PTR_NULL(config);
	}
	alloc_fail_at(0);
	free(text);
}

void suite_network(void)
{
	CU_pSuite suite = CU_add_suite("network", NULL, NULL);

	CU_add_test(suite, "[PRX-13] an IPv4 address has one form", addresses);
	CU_add_test(suite, "[PRX-12] what is no address", no_addresses);
	CU_add_test(suite, "[PRX-12] networks", networks);
	CU_add_test(suite, "[PRX-12] what is no network", no_networks);
	CU_add_test(
		suite, "[PRX-13] what a network contains", what_they_contain);
	CU_add_test(suite, "[PRX-13] one of several networks", any_of_them);
	CU_add_test(suite, "[CFG-24][PRX-12] networks in a configuration",
		configured_networks);
	CU_add_test(suite, "[CFG-24] a configuration without networks",
		no_configured_networks);
	CU_add_test(suite, "[CFG-12][CFG-24] values that are no networks",
		bad_configured_networks);
	CU_add_test(
		suite, "[CFG-24] more networks than 1024", too_many_networks);
	CU_add_test(suite, "[CFG-16] no memory for networks",
		no_memory_for_networks);
}
