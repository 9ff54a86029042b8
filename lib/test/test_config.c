#include "server/config.h"

#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_texts.h"
#include "suites.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define MS           UINT64_C(1000000)
#define SECOND       (1000 * MS)
#define MINUTE       (60 * SECOND)
#define HOUR         (60 * MINUTE)

static bool is_text(const struct lbp_config_text *text, const char *want,
	uint32_t line, uint32_t column)
{
	return text->ptr != NULL && strcmp(text->ptr, want) == 0 &&
	       text->pos.line == line && text->pos.column == column;
}

static bool is_address(const struct lbp_config_address *address,
	const char *host, uint16_t port)
{
	return address->host != NULL && strcmp(address->host, host) == 0 &&
	       address->port == port;
}

static bool is_limits(const struct lbp_limits *limits, uint32_t concurrent,
	uint32_t connections, uint64_t window_ns)
{
	return limits->concurrent == concurrent &&
	       limits->connections == connections &&
	       limits->window_ns == window_ns;
}

static void contract_globals(const struct lbp_config *config)
{
	CU_ASSERT_EQUAL(config->workers, 2);
	CU_ASSERT_EQUAL(config->event_loop, LBP_EVENT_LOOP_AUTO);
	CU_ASSERT_EQUAL(config->max_connections, 400);
	CU_ASSERT(is_address(&config->admin, "127.0.0.1", 9900));
	CU_ASSERT_EQUAL(config->admin.pos.line, 6);
	CU_ASSERT(is_text(&config->certificate, "server.pem", 9, 15));
	CU_ASSERT(is_text(&config->private_key, "server.key", 10, 15));
	CU_ASSERT_EQUAL_FATAL(config->ca_len, 1);
	CU_ASSERT_PTR_NULL(config->cas[0].id.ptr);
	CU_ASSERT(is_text(&config->cas[0].file, "ca.pem", 11, 15));
	CU_ASSERT(is_text(&config->cas[0].crl, "ca.crl", 12, 15));
	CU_ASSERT_FALSE(config->cas[0].chain);
	CU_ASSERT_EQUAL(config->cas[0].number, 0);
	CU_ASSERT_EQUAL(config->min_version, LBP_TLS_1_2);
	CU_ASSERT(is_text(&config->ciphers,
		"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256", 14,
		16));
	CU_ASSERT(is_text(&config->ciphersuites,
		"TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384", 15, 16));
	CU_ASSERT_EQUAL(config->log_level, LBP_LOG_INFO);
	CU_ASSERT_EQUAL(config->handshake_ns, 5 * SECOND);
	CU_ASSERT_EQUAL(config->timeouts.connect_ns, 3 * SECOND);
	CU_ASSERT_EQUAL(config->timeouts.idle_ns, 10 * MINUTE);
	CU_ASSERT_EQUAL(config->drain_ns, 30 * SECOND);
}

static void contract_app(const struct lbp_config_app *app)
{
	const struct lbp_config_upstream *tcp = &app->upstreams[0];
	const struct lbp_config_upstream *tls = &app->upstreams[1];

	CU_ASSERT_STRING_EQUAL(app->id.ptr, "echo");
	CU_ASSERT_EQUAL(app->listen_len, 1);
	CU_ASSERT(is_address(&app->listen[0], "127.0.0.1", 9001));
	CU_ASSERT_FALSE(app->proxy_protocol);
	CU_ASSERT(is_limits(&app->limits, 100, 200, MINUTE));
	CU_ASSERT_TRUE(app->health.enabled);
	CU_ASSERT_EQUAL(app->health.interval_ns, 2 * SECOND);
	CU_ASSERT_EQUAL(app->health.timeout_ns, SECOND);
	CU_ASSERT_EQUAL(app->health.rise, 2);
	CU_ASSERT_EQUAL(app->health.fall, 3);
	CU_ASSERT_EQUAL_FATAL(app->upstream_len, 2);
	CU_ASSERT_STRING_EQUAL(tcp->url.ptr, "tcp://127.0.0.1:7001");
	CU_ASSERT(is_address(&tcp->address, "127.0.0.1", 7001));
	CU_ASSERT_FALSE(tcp->tls);
	CU_ASSERT_EQUAL(tcp->weight, 1);
	CU_ASSERT_PTR_NULL(tcp->ca.ptr);
	CU_ASSERT_PTR_NULL(tcp->server_name.ptr);
	CU_ASSERT(is_address(&tls->address, "127.0.0.1", 7443));
	CU_ASSERT_TRUE(tls->tls);
	CU_ASSERT_STRING_EQUAL(tls->ca.ptr, "upstream-ca.pem");
	CU_ASSERT_STRING_EQUAL(tls->server_name.ptr, "db.internal");
	CU_ASSERT_STRING_EQUAL(tls->certificate.ptr, "proxy-client.pem");
	CU_ASSERT_STRING_EQUAL(tls->private_key.ptr, "proxy-client.key");
}

