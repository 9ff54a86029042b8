#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "server/figures.h"
#include "server/json.h"
#include "suites.h"

#define ROOM 16384

static char text[ROOM + 1];

static void write_all(const struct lbp_figures *figures)
{
	struct lbp_json json;

	lbp_json_init(&json, text, ROOM);
	lbp_figures_status(figures, &json);
	CU_ASSERT_FALSE(json.overflow);
	text[json.len] = '\0';
}

static void expect_part(const char *part)
{
	CU_ASSERT_PTR_NOT_NULL(strstr(text, part));
	if (strstr(text, part) == NULL)
		fprintf(stderr, "no %s\nin %s\n", part, text);
}

static struct lbp_figures empty(void)
{
	return (struct lbp_figures){
		.version = "1", .event_loop = "epoll", .now_s = 1000 * 86400};
}

static void the_server_is_told(void)
{
	struct lbp_figures figures = empty();

	figures.process =
		(struct lbp_process_figures){5, 64, 4096, 8192, 1250000000, 77};
	figures.generation = 7;
	figures.is_ready = true;
	figures.workers = 2;
	figures.connections = 12;
	figures.sessions = 11;
	figures.max_sessions = 400;
	figures.counts.accepted = 100;
	figures.counts.admitted = 60;
	figures.counts.bytes_up = 1000;
	figures.counts.bytes_down = 2000;
	figures.counts.full.counts[0] = 1;
	figures.counts.full.counts[3] = 2;
	figures.counts.resumed.counts[LBP_TIMES_BUCKETS - 1] = 4;
	figures.counts.ended[LBP_REASON_DONE] = 50;
	figures.counts.rejected[LBP_REASON_REVOKED] = 40;
	figures.counts.rejected[LBP_REASON_NO_PROTOCOL] = 1;
	write_all(&figures);
	CU_ASSERT_STRING_EQUAL(text,
		"{\"version\":\"1\",\"now\":86400000,\"started\":77,"
		"\"generation\":7,\"ready\":true,\"draining\":false,"
		"\"workers\":2,\"event_loop\":\"epoll\",\"connections\":12,"
		"\"sessions\":11,\"max_sessions\":400,"
		"\"process\":{\"descriptors\":5,\"max_descriptors\":64,"
		"\"resident_bytes\":4096,\"virtual_bytes\":8192,"
		"\"cpu_ms\":1250},"
		"\"counts\":{\"accepted\":100,\"admitted\":60,"
		"\"bytes_up\":1000,\"bytes_down\":2000,"
		"\"handshakes_full\":3,\"handshakes_resumed\":4,"
		"\"ended\":{\"done\":50},"
		"\"rejected\":{\"revoked\":40,\"no_protocol\":1}},"
		"\"apps\":[],\"clients\":[],\"clients_left_out\":0,"
		"\"rejects\":[],\"expiring\":[]}");
}

static void each_reason_is_told(void)
{
	struct lbp_figures figures = empty();
	char part[64];
	unsigned i;

	for (i = 0; i < LBP_REASONS; i++)
		figures.counts.ended[i] = 100 + i;
	write_all(&figures);
	for (i = 0; i < LBP_REASONS; i++) {
		snprintf(part, sizeof(part), "\"%s\":%u",
			lbp_reason_text((enum lbp_reason)i), 100 + i);
		expect_part(part);
	}
}

static void choices_are_told(void)
{
	static const char *const texts[] = {"next", "removed", "no_address",
		"down", "draining", "full", "backup", "load", "turn"};
	static const struct lbp_app_figures app = {.id = "web"};
	struct lbp_upstream_figures upstream = {.app = "web", .url = "u"};
	struct lbp_figures figures = empty();
	char part[64];
	unsigned i;

	figures.apps = &app;
	figures.app_len = 1;
	figures.upstreams = &upstream;
	figures.upstream_len = 1;
	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		upstream.look.choice = (enum lbp_choice)i;
		write_all(&figures);
		snprintf(part, sizeof(part), "\"choice\":\"%s\",", texts[i]);
		expect_part(part);
	}
}

