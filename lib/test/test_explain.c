#include <CUnit/CUnit.h>
#include <string.h>

#include "server/explain.h"
#include "suites.h"

static const char text[] =
	"[tls]\ncertificate = 'c'\nprivate_key = 'k'\n"        /* 1 to 3 */
	"[[tls.client_ca]]\nid = 'i'\nfile = 'f'\n"            /* 4 to 6 */
	"[[tls.client_ca]]\nid = 'j'\nfile = 'g'\ncrl = 'l'\n" /* to 10 */
	"[server]\nmax_connections = 9\n"                      /* 11, 12 */
	"[timeouts]\nidle = '5m'\nhandshake = '4s'\n"          /* to 15 */
	"[[app]]\nid = 'web'\nlisten = ['h:1']\n"              /* to 18 */
	"alpn = ['h2']\ntimeouts = { idle = '6m' }\n"          /* 19, 20 */
	"limits = { concurrent = 2, connections = 3 }\n"       /* 21 */
	"upstream = [{ url = 'tcp://u:1' }]\n"                 /* 22 */
	"[[app]]\nid = 'db'\nlisten = ['h:2']\n"               /* to 25 */
	"upstream = [{ url = 'tcp://u:1' }]\n"                 /* 26 */
	"[[client]]\nid = 'a'\nserials = ['1',\n'j/2', '5']\n" /* to 30 */
	"uris = ['u:1',\n'u:2']\n"                             /* 31, 32 */
	"dns = ['d.e',\n'F.g']\napps = [\n'web']\n"            /* to 36 */
	"[client.limits.web]\nconcurrent = 1\n"                /* 37, 38 */
	"[[client]]\nid = 'b'\nuris = ['u:3']\n"               /* to 41 */
	"apps = ['db',\n'web']\n"                              /* 42, 43 */
	"[client.limits.web]\nconnections = 8\n";              /* 44, 45 */

struct world {
	struct lbp_config *config;
	struct lbp_policy policy;
	struct lbp_toml *doc;
};

static struct world make(const char *from)
{
	struct lbp_config_errors errors;
	struct lbp_toml_error error;
	struct world world;

	CU_ASSERT_EQUAL_FATAL(
		lbp_config_parse(from, strlen(from), &world.config, &errors),
		LBP_OK);
	CU_ASSERT_EQUAL_FATAL(
		lbp_policy_init(&world.policy, world.config, 0), LBP_OK);
	CU_ASSERT_EQUAL_FATAL(
		lbp_toml_parse(from, strlen(from), &world.doc, &error), LBP_OK);
	return world;
}

static void release(struct world *world)
{
	lbp_toml_free(world->doc);
	lbp_policy_release(&world->policy);
	lbp_config_free(world->config);
}

static struct lbp_name serial_of(uint64_t issuer, uint8_t octet)
{
	struct lbp_serial serial = {.len = 1, .octets = {octet}};

	return lbp_name_of_issued(&serial, issuer);
}

/* Who these names are, and the line that says so. */
static void expect_who(const struct world *world, const struct lbp_name *names,
	size_t len, enum lbp_reason reason, uint32_t client, uint32_t line)
{
	struct lbp_explain_verdict verdict =
		lbp_explain_identify(world->config, &world->policy, names, len);

	CU_ASSERT_EQUAL(verdict.reason, reason);
	CU_ASSERT_EQUAL(verdict.client, client);
	CU_ASSERT_EQUAL(verdict.pos.line, line);
}

static void a_name_has_its_line(void)
{
	struct world world = make(text);
	const struct lbp_name names[] = {serial_of(0, 1), serial_of(1, 2),
		lbp_name_of_uri("u:1"), lbp_name_of_uri("u:2"),
		lbp_name_of_dns("D.E"), lbp_name_of_dns("f.g")};
	const struct lbp_name other = serial_of(0, 5);
	const struct lbp_name b = lbp_name_of_uri("u:3");
	const struct lbp_name nobody[] = {serial_of(1, 1), serial_of(0, 2),
		serial_of(0, 3), lbp_name_of_uri("U:1"),
		lbp_name_of_dns("u.1")};

	for (uint32_t i = 0; i < 6; i++)
		expect_who(&world, &names[i], 1, LBP_REASON_NONE, 0, 29 + i);
	expect_who(&world, &other, 1, LBP_REASON_NONE, 0, 30);
	expect_who(&world, &b, 1, LBP_REASON_NONE, 1, 41);
	for (size_t i = 0; i < 5; i++)
		expect_who(&world, &nobody[i], 1, LBP_REASON_UNKNOWN_CLIENT,
			LBP_NONE, 0);
	release(&world);
}