static void test_contract(void)
{
	struct lbp_config *config = config_of(config_contract);
	const struct lbp_config_client *client;
	char serial[LBP_SERIAL_TEXT_MAX];

	CU_ASSERT_PTR_NOT_NULL_FATAL(config);
	contract_globals(config);
	CU_ASSERT_EQUAL_FATAL(config->app_len, 1);
	contract_app(&config->apps[0]);
	CU_ASSERT_EQUAL_FATAL(config->client_len, 1);
	client = &config->clients[0];
	CU_ASSERT_STRING_EQUAL(client->id.ptr, "alice");
	CU_ASSERT_EQUAL_FATAL(client->serial_len, 1);
	(void)lbp_serial_format(&client->serials[0].serial, serial);
	CU_ASSERT_STRING_EQUAL(serial, "1A:2B:3C");
	CU_ASSERT_EQUAL_FATAL(client->grant_len, 1);
	CU_ASSERT_EQUAL(client->grants[0].app, 0);
	CU_ASSERT(is_limits(&client->grants[0].limits, 5, 200, MINUTE));
	lbp_config_free(config);
	lbp_config_free(NULL);
}

static void test_defaults(void)
{
	struct lbp_config *config = config_of(TLS APP);
	const struct lbp_config_app *app;

	CU_ASSERT_PTR_NOT_NULL_FATAL(config);
	CU_ASSERT_EQUAL(config->workers, 0);
	CU_ASSERT_EQUAL(config->event_loop, LBP_EVENT_LOOP_AUTO);
	CU_ASSERT_EQUAL(config->max_handshakes, 256);
	CU_ASSERT_STRING_EQUAL(config->groups.ptr, "X25519:P-256");
	CU_ASSERT_EQUAL(config->groups.pos.line, 0);
	CU_ASSERT_EQUAL(config->apps[0].unclean_end, LBP_UNCLEAN_RESET);
	CU_ASSERT_EQUAL(config->max_connections, 400);
	CU_ASSERT_PTR_NULL(config->admin.host);
	CU_ASSERT_PTR_NULL(config->cas[0].crl.ptr);
	CU_ASSERT_EQUAL(config->min_version, LBP_TLS_1_2);
	CU_ASSERT_PTR_NULL(config->ciphers.ptr);
	CU_ASSERT_PTR_NULL(config->ciphersuites.ptr);
	CU_ASSERT_EQUAL(config->log_level, LBP_LOG_INFO);
	CU_ASSERT_EQUAL(config->handshake_ns, 5 * SECOND);
	CU_ASSERT_EQUAL(config->timeouts.connect_ns, 3 * SECOND);
	CU_ASSERT_EQUAL(config->timeouts.idle_ns, 10 * MINUTE);
	CU_ASSERT_EQUAL(config->timeouts.lifetime_ns, 0);
	CU_ASSERT_EQUAL(config->keepalive_ns, MINUTE);
	CU_ASSERT_EQUAL(config->resolve_ns, 30 * SECOND);
	CU_ASSERT_EQUAL(config->watch_ns, 0);
	CU_ASSERT_EQUAL(config->drain_delay_ns, 0);
	CU_ASSERT_EQUAL(config->drain_ns, 30 * SECOND);
	CU_ASSERT_EQUAL(config->client_len, 0);
	app = &config->apps[0];
	CU_ASSERT_FALSE(app->proxy_protocol);
	CU_ASSERT(is_limits(&app->limits, 0, 0, MINUTE));
	CU_ASSERT_TRUE(app->health.enabled);
	CU_ASSERT_EQUAL(app->health.interval_ns, 2 * SECOND);
	CU_ASSERT_EQUAL(app->health.timeout_ns, SECOND);
	CU_ASSERT_EQUAL(app->health.rise, 2);
	CU_ASSERT_EQUAL(app->health.fall, 3);
	CU_ASSERT_EQUAL(app->upstreams[0].weight, 1);
	lbp_config_free(config);
}