static void apps_are_told(void)
{
	static const struct lbp_app_figures apps[] = {{"web", true, 9, 2, 3, 4},
		{"none", false, 0, 0, 0, 0}, {"db", false, 1, 1, 0, 0}};
	static const struct lbp_upstream_figures upstreams[] = {
		{"web", "tcp://a:1",
			{.weight = 3,
				.max_connections = 8,
				.open = 7,
				.serves = true,
				.has_address = true,
				.is_up = true,
				.is_draining = true,
				.choice = LBP_CHOICE_DRAINING},
			true, 55, "its checks succeed"},
		{"web", "tcp://b:1",
			{.serves = true,
				.has_address = true,
				.is_backup = true,
				.dial_failures = 5,
				.check_failures = 6},
			false, 0, ""},
		{"db", "tcp://c:1", {.serves = true}, false, 0, ""},
		{"db", "tcp://d:1", {.has_address = true}, false, 0, ""},
	};
	struct lbp_figures figures = empty();

	figures.apps = apps;
	figures.app_len = 3;
	figures.upstreams = upstreams;
	figures.upstream_len = 4;
	write_all(&figures);
	expect_part("\"apps\":[{\"id\":\"web\",\"ready\":true,\"sessions\":7,"
		    "\"admitted\":9,\"refused_concurrent\":3,"
		    "\"refused_rate\":4,\"upstreams\":["
		    "{\"url\":\"tcp://a:1\",\"state\":\"up\","
		    "\"draining\":true,\"choice\":\"draining\",\"open\":7,"
		    "\"weight\":3,\"max_connections\":8,\"backup\":false,"
		    "\"dial_failures\":0,\"check_failures\":0,"
		    "\"changed\":55,\"cause\":\"its checks succeed\"},"
		    "{\"url\":\"tcp://b:1\",\"state\":\"down\","
		    "\"draining\":false,\"choice\":\"next\",\"open\":0,"
		    "\"weight\":0,\"max_connections\":0,\"backup\":true,"
		    "\"dial_failures\":5,\"check_failures\":6}]},");
	expect_part("\"id\":\"none\",\"ready\":false,\"sessions\":0,"
		    "\"admitted\":0,\"refused_concurrent\":0,"
		    "\"refused_rate\":0,\"upstreams\":[]},{\"id\":\"db\"");
	expect_part("\"url\":\"tcp://c:1\",\"state\":\"no_address\"");
	expect_part("\"url\":\"tcp://d:1\",\"state\":\"removed\"");
}

static void expect_client(const struct lbp_client_look *look, const char *end)
{
	struct lbp_client_figures client = {"web", "alice", *look};
	struct lbp_figures figures = empty();
	char want[512];

	figures.clients = &client;
	figures.client_len = 1;
	figures.clients_left_out = 3;
	write_all(&figures);
	snprintf(want, sizeof(want),
		"\"clients\":[{\"app\":\"web\",\"client\":\"alice\","
		"\"open\":%u,\"admitted\":%u,\"concurrent\":%u,"
		"\"connections\":%u,\"window_ms\":60000,%s}],"
		"\"clients_left_out\":3,",
		look->open, look->admitted, look->limits.concurrent,
		look->limits.connections, end);
	expect_part(want);
}

static void the_next_place_is_told(void)
{
	struct lbp_client_look look = {
		.limits = {4, 9, 60 * LBP_NS_PER_S}, .open = 3, .admitted = 6};

	expect_client(&look, "\"next_place_ms\":0");
	look.wait_ns = 1;
	expect_client(&look, "\"refused_by\":\"rate\",\"next_place_ms\":1");
	look.wait_ns = 5 * LBP_NS_PER_MS;
	expect_client(&look, "\"refused_by\":\"rate\",\"next_place_ms\":5");
	look.open = 4;
	expect_client(&look, "\"refused_by\":\"concurrent\"");
	look.limits.concurrent = 0;
	look.wait_ns = 0;
	expect_client(&look, "\"next_place_ms\":0");
}

static void each_client_is_told(void)
{
	static const struct lbp_client_figures clients[] = {
		{.app = "web", .id = "alice"}, {.app = "db", .id = "bob"}};
	struct lbp_figures figures = empty();

	figures.clients = clients;
	figures.client_len = 2;
	write_all(&figures);
	expect_part("{\"app\":\"web\",\"client\":\"alice\",");
	expect_part("},{\"app\":\"db\",\"client\":\"bob\",");
}

static void rejects_are_explained(void)
{
	static const struct lbp_reject_figures rejects[] = {
		{2999, false, LBP_REASON_RATE_LIMIT, "web", "[::1]:5", "alice",
			"1A:2B"},
		{1000, true, LBP_REASON_NO_CERTIFICATE, "web", "1.2.3.4:5",
			NULL, NULL},
	};
	struct lbp_figures figures = empty();

	figures.rejects = rejects;
	figures.reject_len = 2;
	write_all(&figures);
	expect_part("\"rejects\":[{\"at\":2,\"app\":\"web\","
		    "\"peer\":\"[::1]:5\",\"client\":\"alice\","
		    "\"serial\":\"1A:2B\",\"reason\":\"rate_limit\","
		    "\"explanation\":\"the client was admitted as "
		    "often as it may be in the window\"},"
		    "{\"at\":1,\"app\":\"web\",\"peer\":\"1.2.3.4:5\","
		    "\"reason\":\"no_certificate\",\"explanation\":"
		    "\"the client sent no certificate\"}]");
}

