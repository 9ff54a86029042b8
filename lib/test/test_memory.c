#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_texts.h"
#include "server/memory.h"
#include "server/sources_state.h"
#include "session.h"
#include "suites.h"

#define KIB 1024
#define MIB (1024 * 1024)

#define SESSION     (330 * KIB)
#define SESSION_TLS (506 * KIB)
#define HANDSHAKE   (82 * KIB)

static struct lbp_config *parse(void)
{
	static const char text[] =
		"[server]\nmax_connections = 100\n"
		"[tls]\ncertificate = 'c'\nprivate_key = 'k'\nclient_ca = 'a'\n"
		"[[app]]\nid = 'web'\nlisten = ['127.0.0.1:1']\n"
		"[[app.upstream]]\nurl = 'tcp://a:1'\n"
		"[[app.upstream]]\nurl = 'tcp://b:1'\n"
		"[[app]]\nid = 'db'\nlisten = ['127.0.0.1:2']\n"
		"limits = { connections = 7 }\n"
		"[app.health]\nenabled = false\n"
		"[[app.upstream]]\nurl = 'tcp://c:1'\n"
		"[[client]]\nid = 'x'\nserials = ['1', '2']\napps = ['web']\n"
		"[[client]]\nid = 'y'\nuris = ['u:1', 'u:2', 'u:3']\n"
		"dns = ['a', 'b', 'c', 'd']\napps = ['web', 'db']\n";

	return config_of(text);
}

static const struct lbp_memory_facts facts = {.workers = 2,
	.handshakes = 30,
	.listeners = 3,
	.text_bytes = 1000,
	.file_bytes = 100};

static uint64_t total_of(const struct lbp_memory *memory)
{
	uint64_t n = 0;

	for (size_t i = 0; i < LBP_MEMORY_PARTS; i++)
		n += memory->parts[i];
	return n;
}

static void a_session_has_two_rings_and_tls(void)
{
	struct lbp_config *config = parse();
	struct lbp_memory memory;

	lbp_memory_bound(&memory, config, &facts);
	CU_ASSERT_EQUAL(memory.session, (2 + 2 * 64 + 176 + 24) * KIB);
	CU_ASSERT_EQUAL(memory.session_tls, (2 + 2 * 64 + 2 * 176 + 24) * KIB);
	CU_ASSERT_TRUE(lbp_session_size() <= LBP_MEMORY_STATE);
	lbp_config_free(config);
}

static void a_handshake_has_room_for_certificates(void)
{
	struct lbp_config *config = parse();
	struct lbp_memory memory;

	lbp_memory_bound(&memory, config, &facts);
	/* As many as a client may send, a third more, and a record. */
	CU_ASSERT_TRUE(memory.handshake > (16384 + 4 + 3) / 3 * 4 + 16384);
	CU_ASSERT_EQUAL(memory.handshake, HANDSHAKE);
	lbp_config_free(config);
}

static void what_comes_and_goes_has_a_reserve(void)
{
	struct lbp_config *config = parse();
	struct lbp_memory memory;

	lbp_memory_bound(&memory, config, &facts);
	CU_ASSERT_EQUAL(memory.connections, 100);
	CU_ASSERT_EQUAL(memory.handshakes, 30 + 2 * 8);
	CU_ASSERT_EQUAL(memory.parts[LBP_MEMORY_SESSIONS], 100 * SESSION);
	CU_ASSERT_EQUAL(memory.parts[LBP_MEMORY_HANDSHAKES], 46 * HANDSHAKE);
	CU_ASSERT_EQUAL(memory.parts[LBP_MEMORY_RESERVE],
		(100 * SESSION + 46 * HANDSHAKE) / 8);
	CU_ASSERT_EQUAL(memory.total, total_of(&memory));
	/* The last upstream of the last app is enough. */
	config->apps[1].upstreams[0].tls = true;
	lbp_memory_bound(&memory, config, &facts);
	CU_ASSERT_EQUAL(memory.parts[LBP_MEMORY_SESSIONS], 100 * SESSION_TLS);
	CU_ASSERT_EQUAL(memory.total, total_of(&memory));
	config->app_len = 1;
	lbp_memory_bound(&memory, config, &facts);
	CU_ASSERT_EQUAL(memory.parts[LBP_MEMORY_SESSIONS], 100 * SESSION);
	config->apps[0].upstreams[1].tls = true;
	lbp_memory_bound(&memory, config, &facts);
	CU_ASSERT_EQUAL(memory.parts[LBP_MEMORY_SESSIONS], 100 * SESSION_TLS);
	config->app_len = 2;
	lbp_config_free(config);
}