static void test_bounds(void)
{
	struct lbp_config *config = config_of(
		"[server]\nworkers = 256\nmax_connections = 1000000\n"
		"max_handshakes = 1000000\n"
		"event_loop = \"epoll\"\n[log]\nlevel = \"debug\"\n"
		"[timeouts]\nidle = \"8760h\"\nconnect = \"1ms\"\n" TLS
		"min_version = \"1.3\"\n" APP "weight = 256\n"
		"[app.limits]\nconcurrent = 1000000\nconnections = 1000000\n"
		"window = \"1ms\"\n[app.health]\nenabled = false\n"
		"rise = 1000\nfall = 1000\n");

	CU_ASSERT_PTR_NOT_NULL_FATAL(config);
	CU_ASSERT_EQUAL(config->workers, 256);
	CU_ASSERT_EQUAL(config->max_connections, 1000000);
	CU_ASSERT_EQUAL(config->max_handshakes, 1000000);
	CU_ASSERT_EQUAL(config->event_loop, LBP_EVENT_LOOP_EPOLL);
	CU_ASSERT_EQUAL(config->log_level, LBP_LOG_DEBUG);
	CU_ASSERT_EQUAL(config->timeouts.idle_ns, 8760 * HOUR);
	CU_ASSERT_EQUAL(config->timeouts.connect_ns, MS);
	CU_ASSERT_EQUAL(config->min_version, LBP_TLS_1_3);
	CU_ASSERT_EQUAL(config->apps[0].upstreams[0].weight, 256);
	CU_ASSERT(is_limits(&config->apps[0].limits, 1000000, 1000000, MS));
	CU_ASSERT_FALSE(config->apps[0].health.enabled);
	CU_ASSERT_EQUAL(config->apps[0].health.rise, 1000);
	CU_ASSERT_EQUAL(config->apps[0].health.fall, 1000);
	lbp_config_free(config);
}

static void test_durations(void)
{
	static const struct {
		const char *text;
		enum lbp_err err;
		uint64_t ns;
	} cases[] = {
		{"1ms", LBP_OK, MS},
		{"250ms", LBP_OK, 250 * MS},
		{"5s", LBP_OK, 5 * SECOND},
		{"007s", LBP_OK, 7 * SECOND},
		{"10m", LBP_OK, 10 * MINUTE},
		{"2h", LBP_OK, 2 * HOUR},
		{"8760h", LBP_OK, 8760 * HOUR},
		{"525600m", LBP_OK, 8760 * HOUR},
		{"31536000s", LBP_OK, 8760 * HOUR},
		{"31536000000ms", LBP_OK, 8760 * HOUR},
		{"0ms", LBP_ERR_RANGE, 7},
		{"0h", LBP_ERR_RANGE, 7},
		{"8761h", LBP_ERR_RANGE, 7},
		{"525601m", LBP_ERR_RANGE, 7},
		{"31536001s", LBP_ERR_RANGE, 7},
		{"31536000001ms", LBP_ERR_RANGE, 7},
		{"18446744073709551617ms", LBP_ERR_RANGE, 7},
		{"", LBP_ERR_SYNTAX, 7},
		{"s", LBP_ERR_SYNTAX, 7},
		{"5", LBP_ERR_SYNTAX, 7},
		{"5sm", LBP_ERR_SYNTAX, 7},
		{"5sh", LBP_ERR_SYNTAX, 7},
		{"5m ", LBP_ERR_SYNTAX, 7},
		{"5M", LBP_ERR_SYNTAX, 7},
		{"5d", LBP_ERR_SYNTAX, 7},
		{"+5s", LBP_ERR_SYNTAX, 7},
		{"-5s", LBP_ERR_SYNTAX, 7},
		{" 5s", LBP_ERR_SYNTAX, 7},
		{"5 s", LBP_ERR_SYNTAX, 7},
		{"1.5s", LBP_ERR_SYNTAX, 7},
		{"1m30s", LBP_ERR_SYNTAX, 7},
		{"5mss", LBP_ERR_SYNTAX, 7},
		{"5xs", LBP_ERR_SYNTAX, 7},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		uint64_t ns = 7;

		CU_ASSERT_EQUAL(lbp_duration_parse(&ns, cases[i].text,
					strlen(cases[i].text)),
			cases[i].err);
		CU_ASSERT_EQUAL(ns, cases[i].ns);
	}
}