static void what_expires_is_told(void)
{
	static const struct lbp_expiring expiring[] = {
		{LBP_EXPIRING_CERTIFICATE, "tls.certificate", "a.pem", 1,
			1014 * 86400 - 1},
		{LBP_EXPIRING_CERTIFICATE, "tls.certificate", "a.pem", 1,
			1400 * 86400},
		{LBP_EXPIRING_CA, "tls.client_ca", "ca.pem", 2, 1000 * 86400},
		{LBP_EXPIRING_CRL, "tls.crl", "ca.crl", 3, -5},
		{LBP_EXPIRING_CRL, "tls.crl", "old.crl", 3, 1}};
	struct lbp_figures figures = empty();

	figures.expiring = expiring;
	figures.expiring_len = 5;
	write_all(&figures);
	expect_part("\"expiring\":[{\"kind\":\"certificate\",\"key\":"
		    "\"tls.certificate\",\"file\":\"a.pem\",\"line\":1,"
		    "\"until\":87609599,\"expired\":false,\"days_left\":13},"
		    "{\"kind\":\"certificate\",\"key\":\"tls.certificate\","
		    "\"file\":\"a.pem\",\"line\":1,\"until\":120960000,"
		    "\"expired\":false,\"days_left\":400},"
		    "{\"kind\":\"ca\",\"key\":\"tls.client_ca\",\"file\":"
		    "\"ca.pem\",\"line\":2,\"until\":86400000,"
		    "\"expired\":true,\"days_left\":0},"
		    "{\"kind\":\"crl\",\"key\":\"tls.crl\",\"file\":"
		    "\"ca.crl\",\"line\":3,\"until\":0,\"expired\":true,"
		    "\"days_left\":0},"
		    "{\"kind\":\"crl\",\"key\":\"tls.crl\",\"file\":"
		    "\"old.crl\",\"line\":3,\"until\":1,\"expired\":true,"
		    "\"days_left\":0}]");
}

static void the_latest_rejects_are_kept(void)
{
	struct lbp_reject_figures items[] = {{.at_ms = 3, .is_stranger = true},
		{.at_ms = 9}, {.at_ms = 5, .is_stranger = true}, {.at_ms = 1},
		{.at_ms = 7, .is_stranger = true}, {.at_ms = 2}, {.at_ms = 2}};
	static const uint64_t want[] = {9, 7, 5, 2};
	size_t i;

	CU_ASSERT_EQUAL_FATAL(lbp_rejects_latest(items, 7, 2), 4);
	for (i = 0; i < 4; i++)
		CU_ASSERT_EQUAL(items[i].at_ms, want[i]);
	CU_ASSERT_EQUAL(lbp_rejects_latest(items, 4, 0), 0);
	CU_ASSERT_EQUAL(lbp_rejects_latest(NULL, 0, 2), 0);
}

static void sessions_are_told(void)
{
	struct lbp_session_figures session = {
		.id = {2, 77},
		.app = "web",
		.client = "alice",
		.serial = "1A:2B",
		.peer = "127.0.0.1:5",
		.upstream = "tcp://a:1",
		.since_s = 1700000000,
		.bytes_up = 3,
		.bytes_down = 4,
	};
	struct lbp_json json;

	lbp_json_init(&json, text, ROOM);
	lbp_figures_session(&session, &json);
	text[json.len] = '\0';
	CU_ASSERT_STRING_EQUAL(text,
		"{\"id\":\"2-77\",\"app\":\"web\",\"client\":\"alice\","
		"\"serial\":\"1A:2B\",\"peer\":\"127.0.0.1:5\","
		"\"upstream\":\"tcp://a:1\",\"since\":1700000000,"
		"\"bytes_up\":3,\"bytes_down\":4}");
	session.upstream = NULL;
	lbp_json_init(&json, text, ROOM);
	lbp_figures_session(&session, &json);
	text[json.len] = '\0';
	CU_ASSERT_PTR_NULL(strstr(text, "upstream"));
}

void suite_status(void)
{
	CU_pSuite suite = CU_add_suite("status", NULL, NULL);

	CU_add_test(suite, "[CTL-11] sessions are told", sessions_are_told);
	CU_add_test(suite, "[ADM-20] the server is told", the_server_is_told);
	CU_add_test(suite, "[ADM-20] each reason is told", each_reason_is_told);
	CU_add_test(suite, "[ADM-21] apps are told", apps_are_told);
	CU_add_test(suite, "[ADM-26] choices are told", choices_are_told);
	CU_add_test(suite, "[ADM-22] the next place is told",
		the_next_place_is_told);
	CU_add_test(suite, "[ADM-22] each client is told", each_client_is_told);
	CU_add_test(
		suite, "[ADM-23] rejects are explained", rejects_are_explained);
	CU_add_test(suite, "[ADM-24] the latest rejects are kept",
		the_latest_rejects_are_kept);
	CU_add_test(
		suite, "[ADM-25] what expires is told", what_expires_is_told);
}