/* The same number of another CA is another serial. */
static void a_serial_has_its_line(void)
{
	struct world world =
		make("[tls]\ncertificate = 'c'\nprivate_key = 'k'\n"
		     "[[tls.client_ca]]\nid = 'i'\nfile = 'f'\n"
		     "[[tls.client_ca]]\nid = 'j'\nfile = 'g'\n"
		     "[[app]]\nid = 'a'\nlisten = ['h:1']\n"
		     "upstream = [{ url = 'tcp://u:1' }]\n"
		     "[[client]]\nid = 'c'\napps = ['a']\nserials = "
		     "['1',\n'j/1']\n");
	const struct lbp_name first = serial_of(0, 1);
	const struct lbp_name second = serial_of(1, 1);

	expect_who(&world, &first, 1, LBP_REASON_NONE, 0, 17);
	expect_who(&world, &second, 1, LBP_REASON_NONE, 0, 18);
	release(&world);
}

/* Who has one kind of names, and one app, has no place for others. */
static void a_client_may_have_little(void)
{
	struct world world = make(
		"[tls]\ncertificate = 'c'\nprivate_key = 'k'\nclient_ca = 'a'\n"
		"[[app]]\nid = 'a'\nlisten = ['h:1']\n"
		"upstream = [{ url = 'tcp://u:1' }]\n"
		"[[app]]\nid = 'b'\nlisten = ['h:2']\n"
		"upstream = [{ url = 'tcp://u:1' }]\n"
		"[[client]]\nid = 'c'\napps = ['b']\ndns = ['d.e']\n");
	const struct lbp_name name = lbp_name_of_dns("d.e");

	expect_who(&world, &name, 1, LBP_REASON_NONE, 0, 16);
	CU_ASSERT_PTR_NULL(lbp_explain_grant(world.config, 0, 0));
	CU_ASSERT_PTR_NOT_NULL(lbp_explain_grant(world.config, 0, 1));
	release(&world);
}

static void several_names(void)
{
	struct world world = make(text);
	const struct lbp_name a[] = {
		serial_of(0, 9), lbp_name_of_dns("x"), lbp_name_of_uri("u:2")};
	const struct lbp_name both[] = {
		lbp_name_of_uri("u:3"), lbp_name_of_uri("u:2")};
	const struct lbp_name none[] = {serial_of(0, 9), lbp_name_of_dns("x")};

	expect_who(&world, a, 3, LBP_REASON_NONE, 0, 32);
	expect_who(&world, both, 2, LBP_REASON_AMBIGUOUS, LBP_NONE, 41);
	expect_who(&world, none, 2, LBP_REASON_UNKNOWN_CLIENT, LBP_NONE, 0);
	CU_ASSERT_EQUAL(
		lbp_explain_name(world.config, &world.policy, &a[1]).client,
		LBP_NONE);
	release(&world);
}

static void an_app_has_its_line(void)
{
	struct world world = make(text);
	static const struct {
		uint32_t client;
		uint32_t app;
		enum lbp_reason reason;
		uint32_t line;
	} cases[] = {{0, 0, LBP_REASON_NONE, 36},
		{0, 1, LBP_REASON_NOT_ALLOWED, 36}, {1, 1, LBP_REASON_NONE, 42},
		{1, 0, LBP_REASON_NONE, 43}};

	for (size_t i = 0; i < 4; i++) {
		struct lbp_explain_verdict verdict =
			lbp_explain_authorize(world.config, &world.policy,
				cases[i].client, cases[i].app);

		CU_ASSERT_EQUAL(verdict.reason, cases[i].reason);
		CU_ASSERT_EQUAL(verdict.client, cases[i].client);
		CU_ASSERT_EQUAL(verdict.pos.line, cases[i].line);
	}
	CU_ASSERT_PTR_NULL(lbp_explain_grant(world.config, 0, 1));
	CU_ASSERT_PTR_EQUAL(lbp_explain_grant(world.config, 1, 0),
		&world.config->clients[1].grants[1]);
	release(&world);
}

static uint32_t line_of(const struct world *world, enum lbp_reason reason,
	struct lbp_explain_about about)
{
	return lbp_explain_place(
		world->config, lbp_toml_root(world->doc), reason, &about)
		.line;
}