static void test_addresses(void)
{
	static const struct {
		const char *text;
		const char *host;
		uint16_t port;
	} cases[] = {
		{"0.0.0.0:1", "0.0.0.0", 1},
		{"255.255.255.255:65535", "255.255.255.255", 65535},
		{"[::]:80", "::", 80},
		{"[2001:DB8::1]:80", "2001:DB8::1", 80},
		{"[::ffff:1.2.3.4]:80", "::ffff:1.2.3.4", 80},
		{"localhost:10", "localhost", 10},
		{"A-b_c.Example.COM:99", "A-b_c.Example.COM", 99},
		{"_:1", "_", 1},
		{"1.2.3.4a:1", "1.2.3.4a", 1},
		{"0x7g.1:1", "0x7g.1", 1},
		{"x1.2:1", "x1.2", 1},
		{"a12345678901234567890123456789012345678901234567890123456"
		 "789012:1",
			"a1234567890123456789012345678901234567890123456789"
			"0123456789012",
			1},
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct text text = {0};
		struct lbp_config *config;

		text_add(&text, "[server]\nadmin = \"%s\"\n" TLS APP,
			cases[i].text);
		config = config_of_text(text.ptr, text.len);
		CU_ASSERT_PTR_NOT_NULL_FATAL(config);
		CU_ASSERT(is_address(
			&config->admin, cases[i].host, cases[i].port));
		lbp_config_free(config);
		free(text.ptr);
	}
}

static void test_admin_socket(void)
{
	struct lbp_config *config =
		config_of("[server]\nadmin_socket = \"run/a.sock\"\n" TLS APP);

	CU_ASSERT_PTR_NOT_NULL_FATAL(config);
	CU_ASSERT(is_text(&config->admin_socket, "run/a.sock", 2, 16));
	lbp_config_free(config);
	config = config_of(TLS APP);
	CU_ASSERT_PTR_NOT_NULL_FATAL(config);
	CU_ASSERT_PTR_NULL(config->admin_socket.ptr);
	lbp_config_free(config);
}

static void test_long_name(void)
{
	struct text text = {0};
	struct lbp_config *config;

	text_add(&text, TLS "[server]\nadmin = \"");
	for (int i = 0; i < 126; i++)
		text_add(&text, "a.");
	text_add(&text, "a:1\"\n" APP);
	config = config_of_text(text.ptr, text.len);
	CU_ASSERT_PTR_NOT_NULL_FATAL(config);
	CU_ASSERT_EQUAL(strlen(config->admin.host), 253);
	lbp_config_free(config);
	free(text.ptr);
}

static void test_ids(void)
{
	struct text text = {0};
	struct lbp_config *config;
	char id[LBP_ID_MAX + 1] = "";

	for (size_t at = 0, c = '!'; c <= '~'; c++) {
		if (c != '"' && c != '\\' && at < LBP_ID_MAX)
			id[at++] = (char)c;
	}
	text_add(&text, TLS APP "[[app]]\nid = \"%s\"\nlisten = [\"h:2\"]\n",
		id);
	text_add(&text, "[[app.upstream]]\nurl = \"tcp://h:1\"\n");
	text_add(&text,
		"[[client]]\nid = \"~}|{zyxwvutsrqponmlkjihgfedcba`\"\n");
	text_add(&text, "serials = [\"1\"]\napps = [\"%s\"]\n", id);
	config = config_of_text(text.ptr, text.len);
	CU_ASSERT_PTR_NOT_NULL_FATAL(config);
	CU_ASSERT_EQUAL(strlen(config->apps[1].id.ptr), LBP_ID_MAX);
	CU_ASSERT_EQUAL(config->clients[0].grants[0].app, 1);
	lbp_config_free(config);
	free(text.ptr);
}

static void test_server_name(void)
{
	struct lbp_config *config = config_of(
		TLS "[[app]]\nid = \"e\"\nlisten = [\"h:1\"]\n"
		    "[[app.upstream]]\nurl = \"tls://[::1]:1\"\nca = \"c\"\n"
		    "[[app.upstream]]\nurl = \"tcp://[::1]:1\"\n"
		    "[[app.upstream]]\nurl = \"tls://Db:1\"\nca = \"c\"\n"
		    "server_name = \"::2\"\n");
	const struct lbp_config_upstream *upstreams;

	CU_ASSERT_PTR_NOT_NULL_FATAL(config);
	upstreams = config->apps[0].upstreams;
	CU_ASSERT_STRING_EQUAL(upstreams[0].server_name.ptr, "::1");
	CU_ASSERT_EQUAL(upstreams[0].server_name.pos.line, 0);
	CU_ASSERT(is_address(&upstreams[2].address, "Db", 1));
	CU_ASSERT_STRING_EQUAL(upstreams[2].server_name.ptr, "::2");
	lbp_config_free(config);
}

