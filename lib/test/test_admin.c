#include <CUnit/CUnit.h>

#include "base.h"
#include "server/admin.h"
#include "suites.h"

static unsigned route(const char *method, const char *path, const char *clients,
	struct lbp_admin_wish *wish)
{
	const struct lbp_admin_request request = {.method = method,
		.path = path,
		.clients = clients,
		.host = "a.example"};

	*wish = (struct lbp_admin_wish){.what = 99, .clients = 99};
	return lbp_admin_route(&request, wish);
}

static void test_routes(void)
{
	static const struct {
		const char *method;
		const char *path;
		unsigned status;
		enum lbp_admin_resource what;
	} cases[] = {
		{"GET", "/healthz", 200, LBP_ADMIN_HEALTHZ},
		{"HEAD", "/healthz", 200, LBP_ADMIN_HEALTHZ},
		{"GET", "/readyz", 200, LBP_ADMIN_READYZ},
		{"GET", "/metrics", 200, LBP_ADMIN_METRICS},
		{"GET", "/", 200, LBP_ADMIN_PAGE},
		{"GET", "//", 404, LBP_ADMIN_NOTHING},
		{"GET", "", 404, LBP_ADMIN_NOTHING},
		{"GET", "/readyz/", 404, LBP_ADMIN_NOTHING},
		{"GET", "/READYZ", 404, LBP_ADMIN_NOTHING},
		{"HEAD", "/nothing", 404, LBP_ADMIN_NOTHING},
	};
	struct lbp_admin_wish wish;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		CU_ASSERT_EQUAL(
			route(cases[i].method, cases[i].path, NULL, &wish),
			cases[i].status);
		CU_ASSERT_EQUAL(wish.what, cases[i].what);
		CU_ASSERT_EQUAL(wish.clients, 0);
	}
}

static void test_methods(void)
{
	static const char *const others[] = {"", "POST", "PUT", "DELETE",
		"OPTIONS", "get", "GETS", "HEADER"};
	struct lbp_admin_wish wish;
	size_t i;

	for (i = 0; i < sizeof(others) / sizeof(*others); i++) {
		CU_ASSERT_EQUAL(route(others[i], "/healthz", NULL, &wish), 405);
		CU_ASSERT_EQUAL(wish.what, LBP_ADMIN_NOTHING);
		CU_ASSERT_EQUAL(wish.clients, 0);
	}
}

static void test_clients(void)
{
	static const struct {
		const char *text;
		unsigned status;
		uint32_t clients;
	} cases[] = {{"0", 200, 0}, {"1", 200, 1}, {"1000", 200, 1000},
		{"9", 200, 9}, {"999", 200, 999}, {"0007", 200, 7},
		{"1001", 400, 0}, {"", 400, 0},
		{"99999999999999999999", 400, 0}, {"4294967296", 400, 0},
		{"-1", 400, 0}, {"1 ", 400, 0}, {" 1", 400, 0}, {"1:", 400, 0},
		{"/", 400, 0}, {"x", 400, 0}};
	struct lbp_admin_wish wish;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		CU_ASSERT_EQUAL(route("GET", "/metrics", cases[i].text, &wish),
			cases[i].status);
		CU_ASSERT_EQUAL(wish.clients, cases[i].clients);
		CU_ASSERT_EQUAL(wish.what, cases[i].status == 200
						   ? LBP_ADMIN_METRICS
						   : LBP_ADMIN_NOTHING);
	}
	CU_ASSERT_EQUAL(route("GET", "/nothing", "x", &wish), 404);
	CU_ASSERT_EQUAL(route("GET", "/status", NULL, &wish), 200);
	CU_ASSERT_EQUAL(wish.what, LBP_ADMIN_STATUS);
	CU_ASSERT_EQUAL(wish.clients, 100);
	CU_ASSERT_EQUAL(route("GET", "/status", "3", &wish), 200);
	CU_ASSERT_EQUAL(wish.clients, 3);
}

static void test_hosts(void)
{
	static const struct {
		const char *host;
		unsigned status;
	} cases[] = {{NULL, 200}, {"localhost", 200}, {"LocalHost:9900", 200},
		{"127.0.0.1", 200}, {"127.0.0.1:9900", 200},
		{"[::1]:9900", 200}, {"10.0.0.1:1", 200}, {"", 200},
		{"192.168.34.57", 200}, {"localhos", 421}, {"localhosts", 421},
		{"localhost.a.example", 421}, {"a.example:9900", 421},
		{"127.0.0.1.a.example", 421}, {"1a", 421}};
	struct lbp_admin_request request = {
		.method = "GET", .path = "/healthz", .is_local = true};
	struct lbp_admin_wish wish;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		request.host = cases[i].host;
		CU_ASSERT_EQUAL(
			lbp_admin_route(&request, &wish), cases[i].status);
		CU_ASSERT_EQUAL(wish.what, cases[i].status == 200
						   ? LBP_ADMIN_HEALTHZ
						   : LBP_ADMIN_NOTHING);
	}
	request.is_local = false;
	CU_ASSERT_EQUAL(lbp_admin_route(&request, &wish), 200);
}