static void a_reason_has_its_key(void)
{
	struct world world = make(text);
	const struct lbp_config_grant *a =
		lbp_explain_grant(world.config, 0, 0);
	const struct lbp_config_grant *b =
		lbp_explain_grant(world.config, 1, 0);
	const struct {
		enum lbp_reason reason;
		struct lbp_explain_about about;
		uint32_t line;
	} cases[] = {
		{LBP_REASON_CONCURRENT_LIMIT, {0, 0, a}, 38},
		{LBP_REASON_RATE_LIMIT, {0, 0, a}, 21},
		{LBP_REASON_CONCURRENT_LIMIT, {0, 0, b}, 21},
		{LBP_REASON_RATE_LIMIT, {0, 0, b}, 45},
		{LBP_REASON_RATE_LIMIT, {0, 0, NULL}, 0},
		{LBP_REASON_CONCURRENT_LIMIT, {LBP_NONE, 0, NULL}, 0},
		{LBP_REASON_REVOKED, {LBP_NONE, 1, NULL}, 10},
		{LBP_REASON_CRL_EXPIRED, {LBP_NONE, 1, NULL}, 10},
		{LBP_REASON_REVOKED, {LBP_NONE, 0, NULL}, 0},
		{LBP_REASON_UNTRUSTED, {LBP_NONE, 0, NULL}, 4},
		{LBP_REASON_MAX_CONNECTIONS, {LBP_NONE, 0, NULL}, 12},
		{LBP_REASON_HANDSHAKE_EVICTED, {LBP_NONE, 0, NULL}, 0},
		{LBP_REASON_HANDSHAKE_TIMEOUT, {0, 0, NULL}, 15},
		{LBP_REASON_IDLE_TIMEOUT, {0, 0, NULL}, 20},
		{LBP_REASON_IDLE_TIMEOUT, {1, 0, NULL}, 14},
		{LBP_REASON_LIFETIME, {0, 0, NULL}, 0},
		{LBP_REASON_NO_PROTOCOL, {0, 0, NULL}, 19},
		{LBP_REASON_NO_PROTOCOL, {1, 0, NULL}, 0},
		{LBP_REASON_UNKNOWN_CLIENT, {LBP_NONE, 0, NULL}, 28},
		{LBP_REASON_INTERNAL, {LBP_NONE, 0, NULL}, 0},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		CU_ASSERT_EQUAL(
			line_of(&world, cases[i].reason, cases[i].about),
			cases[i].line);
	release(&world);
}

static void nobody_is_a_client(void)
{
	struct world world = make(
		"[tls]\ncertificate = 'c'\nprivate_key = 'k'\nclient_ca = 'a'\n"
		"[[app]]\nid = 'a'\nlisten = ['h:1']\n"
		"upstream = [{ url = 'tcp://u:1' }]\n");

	const struct lbp_explain_about about = {.app = LBP_NONE};
	struct lbp_config_pos pos = lbp_explain_place(world.config,
		lbp_toml_root(world.doc), LBP_REASON_UNKNOWN_CLIENT, &about);

	CU_ASSERT_EQUAL(pos.line, 1);
	CU_ASSERT_EQUAL(pos.column, 1);
	CU_ASSERT_EQUAL(pos.file, 0);
	release(&world);
}

static void every_reason_is_explained(void)
{
	for (unsigned i = 0; i < LBP_REASONS; i++) {
		enum lbp_reason reason = (enum lbp_reason)i;
		const struct lbp_explain_reason *say =
			lbp_explain_reason(reason);

		CU_ASSERT_PTR_NOT_NULL_FATAL(say->meaning);
		CU_ASSERT_PTR_NOT_NULL_FATAL(say->ids);
		CU_ASSERT_TRUE(say->meaning[0] != '\0' && say->ids[0] != '\0');
		CU_ASSERT_EQUAL(
			lbp_explain_reason_of(lbp_reason_text(reason)), reason);
	}
	CU_ASSERT_EQUAL(lbp_explain_reason_of("what"), LBP_REASON_NONE);
	CU_ASSERT_STRING_EQUAL(lbp_explain_key(LBP_REASON_REVOKED), "tls.crl");
	CU_ASSERT_PTR_NULL(lbp_explain_key(LBP_REASON_INTERNAL));
}

/* What decides is in a line of its own. */
static const char full[] =
	"[tls]\ncertificate = 'c'\nprivate_key = 'k'\n"            /* 1 to 3 */
	"[[tls.client_ca]]\nid = 'i'\nfile = 'f'\ncrl = 'l'\n"     /* to 7 */
	"[server]\nmax_connections = 9\nmax_handshakes = 9\n"      /* to 10 */
	"[timeouts]\nhandshake = '4s'\nidle = '5m'\n"              /* to 13 */
	"drain = '6s'\nlifetime = '7h'\n"                          /* 14, 15 */
	"[[app]]\nid = 'web'\nlisten = ['h:1']\n"                  /* to 18 */
	"accept_proxy = ['::1']\nalpn = ['h2']\n"                  /* 19, 20 */
	"unclean_end = 'end'\nlimits.concurrent = 2\n"             /* 21, 22 */
	"limits.connections = 3\n"                                 /* 23 */
	"upstream = [{ url = 'tcp://u:1' }]\n"                     /* 24 */
	"[[client]]\nid = 'a'\nserials = ['1']\napps = ['web']\n"; /* to 28 */

/* Word by word: operators search for them, and look the numbers up. */
static const struct {
	enum lbp_reason reason;
	const char *meaning;
	const char *ids;
	const char *key;
	uint32_t line;
} said[] = {
	{LBP_REASON_NONE, "it is let in", "SES-1, ACL-3", NULL, 0},
	{LBP_REASON_DONE, "both directions ended cleanly", "SES-7", NULL, 0},
	{LBP_REASON_HANDSHAKE_TIMEOUT, "the TLS handshake took too long",
		"SES-9", "timeouts.handshake", 12},
	{LBP_REASON_HANDSHAKE_FAILED,
		"the client broke off or broke the protocol before "
		"the handshake completed",
		"SES-3", NULL, 0},
	{LBP_REASON_HANDSHAKE_EVICTED,
		"its place went to a handshake from another source, "
		"as its own had the most",
		"SES-45, SRC-3", "server.max_handshakes", 10},
	{LBP_REASON_NO_CERTIFICATE, "the client sent no certificate", "SRV-8",
		"tls.client_ca", 4},
	{LBP_REASON_UNTRUSTED,
		"the certificate was not issued directly by a "
		"configured CA",
		"SRV-9, SRV-185", "tls.client_ca", 4},
	{LBP_REASON_EXPIRED, "the certificate is no longer valid", "SRV-9",
		"tls.client_ca", 4},
	{LBP_REASON_NOT_YET_VALID, "the certificate is not valid yet", "SRV-9",
		"tls.client_ca", 4},
	{LBP_REASON_REVOKED, "the certificate is on the revocation list",
		"SRV-9", "tls.crl", 7},
	{LBP_REASON_CRL_EXPIRED,
		"the revocation list is out of date, so that nobody "
		"can be judged",
		"SRV-9", "tls.crl", 7},
	{LBP_REASON_WRONG_USAGE,
		"the certificate's key usage or extended key usage "
		"forbids client authentication",
		"SRV-151, SRV-152", "tls.client_ca", 4},
	{LBP_REASON_BAD_CERTIFICATE, "the certificate has a fault", "SRV-9",
		"tls.client_ca", 4},
	{LBP_REASON_UNKNOWN_CLIENT,
		"no client lists the serial or another name of the "
		"certificate",
		"SES-2, ACL-7", "the first of the clients", 26},
	{LBP_REASON_AMBIGUOUS, "two clients list names of the certificate",
		"SES-2, ACL-7", NULL, 0},
	{LBP_REASON_NOT_ALLOWED, "the client may not use this application",
		"SES-2, ACL-3", "client.apps", 0},
	{LBP_REASON_CONCURRENT_LIMIT,
		"the client has as many sessions open as it may",
		"SES-4, LIM-1", "concurrent", 22},
	{LBP_REASON_RATE_LIMIT,
		"the client was admitted as often as it may be in the"
		" window",
		"SES-4, LIM-2", "connections", 23},
	{LBP_REASON_MAX_CONNECTIONS,
		"as many sessions as server.max_connections were open"
		" when the handshake completed",
		"SES-22", "server.max_connections", 9},
	{LBP_REASON_NO_UPSTREAM, "no eligible upstream was left to try",
		"SES-5, BAL-4", "app.upstream", 24},
	{LBP_REASON_CLIENT_RESET,
		"the client's TCP was reset or failed, or it broke "
		"TLS",
		"SES-8", NULL, 0},
	{LBP_REASON_UPSTREAM_RESET,
		"the upstream's TCP was reset or failed, or it broke "
		"TLS",
		"SES-8", NULL, 0},
	{LBP_REASON_CLIENT_TRUNCATED,
		"the client's TCP ended without close_notify", "SES-8",
		"app.unclean_end", 21},
	{LBP_REASON_UPSTREAM_TRUNCATED,
		"the TCP of a tls:// upstream ended without "
		"close_notify",
		"SES-8", "app.unclean_end", 21},
	{LBP_REASON_CLIENT_FLOOD,
		"the client sent too many TLS records without data in"
		" a row",
		"SRV-88", NULL, 0},
	{LBP_REASON_UPSTREAM_FLOOD,
		"a tls:// upstream sent too many TLS records without "
		"data in a row",
		"SRV-88", NULL, 0},
	{LBP_REASON_IDLE_TIMEOUT, "no byte moved for timeouts.idle", "SES-11",
		"timeouts.idle", 13},
	{LBP_REASON_DRAIN_TIMEOUT, "the drain took longer than timeouts.drain",
		"SES-13", "timeouts.drain", 14},
	{LBP_REASON_SHUTDOWN, "the server was told to stop at once", "SES-13",
		NULL, 0},
	{LBP_REASON_INTERNAL,
		"the server ran out of memory or descriptors, or has "
		"a fault",
		"SES-46", NULL, 0},
	{LBP_REASON_LIFETIME, "it lasted as long as timeouts.lifetime lets it",
		"SES-60", "timeouts.lifetime", 15},
	{LBP_REASON_BAD_PROXY_HEADER,
		"its first bytes, which had to be a PROXY header, are"
		" none that is accepted",
		"PRX-30, PRX-31", "app.accept_proxy", 19},
	{LBP_REASON_NO_PROTOCOL,
		"it offered protocols, and none that the application "
		"speaks",
		"SRV-173", "app.alpn", 20},
	{LBP_REASON_UPSTREAM_UNTRUSTED,
		"since a reload its tls:// upstream is not trusted", "RLD-21",
		"app.upstream", 24},
	{LBP_REASON_KILLED, "an operator ended it", "CTL-14", NULL, 0},
};

static void what_is_said_of_each_reason(void)
{
	struct world world = make(full);
	const struct lbp_explain_about about = {
		0, 0, lbp_explain_grant(world.config, 0, 0)};

	CU_ASSERT_EQUAL(sizeof(said) / sizeof(said[0]), LBP_REASONS);
	for (size_t i = 0; i < sizeof(said) / sizeof(said[0]); i++) {
		const struct lbp_explain_reason *say =
			lbp_explain_reason(said[i].reason);
		const char *key = lbp_explain_key(said[i].reason);

		CU_ASSERT_STRING_EQUAL(say->meaning, said[i].meaning);
		CU_ASSERT_STRING_EQUAL(say->ids, said[i].ids);
		CU_ASSERT_EQUAL(key == NULL, said[i].key == NULL);
		if (key != NULL && said[i].key != NULL)
			CU_ASSERT_STRING_EQUAL(key, said[i].key);
		CU_ASSERT_EQUAL(
			line_of(&world, said[i].reason, about), said[i].line);
	}
	CU_ASSERT_EQUAL(
		lbp_explain_place(world.config, lbp_toml_root(world.doc),
			LBP_REASON_HANDSHAKE_TIMEOUT, &about)
			.column,
		13);
	release(&world);
}

void suite_explain(void)
{
	CU_pSuite suite = CU_add_suite("explain", NULL, NULL);

	CU_add_test(suite, "[EXP-2] a name has its line", a_name_has_its_line);
	CU_add_test(
		suite, "[EXP-2] a serial has its line", a_serial_has_its_line);
	CU_add_test(suite, "[EXP-2] a client may have little",
		a_client_may_have_little);
	CU_add_test(suite, "[EXP-2] several names", several_names);
	CU_add_test(suite, "[EXP-7] an app has its line", an_app_has_its_line);
	CU_add_test(
		suite, "[EXP-7] a reason has its key", a_reason_has_its_key);
	CU_add_test(suite, "[EXP-7] nobody is a client", nobody_is_a_client);
	CU_add_test(suite, "[EXP-7] every reason is explained",
		every_reason_is_explained);
	CU_add_test(suite, "[EXP-7] what is said of each reason",
		what_is_said_of_each_reason);
}