static void test_overrides(void)
{
	struct lbp_config *config = config_of(
		TLS "[[app]]\nid = \"a\"\nlisten = [\"h:1\"]\n"
		    "limits = { concurrent = 1, connections = 2 }\n"
		    "upstream = [{ url = \"tcp://h:1\" }]\n"
		    "[[app]]\nid = \"b\"\nlisten = [\"h:2\"]\n"
		    "upstream = [{ url = \"tcp://h:1\" }]\n"
		    "[[client]]\nid = \"x\"\nserials = [\"1\"]\n"
		    "limits.a.window = \"2s\"\nlimits.b.connections = 9\n"
		    "apps = [\"b\", \"a\"]\n"
		    "[[client]]\nid = \"y\"\nserials = [\"2\", \"3\"]\n"
		    "apps = [\"a\"]\n");
	const struct lbp_config_grant *grants;

	CU_ASSERT_PTR_NOT_NULL_FATAL(config);
	grants = config->clients[0].grants;
	CU_ASSERT_EQUAL_FATAL(config->clients[0].grant_len, 2);
	CU_ASSERT_EQUAL(grants[0].app, 1);
	CU_ASSERT(is_limits(&grants[0].limits, 0, 9, MINUTE));
	CU_ASSERT_EQUAL(grants[1].app, 0);
	CU_ASSERT(is_limits(&grants[1].limits, 1, 2, 2 * SECOND));
	CU_ASSERT_EQUAL(config->clients[1].serial_len, 2);
	CU_ASSERT(
		is_limits(&config->clients[1].grants[0].limits, 1, 2, MINUTE));
	lbp_config_free(config);
}

/* Errors in the opposite order of the tables in which they are found. */
static void test_order(void)
{
	static const char text[] = "[[client]]\nx = 1\n[log]\nlevel = 1\n"
				   "[server]\nworkers = 0\nbad = 1\n";
	static const struct lbp_config_pos places[] = {{1, 1, 0}, {1, 1, 0},
		{1, 1, 0}, {1, 1, 0}, {1, 1, 0}, {2, 1, 0}, {4, 9, 0},
		{6, 11, 0}, {7, 1, 0}};
	struct lbp_config_errors errors;
	struct lbp_config *config;

	CU_ASSERT_EQUAL(
		lbp_config_parse(text, sizeof(text) - 1, &config, &errors),
		LBP_ERR_SYNTAX);
	CU_ASSERT_EQUAL_FATAL(errors.len, COUNT(places));
	for (size_t i = 0; i < errors.len; i++) {
		CU_ASSERT_EQUAL(errors.items[i].pos.line, places[i].line);
		CU_ASSERT_EQUAL(errors.items[i].pos.column, places[i].column);
	}
	lbp_config_errors_release(&errors);
}

static void test_syntax_error(void)
{
	static const char text[] = "bad = 1\n[server]\nworkers = \x7f\n";

	config_has_error(text, sizeof(text) - 1, 3, 11, "");
	config_has_error("a = \xff", 5, 1, 5, "");
}

static void test_messages(void)
{
	struct lbp_config_errors errors;
	struct lbp_config *config;
	struct text text = {0};

	text_add(&text, TLS APP);
	for (int i = 0; i < 64; i++) {
		text_add(&text, "[[app]]\nlisten = [\"h:%d\"]\n", i + 2);
		text_add(
			&text, "upstream = [{ url = \"tcp://h:1\" }]\nid = \"");
		for (int j = 0; j < 60; j++)
			text_add(&text, "\\u202e");
		text_add(&text, "%d\"\n", i);
	}
	text_add(&text,
		"[[client]]\nid = \"\xf0\x9f\x98\x80\"\nserials = [\"1\"]\n"
		"apps = [\"q\"]\n");
	CU_ASSERT_EQUAL(lbp_config_parse(text.ptr, text.len, &config, &errors),
		LBP_ERR_SYNTAX);
	CU_ASSERT_EQUAL(errors.len, 64 + 1);
	for (size_t i = 0; i < errors.len; i++) {
		size_t len = strlen(errors.items[i].message);

		CU_ASSERT(len > 0 && len <= 511);
		for (size_t j = 0; j < len; j++)
			CU_ASSERT(errors.items[i].message[j] >= ' ' &&
				  errors.items[i].message[j] <= '~');
	}
	CU_ASSERT_PTR_NOT_NULL(
		strstr(errors.items[errors.len - 1].message, "'\\U0001F600'"));
	lbp_config_errors_release(&errors);
	free(text.ptr);
}

#define ECHO     "[[app]]\nid='e'\nlisten=['127.0.0.1:1']\n"
#define UPSTREAM "[[app.upstream]]\nurl='tcp://a:1'\n"
#define CLIENT   "[[client]]\nid='al'\nserials=['1']\napps=['e']\n"