static uint64_t place_size(void)
{
	return sizeof(struct lbp_sources_place) +
	       sizeof(struct lbp_sources_holder) + 16 + sizeof(void *);
}

static void certificates_are_counted_decoded(void)
{
	struct lbp_config *config = parse();
	struct lbp_memory memory;

	lbp_memory_bound(&memory, config, &facts);
	CU_ASSERT_EQUAL(memory.parts[LBP_MEMORY_CACHE],
		4096 * ((2 + 6 * 4) * KIB + place_size()));
	/* All but a list of 16 KiB: OpenSSL's own, records and a message. */
	CU_ASSERT_EQUAL(memory.session_tls - memory.session,
		(24 + 2 * 17 + 22 + 6 * 16) * KIB);
	lbp_config_free(config);
}

static void tables_are_counted(void)
{
	struct lbp_config *config = parse();
	struct lbp_memory memory;

	lbp_memory_bound(&memory, config, &facts);
	CU_ASSERT_EQUAL(memory.parts[LBP_MEMORY_SOURCES], 30 * place_size());
	/* Of y in db alone, and in both configurations. */
	CU_ASSERT_EQUAL(memory.parts[LBP_MEMORY_LIMITS], 2 * 7 * 8);
	config->clients[0].grants[0].limits.connections = 1000;
	lbp_memory_bound(&memory, config, &facts);
	CU_ASSERT_EQUAL(memory.parts[LBP_MEMORY_LIMITS], 2 * 1007 * 8);
	CU_ASSERT_EQUAL(memory.parts[LBP_MEMORY_BASE], 24 * MIB);
	CU_ASSERT_EQUAL(memory.total, total_of(&memory));
	lbp_config_free(config);
}

static void configurations_are_counted_twice(void)
{
	struct lbp_config *config = parse();
	const uint64_t plain = 2 * 8 * KIB + 3 * 3 * KIB / 2 + 2 * 640 +
			       (2 + 3 + 4) * 320 + 3 * 384 + 3 * KIB +
			       1000 * 4 + 100 * 8;
	struct lbp_memory memory;

	lbp_memory_bound(&memory, config, &facts);
	CU_ASSERT_EQUAL(memory.parts[LBP_MEMORY_CONFIGURATIONS], 2 * plain);
	config->apps[0].upstreams[1].tls = true;
	lbp_memory_bound(&memory, config, &facts);
	CU_ASSERT_EQUAL(memory.parts[LBP_MEMORY_CONFIGURATIONS],
		2 * (plain + 32 * KIB));
	lbp_config_free(config);
}

static void threads_are_counted(void)
{
	struct lbp_config *config = parse();
	struct lbp_memory memory;

	lbp_memory_bound(&memory, config, &facts);
	CU_ASSERT_EQUAL(memory.parts[LBP_MEMORY_WORKERS],
		2 * (16 + 24 + 256 + 1280 + 16 * 64) * KIB);
	/* Two upstreams are checked: those of web. */
	CU_ASSERT_EQUAL(memory.parts[LBP_MEMORY_CHECKS], 2 * 2 * KIB);
	config->apps[0].upstreams[0].tls = true;
	lbp_memory_bound(&memory, config, &facts);
	CU_ASSERT_EQUAL(memory.parts[LBP_MEMORY_CHECKS], (2 * 2 + 176) * KIB);
	config->apps[1].health.enabled = true;
	lbp_memory_bound(&memory, config, &facts);
	CU_ASSERT_EQUAL(memory.parts[LBP_MEMORY_CHECKS], (3 * 2 + 176) * KIB);
	lbp_config_free(config);
}

static void what_operators_ask_for_is_counted(void)
{
	struct lbp_config *config = parse();
	/* web has two upstreams, db one; two clients are shown. */
	const uint64_t series = 16 * (64 + 3) + 2 * 16 * (64 + 3 + 9) +
				16 * (64 + 2) + 16 * (64 + 2 + 9);
	const uint64_t each = 16 * KIB + 64 * KIB + 2 * series + 2 * 4 * KIB;
	struct lbp_memory memory;

	lbp_memory_bound(&memory, config, &facts);
	CU_ASSERT_EQUAL(memory.parts[LBP_MEMORY_ADMIN], 0);
	config->admin.host = "localhost";
	lbp_memory_bound(&memory, config, &facts);
	CU_ASSERT_EQUAL(memory.parts[LBP_MEMORY_ADMIN], 256 * KIB + 24 * each);
	config->admin_socket.ptr = "a";
	lbp_memory_bound(&memory, config, &facts);
	CU_ASSERT_EQUAL(memory.parts[LBP_MEMORY_ADMIN],
		2 * (256 * KIB + 24 * each) + 24 * 100 * 3 * KIB);
	config->admin.host = NULL;
	config->max_connections = 1000000;
	lbp_memory_bound(&memory, config, &facts);
	CU_ASSERT_EQUAL(memory.parts[LBP_MEMORY_ADMIN],
		256 * KIB + 24 * (each + UINT64_C(64) * MIB));
	config->admin_socket.ptr = NULL;
	lbp_config_free(config);
}