static void test_local(void)
{
	static const char *const local[] = {
		"localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "::1"};
	static const char *const others[] = {"0.0.0.0", "::", "10.0.0.1", "127",
		"1270.a", "128.0.0.1", "::2", "localhost.a", "a.example",
		"1.127.0.1"};
	size_t i;

	for (i = 0; i < sizeof(local) / sizeof(*local); i++)
		CU_ASSERT_TRUE(lbp_admin_is_local(local[i]));
	for (i = 0; i < sizeof(others) / sizeof(*others); i++)
		CU_ASSERT_FALSE(lbp_admin_is_local(others[i]));
}

/* --- the socket --- */

#define GET    .method = "GET"
#define POST   .method = "POST"
#define SOCKET .is_control = true

static void test_control_is_not_of_the_port(void)
{
	static const char *const paths[] = {"/sessions", "/client", "/drain",
		"/resume", "/kill", "/reload"};
	struct lbp_admin_wish wish;
	size_t i;

	for (i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
		CU_ASSERT_EQUAL(route("GET", paths[i], NULL, &wish), 404);
		CU_ASSERT_EQUAL(route("POST", paths[i], NULL, &wish), 405);
	}
}

static void test_control(void)
{
	static const struct {
		struct lbp_admin_request request;
		unsigned status;
		enum lbp_admin_resource what;
	} cases[] = {
		{{GET, SOCKET, .path = "/healthz"}, 200, LBP_ADMIN_HEALTHZ},
		{{POST, SOCKET, .path = "/healthz"}, 405, 0},
		{{POST, SOCKET, .path = "/x"}, 404, 0},
		{{.method = "PUT", SOCKET, .path = "/reload"}, 405, 0},
		{{GET, SOCKET, .path = "/sessions"}, 200, LBP_ADMIN_SESSIONS},
		{{POST, SOCKET, .path = "/sessions"}, 405, 0},
		{{GET, SOCKET, .path = "/sessions", .app = "a"}, 400, 0},
		{{GET, SOCKET, .path = "/client", .app = "a", .client = "c"},
			200, LBP_ADMIN_CLIENT},
		{{GET, SOCKET, .path = "/client", .app = "a"}, 400, 0},
		{{GET, SOCKET, .path = "/client", .client = "c"}, 400, 0},
		{{POST, SOCKET, .path = "/drain", .app = "a", .upstream = "u"},
			200, LBP_ADMIN_DRAIN},
		{{GET, SOCKET, .path = "/drain", .app = "a", .upstream = "u"},
			405, 0},
		{{POST, SOCKET, .path = "/drain", .upstream = "u"}, 400, 0},
		{{POST, SOCKET, .path = "/drain", .app = "u"}, 400, 0},
		{{POST, SOCKET, .path = "/drain", .app = "a", .upstream = "u",
			 .client = "c"},
			400, 0},
		{{POST, SOCKET, .path = "/resume", .app = "a", .upstream = "u"},
			200, LBP_ADMIN_RESUME},
		{{POST, SOCKET, .path = "/resume"}, 400, 0},
		{{POST, SOCKET, .path = "/kill", .client = "c"}, 200,
			LBP_ADMIN_KILL},
		{{POST, SOCKET, .path = "/kill", .session = "1-2"}, 200,
			LBP_ADMIN_KILL},
		{{POST, SOCKET, .path = "/kill", .session = "1-2",
			 .client = "c"},
			400, 0},
		{{POST, SOCKET, .path = "/kill", .session = "1"}, 400, 0},
		{{POST, SOCKET, .path = "/kill", .session = "1-2", .app = "a"},
			400, 0},
		{{POST, SOCKET, .path = "/kill"}, 400, 0},
		{{POST, SOCKET, .path = "/reload"}, 200, LBP_ADMIN_RELOAD},
		{{GET, SOCKET, .path = "/reload"}, 405, 0},
		{{POST, SOCKET, .path = "/reload", .session = "1-2"}, 400, 0},
		{{POST, SOCKET, .path = "/reload", .clients = "x"}, 400, 0},
	};
	struct lbp_admin_wish wish;
	size_t i;

	for (i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		CU_ASSERT_EQUAL(lbp_admin_route(&cases[i].request, &wish),
			cases[i].status);
		CU_ASSERT_EQUAL(wish.what, cases[i].what);
	}
}

/* What a request says goes on, and of one that is refused nothing does. */
static void test_control_arguments(void)
{
	struct lbp_admin_request request = {
		POST, SOCKET, .path = "/drain", .app = "a", .upstream = "u"};
	struct lbp_admin_wish wish;

	CU_ASSERT_EQUAL(lbp_admin_route(&request, &wish), 200);
	CU_ASSERT_PTR_EQUAL(wish.app, request.app);
	CU_ASSERT_PTR_EQUAL(wish.upstream, request.upstream);
	CU_ASSERT_PTR_NULL(wish.client);
	CU_ASSERT_FALSE(wish.has_session);
	request = (struct lbp_admin_request){
		POST, SOCKET, .path = "/kill", .session = "3-17"};
	CU_ASSERT_EQUAL(lbp_admin_route(&request, &wish), 200);
	CU_ASSERT_TRUE(wish.has_session);
	CU_ASSERT_EQUAL(wish.session.worker, 3);
	CU_ASSERT_EQUAL(wish.session.number, 17);
	request.session = "3-17x";
	CU_ASSERT_EQUAL(lbp_admin_route(&request, &wish), 400);
	CU_ASSERT_FALSE(wish.has_session);
	request = (struct lbp_admin_request){
		POST, SOCKET, .path = "/kill", .client = "c"};
	CU_ASSERT_EQUAL(lbp_admin_route(&request, &wish), 200);
	CU_ASSERT_PTR_EQUAL(wish.client, request.client);
	CU_ASSERT_FALSE(wish.has_session);
}

/* The port ignores what it does not know of a query. */
static void test_arguments_of_others(void)
{
	const struct lbp_admin_request request = {
		GET, .path = "/status", .app = "a", .session = "x"};
	const struct lbp_admin_request control = {
		GET, SOCKET, .path = "/status", .client = "c"};
	struct lbp_admin_wish wish;

	CU_ASSERT_EQUAL(lbp_admin_route(&control, &wish), 200);
	CU_ASSERT_EQUAL(lbp_admin_route(&request, &wish), 200);
}

static void test_who_may(void)
{
	CU_ASSERT_TRUE(lbp_admin_may_control(0, 1000));
	CU_ASSERT_TRUE(lbp_admin_may_control(1000, 1000));
	CU_ASSERT_FALSE(lbp_admin_may_control(1001, 1000));
	CU_ASSERT_FALSE(lbp_admin_may_control(1000, 0));
}

static void test_time(void)
{
	const uint64_t now = 7 * LBP_NS_PER_S;

	CU_ASSERT_EQUAL(lbp_admin_close_due(0, now), LBP_NEVER);
	CU_ASSERT_EQUAL(lbp_admin_close_due(1, now), now + 10 * LBP_NS_PER_S);
	CU_ASSERT_EQUAL(lbp_admin_close_due(23, now), now + 10 * LBP_NS_PER_S);
}

static void test_room(void)
{
	CU_ASSERT_TRUE(lbp_admin_has_room(23));
	CU_ASSERT_FALSE(lbp_admin_has_room(24));
	CU_ASSERT_FALSE(lbp_admin_has_room(UINT32_MAX));
	CU_ASSERT_EQUAL(lbp_admin_close_due(24, 5), LBP_NS_PER_S + 5);
}

static void test_wait(void)
{
	const uint64_t now = 5 * LBP_NS_PER_S;

	CU_ASSERT_EQUAL(lbp_admin_wait_ms(now, LBP_NEVER, 0, UINT64_MAX), -1);
	CU_ASSERT_EQUAL(lbp_admin_wait_ms(now, now - 1, 0, UINT64_MAX), 0);
	CU_ASSERT_EQUAL(lbp_admin_wait_ms(now, now, 0, UINT64_MAX), 0);
	CU_ASSERT_EQUAL(lbp_admin_wait_ms(now, now + 1, 0, UINT64_MAX), 1);
	CU_ASSERT_EQUAL(
		lbp_admin_wait_ms(now, now + LBP_NS_PER_MS, 0, UINT64_MAX), 1);
	CU_ASSERT_EQUAL(
		lbp_admin_wait_ms(now, now + LBP_NS_PER_MS + 1, 0, UINT64_MAX),
		2);
	CU_ASSERT_EQUAL(
		lbp_admin_wait_ms(now, LBP_NEVER - 1, 0, UINT64_MAX), -1);
}

static void test_wait_for_less(void)
{
	const uint64_t now = 5 * LBP_NS_PER_S;
	const uint64_t later = now + LBP_NS_PER_S;

	CU_ASSERT_EQUAL(lbp_admin_wait_ms(now, later, 0, 999), 999);
	CU_ASSERT_EQUAL(lbp_admin_wait_ms(now, later, 0, 1001), 1000);
	CU_ASSERT_EQUAL(lbp_admin_wait_ms(now, LBP_NEVER, 0, 7), 7);
	CU_ASSERT_EQUAL(
		lbp_admin_wait_ms(now, LBP_NEVER, 0, 2147483646), 2147483646);
	CU_ASSERT_EQUAL(lbp_admin_wait_ms(now, LBP_NEVER, 0, 2147483647), -1);
	CU_ASSERT_EQUAL(
		lbp_admin_wait_ms(now, later, later - 1000001, UINT64_MAX),
		999);
	CU_ASSERT_EQUAL(
		lbp_admin_wait_ms(now, LBP_NEVER, later, UINT64_MAX), 1000);
	CU_ASSERT_EQUAL(lbp_admin_wait_ms(now, now + 1, later, UINT64_MAX), 1);
	/* It is past. */
	CU_ASSERT_EQUAL(lbp_admin_wait_ms(now, later, now, UINT64_MAX), 1000);
}

static void expect_readyz(bool is_starting, bool is_draining,
	const char *waits_for, unsigned status, const char *says)
{
	const struct lbp_admin_readiness readiness = {
		is_starting, is_draining, waits_for};
	char buf[LBP_ADMIN_SAYS_MAX];

	CU_ASSERT_EQUAL(lbp_admin_readyz(&readiness, buf), status);
	CU_ASSERT_STRING_EQUAL(buf, says);
}

static void test_readyz(void)
{
	expect_readyz(false, false, NULL, 200, "ready\n");
	expect_readyz(true, false, NULL, 503, "the server is starting\n");
	expect_readyz(
		false, false, "web", 503, "no upstream of app 'web' is up\n");
}

static void test_readyz_while_draining(void)
{
	expect_readyz(false, true, NULL, 503, "the server is draining\n");
	expect_readyz(false, true, "web", 503, "the server is draining\n");
	expect_readyz(true, true, NULL, 503, "the server is starting\n");
}

static void test_readyz_of_a_long_id(void)
{
	const struct lbp_admin_readiness readiness = {
		.waits_for = "0123456789abcdef0123456789abcdef0123456789abcdef0"
			     "123456789abcd"
			     "ef0123456789abcdef0123456789abcdef0123456789abcde"
			     "f0123456789"};
	char buf[LBP_ADMIN_SAYS_MAX];

	CU_ASSERT_EQUAL(lbp_admin_readyz(&readiness, buf), 503);
	CU_ASSERT_STRING_EQUAL(buf,
		"no upstream of app "
		"'0123456789abcdef0123456789abcdef0123456789abcdef0123456789abc"
		"def' is up\n");
}

void suite_admin(void)
{
	CU_pSuite suite = CU_add_suite("admin", NULL, NULL);

	CU_add_test(suite, "[ADM-1] what is found", test_routes);
	CU_add_test(suite, "[ADM-9] which hosts may be named", test_hosts);
	CU_add_test(suite, "[ADM-9] what is this machine's own", test_local);
	CU_add_test(suite, "[ADM-14] how many clients", test_clients);
	CU_add_test(suite, "[ADM-2] what /readyz says", test_readyz);
	CU_add_test(suite, "[ADM-2] an id that is too long is cut",
		test_readyz_of_a_long_id);
	CU_add_test(suite, "[ADM-3] what /readyz says in a drain",
		test_readyz_while_draining);
	CU_add_test(suite, "[ADM-5] other methods", test_methods);
	CU_add_test(suite, "[ADM-6] the time of a connection", test_time);
	CU_add_test(
		suite, "[ADM-6] how long to wait for the oldest", test_wait);
	CU_add_test(suite, "[ADM-7] how long to wait for what comes sooner",
		test_wait_for_less);
	CU_add_test(suite, "[CTL-7] commands are not of the port",
		test_control_is_not_of_the_port);
	CU_add_test(suite, "[CTL-7] what the socket has", test_control);
	CU_add_test(suite, "[CTL-7] what requests say", test_control_arguments);
	CU_add_test(suite, "[CTL-7] what they say of no use",
		test_arguments_of_others);
	CU_add_test(suite, "[CTL-4] who may use the socket", test_who_may);
	CU_add_test(suite, "[ADM-7] the number of connections", test_room);
}