/* Every error of a text, whole. */
static void expect_errors(const char *text, const char *want)
{
	struct lbp_config_errors errors;
	struct lbp_config *config;
	struct text got = {0};

	CU_ASSERT_EQUAL(lbp_config_parse(text, strlen(text), &config, &errors),
		LBP_ERR_SYNTAX);
	CU_ASSERT_PTR_NULL(config);
	for (size_t i = 0; i < errors.len; i++)
		text_add(&got, "%u:%u: %s\n", errors.items[i].pos.line,
			errors.items[i].pos.column, errors.items[i].message);
	CU_ASSERT_PTR_NOT_NULL_FATAL(got.ptr);
	CU_ASSERT_STRING_EQUAL(got.ptr, want);
	lbp_config_errors_release(&errors);
	free(got.ptr);
}

static void test_whole_messages(void)
{
	static const struct {
		const char *text;
		const char *errors;
	} rows[] = {
		{"[server]\nevent_loop='poll'\n" TLS ECHO UPSTREAM,
			"2:12: server.event_loop must be \"auto\", \"select\" "
			"or \"epoll\", not 'poll'\n"},
		{"[server]\nevent_loop=1\n" TLS ECHO UPSTREAM,
			"2:12: server.event_loop must be \"auto\", \"select\" "
			"or \"epoll\", not an integer\n"},
		{"[log]\nlevel='loud'\n" TLS ECHO UPSTREAM,
			"2:7: log.level must be \"error\", \"warn\", \"info\" "
			"or \"debug\", not 'loud'\n"},
		{"[server]\nworkers=0\n" TLS ECHO UPSTREAM,
			"2:9: server.workers must be an integer from 1 to 256, "
			"not 0\n"},
		{"[server]\nworkers='x'\n" TLS ECHO UPSTREAM,
			"2:9: server.workers must be an integer from 1 to 256, "
			"not a string\n"},
		{"[server]\nwokrers=1\n" TLS ECHO UPSTREAM,
			"2:1: unknown key 'server.wokrers'; did you mean "
			"'workers'? accepted: workers, event_loop, "
			"max_connections, max_handshakes, admin, admin_socket, "
			"watch\n"},
		{"[server]\nq=1\n" TLS ECHO UPSTREAM,
			"2:1: unknown key 'server.q'; accepted: workers, "
			"event_loop, max_connections, max_handshakes, "
			"admin, admin_socket, watch\n"},
		{"[timeouts]\nidle='5x'\n" TLS ECHO UPSTREAM,
			"2:6: timeouts.idle must be a duration from \"1ms\" to "
			"\"8760h\": an integer and ms, s, m or h, or \"off\", "
			"not '5x'\n"},
		{"[timeouts]\nidle='ofg'\n" TLS ECHO UPSTREAM,
			"2:6: timeouts.idle must be a duration from \"1ms\" to "
			"\"8760h\": an integer and ms, s, m or h, or \"off\", "
			"not 'ofg'\n"},
		{"[timeouts]\nidle=5\n" TLS ECHO UPSTREAM,
			"2:6: timeouts.idle must be a duration from \"1ms\" to "
			"\"8760h\": an integer and ms, s, m or h, or \"off\", "
			"not an integer\n"},
		{TLS ECHO UPSTREAM
			"[[client]]\nid='al'\nserials=['1G']\napps=['e']\n",
			"12:10: client.serials must be an array of one or more "
			"serial numbers, each hex like \"1A:2B:3C\", positive "
			"and at most 20 octets, not '1G': it is not pairs of "
			"hex digits\n"},
		{TLS ECHO UPSTREAM
			"[[client]]\nid='al'\nserials=['0']\napps=['e']\n",
			"12:10: client.serials must be an array of one or more "
			"serial numbers, each hex like \"1A:2B:3C\", positive "
			"and at most 20 octets, not '0': it is zero or longer "
			"than 20 octets\n"},
		{TLS ECHO UPSTREAM
			"[[client]]\nid='al'\nserials=[]\napps=['e']\n",
			"12:9: client.serials must be an array of one or more "
			"serial numbers, each hex like \"1A:2B:3C\", positive "
			"and at most 20 octets, not empty\n"},
		{TLS ECHO UPSTREAM
			"[[client]]\nid='al'\nserials='1'\napps=['e']\n",
			"12:9: client.serials must be an array of one or more "
			"serial numbers, each hex like \"1A:2B:3C\", positive "
			"and at most 20 octets, not a string\n"},
		{TLS ECHO UPSTREAM
			"[[client]]\nid='al'\nserials=[1]\napps=['e']\n",
			"12:10: client.serials must be an array of one or more "
			"serial numbers, each hex like \"1A:2B:3C\", positive "
			"and at most 20 octets, not an integer\n"},
		{TLS ECHO UPSTREAM
			"[[client]]\nid='al'\nserials=['1']\napps=['f']\n",
			"13:7: client.apps: no app has the id 'f'; did you "
			"mean 'e'? accepted: e\n"},
		{TLS ECHO UPSTREAM
			"[[client]]\nid='al'\nserials=['1']\napps=['e','e']\n",
			"13:11: client.apps 'e' is already on line 13 "
			"(client.apps) and must be unique\n"},
		{TLS ECHO UPSTREAM CLIENT
			"[[client]]\nid='al'\nserials=['2']\napps=['e']\n",
			"15:4: client.id 'al' is already on line 11 "
			"(client.id) and must be unique\n"},
		{TLS ECHO UPSTREAM CLIENT
			"[[client]]\nid='bo'\nserials=['01']\napps=['e']\n",
			"16:10: client.serials '01' is already on line 12 "
			"(client.serials) and must be unique\n"},
		{TLS "[[app]]\nid='e'\nlisten=[':1']\n" UPSTREAM,
			"7:9: app.listen must be an array of one or more "
			"\"host:port\", IPv6 in brackets, not ':1': the host "
			"is empty\n"},
		{TLS "[[app]]\nid='e'\nlisten=['[::1]:0']\n" UPSTREAM,
			"7:9: app.listen must be an array of one or more "
			"\"host:port\", IPv6 in brackets, not '[::1]:0': the "
			"port is not 1 to 65535\n"},
		{TLS "[[app]]\nid='e'\nlisten=['a']\n" UPSTREAM,
			"7:9: app.listen must be an array of one or more "
			"\"host:port\", IPv6 in brackets, not 'a': the port is "
			"missing\n"},
		{TLS "[[app]]\nid='e'\nlisten=['1.2.3.256:1']\n" UPSTREAM,
			"7:9: app.listen must be an array of one or more "
			"\"host:port\", IPv6 in brackets, not '1.2.3.256:1': "
			"the IPv4 address is not valid\n"},
		{TLS ECHO "[[app.upstream]]\nurl='tcp:/a:1'\n",
			"9:5: app.upstream.url must be \"tcp://host:port\", "
			"\"tls://host:port\" (IPv6 in brackets) or "
			"\"unix:/path\", not 'tcp:/a:1': it does not start "
			"with "
			"tcp://, tls:// or unix:\n"},
		{TLS ECHO "[[app.upstream]]\nurl='tcp://'\n",
			"9:5: app.upstream.url must be \"tcp://host:port\", "
			"\"tls://host:port\" (IPv6 in brackets) or "
			"\"unix:/path\", not 'tcp://': the host is empty\n"},
		{TLS ECHO "[[app.upstream]]\nurl='udp://a:1'\n",
			"9:5: app.upstream.url must be \"tcp://host:port\", "
			"\"tls://host:port\" (IPv6 in brackets) or "
			"\"unix:/path\", not 'udp://a:1': it does not start "
			"with "
			"tcp://, tls:// or unix:\n"},
		{TLS ECHO "[[app.upstream]]\nurl='tls://a:1'\n",
			"8:1: app.upstream.ca is required with a tls:// url: "
			"the path of the PEM file with the upstream's CA\n"},
		{TLS ECHO UPSTREAM "weight=257\n",
			"10:8: app.upstream.weight must be an integer from 1 "
			"to 256, not 257\n"},
		{TLS ECHO UPSTREAM "ca='x'\n",
			"10:1: app.upstream.ca is accepted only with a tls:// "
			"url, and this one is tcp://\n"},
		{TLS ECHO, "5:1: app.upstream is required: 1 to 1024 tables, "
			   "[[app.upstream]]\n"},
		{"[tls]\ncertificate='c'\nprivate_key='k'\n" ECHO UPSTREAM,
			"1:1: tls.client_ca is required: the path of the PEM "
			"file with the one CA that issues every client "
			"certificate, or 1 to 16 tables, [[tls.client_ca]]\n"},
		{TLS ECHO ECHO UPSTREAM,
			"5:1: app.upstream is required: 1 to 1024 tables, "
			"[[app.upstream]]\n9:4: app.id 'e' is already on line "
			"6 (app.id) and must be unique\n10:9: app.listen "
			"'127.0.0.1:1' is already on line 7 (app.listen) and "
			"must be unique\n"},
		{TLS "[[app]]\nid=\"\\u00e9\\U0001F600\"\nlisten=['127.0.0.1:1'"
		     "]\n" UPSTREAM,
			"6:4: app.id must be a unique name of 1 to 64 "
			"printable ASCII characters, no space, '\"' or '\\', "
			"not '\\u00E9\\U0001F600': it has a character that is "
			"not printable ASCII\n"},
		{TLS "[[app]]\nid=''\nlisten=['127.0.0.1:1']\n" UPSTREAM,
			"6:4: app.id must be a unique name of 1 to 64 "
			"printable ASCII characters, no space, '\"' or '\\', "
			"not '': it is empty\n"},
		{TLS ECHO UPSTREAM "[appp]\n",
			"10:2: unknown key 'appp'; did you mean 'app'? "
			"accepted: include, server, tls, log, timeouts, app, "
			"client\n"},
		{TLS "app=1\n",
			"1:1: app is required: 1 to 1024 tables, [[app]]\n5:1: "
			"unknown key 'tls.app'; accepted: certificate, "
			"private_key, client_ca, crl, min_version, "
			"expired_sessions, ciphers, "
			"ciphersuites, groups\n"},
		{TLS ECHO UPSTREAM CLIENT "[client.limits.f]\n",
			"14:16: client.limits: 'f' is not one of this client's "
			"apps; did you mean 'e'? accepted: e\n"},
		{TLS ECHO UPSTREAM CLIENT "[client.limits.e]\nconcurent=1\n",
			"15:1: unknown key 'client.limits.e.concurent'; did "
			"you mean 'concurrent'? accepted: concurrent, "
			"connections, window\n"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		expect_errors(rows[i].text, rows[i].errors);
}

/* Different in one part only, so all of them may be in one configuration. */
static void test_not_twice(void)
{
	struct lbp_config *config = config_of(
		"[server]\nadmin = \"h:9\"\n" TLS
		"[[app]]\nid = \"e\"\nlisten = [\"h:1\", \"h:2\", \"g:1\","
		" \"1.2.3.4:1\", \"[::1.2.3.4]:1\", \"[::ffff:1.2.3.4]:1\"]\n"
		"[[app.upstream]]\nurl = \"tcp://h:1\"\n"
		"[[app.upstream]]\nurl = \"tls://h:1\"\nca = \"c\"\n"
		"[[app]]\nid = \"E\"\nlisten = [\"h:258\", \"h:513\"]\n"
		"[[app.upstream]]\nurl = \"tcp://h:1\"\n"
		"[[client]]\nid = \"e\"\nserials = [\"1\", \"0100\"]\n"
		"apps = [\"e\", \"E\"]\n[[client]]\nid = \"E\"\n"
		"serials = [\"10\"]\napps = [\"e\"]\n");

	CU_ASSERT_PTR_NOT_NULL_FATAL(config);
	CU_ASSERT_EQUAL(config->app_len, 2);
	CU_ASSERT_EQUAL(config->client_len, 2);
	CU_ASSERT_EQUAL(config->clients[0].grants[1].app, 1);
	lbp_config_free(config);
}

void suite_config(void)
{
	static const struct {
		const char *name;
		CU_TestFunc run;
	} tests[] = {
		{"[CFG-1] the contract's example loads as it stands",
			test_contract},
		{"[CFG-20][CFG-21][CFG-22][CFG-23][CFG-24][CFG-25][CFG-26]"
		 "[CFG-27][CFG-29] defaults",
			test_defaults},
		{"[CFG-20][CFG-21][CFG-22][CFG-23][CFG-25][CFG-26][CFG-27] "
		 "the largest values",
			test_bounds},
		{"[CFG-3] durations", test_durations},
		{"[CFG-4][CFG-5][CFG-41] addresses", test_addresses},
		{"[CFG-41] the longest name", test_long_name},
		{"[CFG-20] the admin socket", test_admin_socket},
		{"[CFG-7] ids of every character", test_ids},
		{"[CFG-6][CFG-27] the server name is the url's host",
			test_server_name},
		{"[CFG-30][CFG-31] a client's limits go over the app's",
			test_overrides},
		{"[CFG-2] errors are in the order of their places", test_order},
		{"[CFG-1] a syntax error is the only error", test_syntax_error},
		{"[CFG-13] a message is one printable line", test_messages},
		{"[CFG-6][CFG-9][CFG-10][CFG-11][CFG-12][CFG-14][CFG-28]"
		 "[CFG-31][CFG-44] messages, word by word",
			test_whole_messages},
		{"[CFG-45] what is different is not twice", test_not_twice},
	};
	CU_pSuite suite = CU_add_suite("config", NULL, NULL);

	for (size_t i = 0; i < COUNT(tests); i++)
		CU_add_test(suite, tests[i].name, tests[i].run);
}