static void few_of_many_clients_are_shown(void)
{
	struct lbp_config *config = parse();
	struct lbp_config_client *own = config->clients;
	struct lbp_memory some, more;

	config->clients = calloc(1001, sizeof(*config->clients));
	CU_ASSERT_PTR_NOT_NULL_FATAL(config->clients);
	config->admin.host = "localhost";
	config->client_len = 1000;
	lbp_memory_bound(&some, config, &facts);
	config->client_len = 1001;
	lbp_memory_bound(&more, config, &facts);
	CU_ASSERT_EQUAL(
		some.parts[LBP_MEMORY_ADMIN], more.parts[LBP_MEMORY_ADMIN]);
	config->client_len = 999;
	lbp_memory_bound(&more, config, &facts);
	CU_ASSERT_EQUAL(
		some.parts[LBP_MEMORY_ADMIN] - more.parts[LBP_MEMORY_ADMIN],
		24 * 4 * KIB);
	free(config->clients);
	config->clients = own;
	config->client_len = 2;
	lbp_config_free(config);
}

/*
 * The largest of everything, though a configuration cannot have it all at once:
 * 100,000 clients that may each use 1,024 apps a million times in a window.
 */
static void the_largest_does_not_overflow(void)
{
	static struct lbp_config_grant grants[1024];
	struct lbp_config_client *many = calloc(100000, sizeof(*many));
	struct lbp_config *config = parse();
	struct lbp_config_client *own = config->clients;
	struct lbp_memory_facts most = {.workers = 256,
		.handshakes = 1000000,
		.listeners = UINT32_MAX,
		.text_bytes = UINT64_C(1) << 50,
		.file_bytes = UINT64_C(1) << 50};
	struct lbp_memory memory;

	CU_ASSERT_PTR_NOT_NULL_FATAL(many);
	for (size_t i = 0; i < 1024; i++)
		grants[i].limits.connections = 1000000;
	for (size_t i = 0; i < 100000; i++)
		many[i] = (struct lbp_config_client){
			.grants = grants, .grant_len = 1024};
	config->clients = many;
	config->client_len = 100000;
	config->max_connections = 1000000;
	config->apps[0].upstreams[0].tls = true;
	lbp_memory_bound(&memory, config, &most);
	CU_ASSERT_EQUAL(memory.parts[LBP_MEMORY_SESSIONS],
		UINT64_C(1000000) * SESSION_TLS);
	CU_ASSERT_EQUAL(memory.parts[LBP_MEMORY_HANDSHAKES],
		UINT64_C(1002048) * HANDSHAKE);
	CU_ASSERT_EQUAL(memory.parts[LBP_MEMORY_LIMITS],
		UINT64_C(2) * 100000 * 1024 * 1000000 * 8);
	CU_ASSERT_EQUAL(memory.total, total_of(&memory));
	CU_ASSERT_TRUE(memory.total > UINT64_C(24) << 50);
	CU_ASSERT_TRUE(memory.total < UINT64_C(1) << 60);
	config->clients = own;
	config->client_len = 2;
	free(many);
	lbp_config_free(config);
}

/* --- in words --- */

struct shown {
	char text[4096];
	size_t len;
};

static void put(void *user, const char *text, size_t len)
{
	struct shown *shown = user;

	CU_ASSERT_TRUE_FATAL(shown->len + len < sizeof(shown->text));
	memcpy(shown->text + shown->len, text, len);
	shown->len += len;
	shown->text[shown->len] = '\0';
}

static void show(struct shown *shown, const struct lbp_memory *memory)
{
	shown->len = 0;
	lbp_memory_show(memory, put, shown);
}

static void each_part_has_a_line(void)
{
	static const char after_head[] =
		"# a session:                                    1 KiB\n"
		"# a session whose upstream is tls://:           2 KiB\n"
		"# a stranger's handshake:                       3 KiB\n"
		"# the process:                                  4 KiB\n"
		"#   sessions (1)                                11 KiB\n"
		"#   handshakes (6)                              12 KiB\n"
		"#   TLS sessions that may be resumed            13 KiB\n"
		"#   table of the handshakes' sources            14 KiB\n"
		"#   times of admissions                         15 KiB\n"
		"#   two configurations                          16 KiB\n"
		"#   workers                                     17 KiB\n"
		"#   health checks                               18 KiB\n"
		"#   admin port and socket                       19 KiB\n"
		"#   program and libraries                       20 KiB\n"
		"#   reserve for the gaps in malloc's memory     21 KiB\n";
	struct lbp_memory memory = {.session = 1 * KIB,
		.session_tls = 2 * KIB,
		.handshake = 3 * KIB,
		.total = 4 * KIB,
		.connections = 1,
		.handshakes = 6};
	struct shown shown;
	const char *at;

	for (size_t i = 0; i < LBP_MEMORY_PARTS; i++)
		memory.parts[i] = (11 + i) * KIB;
	show(&shown, &memory);
	at = strstr(shown.text, "# a session:");
	CU_ASSERT_PTR_NOT_NULL_FATAL(at);
	CU_ASSERT_STRING_EQUAL(at, after_head);
	CU_ASSERT_PTR_NOT_NULL(strstr(shown.text, "kernel"));
	memory.connections = 5;
	show(&shown, &memory);
	CU_ASSERT_PTR_NOT_NULL(strstr(shown.text, "#   sessions (5) "));
}

/* Each line that is not empty is a comment, and all of it can be read. */
static void all_is_comments(void)
{
	struct lbp_memory memory = {0};
	struct shown shown;

	show(&shown, &memory);
	CU_ASSERT_EQUAL(shown.text[0], '\n');
	for (size_t i = 0; i < shown.len; i++) {
		char c = shown.text[i];

		CU_ASSERT_TRUE(c == '\n' || (c >= 0x20 && c < 0x7f));
		if (c == '\n' && i + 1 < shown.len)
			CU_ASSERT_EQUAL(shown.text[i + 1], '#');
	}
	/* Parts that are not there have no line. */
	CU_ASSERT_PTR_NULL(strstr(shown.text, "#  "));
	memory.parts[LBP_MEMORY_CHECKS] = 1;
	show(&shown, &memory);
	CU_ASSERT_PTR_NOT_NULL(strstr(shown.text, "\n#   health checks "));
}

static void expect_size(uint64_t bytes, const char *expected)
{
	struct lbp_memory memory = {.total = bytes};
	char line[96];
	struct shown shown;

	show(&shown, &memory);
	(void)snprintf(
		line, sizeof(line), "# the process:%34s%s\n", "", expected);
	CU_ASSERT_PTR_NOT_NULL(strstr(shown.text, line));
}

static void sizes_are_rounded_up(void)
{
	expect_size(0, "0 KiB");
	expect_size(1, "1 KiB");
	expect_size(KIB, "1 KiB");
	expect_size(KIB + 1, "2 KiB");
	expect_size(10 * MIB - KIB, "10239 KiB");
	expect_size(10 * MIB - 1, "10240 KiB");
	expect_size(10 * MIB, "10 MiB");
	expect_size(10 * MIB + 1, "11 MiB");
	expect_size(UINT64_C(1) << 60, "1099511627776 MiB");
}

void suite_memory(void)
{
	CU_pSuite suite = CU_add_suite("memory", NULL, NULL);

	CU_add_test(suite, "[MEM-2] a session has two rings and TLS",
		a_session_has_two_rings_and_tls);
	CU_add_test(suite, "[MEM-3] a handshake has room for certificates",
		a_handshake_has_room_for_certificates);
	CU_add_test(suite, "[MEM-4] what comes and goes has a reserve",
		what_comes_and_goes_has_a_reserve);
	CU_add_test(suite, "[MEM-7] certificates are counted decoded",
		certificates_are_counted_decoded);
	CU_add_test(suite, "[MEM-5] tables are counted", tables_are_counted);
	CU_add_test(suite, "[MEM-5] configurations are counted twice",
		configurations_are_counted_twice);
	CU_add_test(suite, "[MEM-5] threads are counted", threads_are_counted);
	CU_add_test(suite, "[MEM-6] what operators ask for is counted",
		what_operators_ask_for_is_counted);
	CU_add_test(suite, "[MEM-6] few of many clients are shown",
		few_of_many_clients_are_shown);
	CU_add_test(suite, "[MEM-9] the largest does not overflow",
		the_largest_does_not_overflow);
	CU_add_test(
		suite, "[MEM-1] each part has a line", each_part_has_a_line);
	CU_add_test(suite, "[MEM-1] all is comments", all_is_comments);
	CU_add_test(
		suite, "[MEM-8] sizes are rounded up", sizes_are_rounded_up);
}
