#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "server/figures.h"
#include "suites.h"

#define ROOM 65536

static char text[ROOM + 1];
static struct lbp_metrics metrics;

static void begin(void)
{
	lbp_metrics_init(&metrics, text, ROOM);
}

static void expect(const char *want)
{
	CU_ASSERT_FALSE(metrics.overflow);
	text[metrics.len] = '\0';
	CU_ASSERT_STRING_EQUAL(text, want);
}

static void a_family(void)
{
	begin();
	lbp_metrics_family(&metrics, "a_total", "counter", "What it is.");
	lbp_metrics_begin(&metrics);
	lbp_metrics_uint(&metrics, 0);
	lbp_metrics_begin(&metrics);
	lbp_metrics_label(&metrics, "x", "1");
	lbp_metrics_label(&metrics, "y", "");
	lbp_metrics_uint(&metrics, UINT64_MAX);
	lbp_metrics_begin(&metrics);
	lbp_metrics_int(&metrics, INT64_MIN);
	expect("# HELP a_total What it is.\n# TYPE a_total counter\na_total 0\n"
	       "a_total{x=\"1\",y=\"\"} 18446744073709551615\n"
	       "a_total -9223372036854775808\n");
}

static void labels_are_escaped(void)
{
	begin();
	lbp_metrics_family(&metrics, "a", "gauge", "h");
	metrics.len = 0;
	lbp_metrics_begin(&metrics);
	lbp_metrics_label(
		&metrics, "x", "a\"b\\c\nd} 1\r\t\x7f\xC3\xA9\xFF\xE2\x82.");
	lbp_metrics_uint(&metrics, 1);
	expect("a{x=\"a\\\"b\\\\c\\nd} 1\r\t\x7f\xC3\xA9\xEF\xBF\xBD"
	       "\xEF\xBF\xBD.\"} 1\n");
}

static void expect_seconds(uint64_t ns, const char *want)
{
	char line[64];

	begin();
	metrics.name = "a";
	lbp_metrics_begin(&metrics);
	lbp_metrics_seconds(&metrics, ns);
	snprintf(line, sizeof(line), "a %s\n", want);
	expect(line);
}

static void times_are_seconds(void)
{
	expect_seconds(0, "0");
	expect_seconds(1, "0.000000001");
	expect_seconds(LBP_NS_PER_S, "1");
	expect_seconds(10 * LBP_NS_PER_S, "10");
	expect_seconds(10 * LBP_NS_PER_S + LBP_NS_PER_S / 2, "10.5");
	expect_seconds(UINT64_MAX, "18446744073.709551615");
}

static void buckets_add_up(void)
{
	struct lbp_times times = {.sum_ns = 1500000000};
	const char *at;

	times.counts[0] = 1;
	times.counts[2] = 2;
	times.counts[LBP_TIMES_BUCKETS - 1] = 4;
	begin();
	metrics.name = "a_seconds";
	lbp_metrics_times(&metrics, "kind", "full", &times);
	text[metrics.len] = '\0';
	CU_ASSERT_PTR_NOT_NULL(strstr(
		text, "a_seconds_bucket{kind=\"full\",le=\"0.0001\"} 1\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(
		text, "a_seconds_bucket{kind=\"full\",le=\"0.00025\"} 1\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(
		text, "a_seconds_bucket{kind=\"full\",le=\"0.0005\"} 3\n"));
	at = strstr(text, "a_seconds_bucket{kind=\"full\",le=\"5\"} 3\n");
	CU_ASSERT_PTR_NOT_NULL_FATAL(at);
	CU_ASSERT_STRING_EQUAL(strchr(at, '\n') + 1,
		"a_seconds_bucket{kind=\"full\",le=\"+Inf\"} 7\n"
		"a_seconds_sum{kind=\"full\"} 1.5\n"
		"a_seconds_count{kind=\"full\"} 7\n");
	begin();
	metrics.name = "b";
	lbp_metrics_times(&metrics, NULL, NULL, &times);
	text[metrics.len] = '\0';
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "b_bucket{le=\"+Inf\"} 7\n"));
	CU_ASSERT_PTR_NOT_NULL(strstr(text, "b_sum 1.5\nb_count 7\n"));
}

static const struct lbp_app_figures apps[] = {
	{"web", true, 9, 2, 3, 4},
	{"db", false, 0, 0, 0, 0},
};
static const struct lbp_upstream_figures upstreams[] = {
	{"web", "tcp://a:1",
		{.weight = 3,
			.max_connections = 8,
			.open = 7,
			.is_up = true,
			.is_draining = true,
			.dial_failures = 5,
			.check_failures = 6},
		false, 0, ""},
	{"db", "unix:/\"x\"", {.weight = 1}, false, 0, ""},
};
static const struct lbp_client_figures clients[] = {
	{"web", "alice",
		{.limits = {.concurrent = 4, .connections = 9},
			.open = 2,
			.admitted = 6}},
};
static const struct lbp_expiring expiring[] = {
	{LBP_EXPIRING_CERTIFICATE, "tls.certificate", "a.pem", 1, 100},
	{LBP_EXPIRING_CRL, "tls.crl", "ca.crl", 3, 300},
	{LBP_EXPIRING_CA, "tls.client_ca", "ca.pem", 2, -1},
};

static struct lbp_figures make(void)
{
	struct lbp_figures figures = {.version = "1.2",
		.generation = 7,
		.workers = 2,
		.is_ready = true,
		.is_draining = true,
		.connections = 12,
		.sessions = 11,
		.max_sessions = 400,
		.process = {5, 64, 4096, 8192, 1250000000, 1700000000},
		.apps = apps,
		.app_len = 2,
		.upstreams = upstreams,
		.upstream_len = 2,
		.expiring = expiring,
		.expiring_len = 3};

	figures.counts.accepted = 100;
	figures.counts.admitted = 60;
	figures.counts.ended[LBP_REASON_DONE] = 50;
	figures.counts.rejected[LBP_REASON_REVOKED] = 40;
	figures.counts.bytes_up = 1000;
	figures.counts.bytes_down = 2000;
	figures.counts.full.counts[0] = 1;
	figures.counts.resumed.counts[0] = 2;
	figures.counts.connects.counts[0] = 3;
	figures.counts.lag.counts[0] = 4;
	return figures;
}

static void write_all(const struct lbp_figures *figures)
{
	begin();
	lbp_figures_metrics(figures, &metrics);
	CU_ASSERT_FALSE(metrics.overflow);
	text[metrics.len] = '\0';
}

static void expect_line(const char *line)
{
	char whole[256];

	snprintf(whole, sizeof(whole), "\n%s\n", line);
	CU_ASSERT_PTR_NOT_NULL(strstr(text, whole));
	if (strstr(text, whole) == NULL)
		fprintf(stderr, "no line %s\n", line);
}

static void all_figures_are_there(void)
{
	static const char *const lines[] = {
		"lbproxy_build_info{version=\"1.2\"} 1", "lbproxy_ready 1",
		"lbproxy_draining 1", "lbproxy_config_generation 7",
		"lbproxy_workers 2", "lbproxy_connections 12",
		"lbproxy_sessions 11", "lbproxy_sessions_limit 400",
		"lbproxy_connections_accepted_total 100",
		"lbproxy_sessions_admitted_total 60",
		"lbproxy_sessions_ended_total{reason=\"done\"} 50",
		"lbproxy_sessions_ended_total{reason=\"revoked\"} 0",
		"lbproxy_sessions_ended_total{reason=\"no_protocol\"} 0",
		"lbproxy_rejects_total{reason=\"revoked\"} 40",
		"lbproxy_rejects_total{reason=\"done\"} 0",
		"lbproxy_relayed_bytes_total{direction=\"up\"} 1000",
		"lbproxy_relayed_bytes_total{direction=\"down\"} 2000",
		"lbproxy_handshake_duration_seconds_count{kind=\"full\"} 1",
		"lbproxy_handshake_duration_seconds_count{kind=\"resumed\"} 2",
		"lbproxy_connect_duration_seconds_count 3",
		"lbproxy_loop_lag_seconds_count 4",
		"lbproxy_app_ready{app=\"web\"} 1",
		"lbproxy_app_ready{app=\"db\"} 0",
		"lbproxy_app_sessions{app=\"web\"} 7",
		"lbproxy_app_sessions_admitted_total{app=\"web\"} 9",
		"lbproxy_app_limit_refusals_total{app=\"web\",limit="
		"\"concurrent\"} 3",
		"lbproxy_app_limit_refusals_total{app=\"web\",limit=\"rate\"} "
		"4",
		"lbproxy_upstream_connections{app=\"web\",upstream="
		"\"tcp://a:1\"} 7",
		"lbproxy_upstream_up{app=\"web\",upstream=\"tcp://a:1\"} 1",
		"lbproxy_upstream_up{app=\"db\",upstream=\"unix:/\\\"x\\\"\"} "
		"0",
		"lbproxy_upstream_draining{app=\"web\",upstream="
		"\"tcp://a:1\"} 1",
		"lbproxy_upstream_draining{app=\"db\",upstream="
		"\"unix:/\\\"x\\\"\"} 0",
		"lbproxy_upstream_weight{app=\"web\",upstream=\"tcp://a:1\"} 3",
		"lbproxy_upstream_connections_limit{app=\"web\",upstream="
		"\"tcp://a:1\"} 8",
		"lbproxy_upstream_dial_failures_total{app=\"web\",upstream="
		"\"tcp://a:1\"} 5",
		"lbproxy_upstream_check_failures_total{app=\"web\",upstream="
		"\"tcp://a:1\"} 6",
		"lbproxy_certificate_expiry_timestamp_seconds{key=\"tls."
		"certificate\",file=\"a.pem\",line=\"1\"} 100",
		"lbproxy_ca_expiry_timestamp_seconds{key=\"tls.client_ca\","
		"file=\"ca.pem\",line=\"2\"} -1",
		"lbproxy_crl_expiry_timestamp_seconds{key=\"tls.crl\",file="
		"\"ca.crl\",line=\"3\"} 300",
		"process_start_time_seconds 1700000000",
		"process_cpu_seconds_total 1.25", "process_open_fds 5",
		"process_max_fds 64", "process_resident_memory_bytes 4096",
		"process_virtual_memory_bytes 8192"};
	struct lbp_figures figures = make();
	size_t i;

	write_all(&figures);
	for (i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		expect_line(lines[i]);
	CU_ASSERT_PTR_NULL(strstr(text, "reason=\"none\""));
	CU_ASSERT_PTR_NULL(strstr(text, "lbproxy_client"));
}

static void clients_are_there_if_asked_for(void)
{
	struct lbp_figures figures = make();

	figures.clients = clients;
	figures.client_len = 1;
	write_all(&figures);
	expect_line("lbproxy_client_sessions{app=\"web\",client=\"alice\"} 2");
	expect_line("lbproxy_client_sessions_limit{app=\"web\",client="
		    "\"alice\"} 4");
	expect_line(
		"lbproxy_client_admissions{app=\"web\",client=\"alice\"} 6");
	expect_line("lbproxy_client_admissions_limit{app=\"web\",client="
		    "\"alice\"} 9");
	expect_line("lbproxy_clients_left_out 0");
	figures.client_len = 0;
	figures.clients_left_out = 1;
	write_all(&figures);
	expect_line("lbproxy_clients_left_out 1");
}

/* In their order. */
static const struct {
	const char *name;
	const char *type;
	const char *help;
	unsigned samples;
} families[] = {
	{"lbproxy_build_info", "gauge",
		"Always 1; the label says which version runs.", 1},
	{"lbproxy_ready", "gauge", "Whether /readyz says so.", 1},
	{"lbproxy_draining", "gauge", "Whether a drain has begun.", 1},
	{"lbproxy_config_generation", "gauge",
		"The configuration in force: 1, and one more for each reload.",
		1},
	{"lbproxy_workers", "gauge", "Worker threads.", 1},
	{"lbproxy_connections", "gauge",
		"Connections with clients that are open, handshakes included.",
		1},
	{"lbproxy_sessions", "gauge", "Admitted sessions that are open.", 1},
	{"lbproxy_sessions_limit", "gauge", "server.max_connections.", 1},
	{"lbproxy_connections_accepted_total", "counter",
		"Connections that were accepted.", 1},
	{"lbproxy_sessions_admitted_total", "counter",
		"Sessions that were admitted.", 1},
	{"lbproxy_sessions_ended_total", "counter",
		"Sessions that have ended, by reason.", 34},
	{"lbproxy_rejects_total", "counter",
		"Connections that did not become a session, by reason.", 34},
	{"lbproxy_relayed_bytes_total", "counter",
		"Bytes that were delivered, up to upstreams or down.", 2},
	{"lbproxy_handshake_duration_seconds", "histogram",
		"Handshakes that were completed, from accept on.", 34},
	{"lbproxy_connect_duration_seconds", "histogram",
		"Dials of upstreams that were done, TLS included.", 17},
	{"lbproxy_loop_lag_seconds", "histogram",
		"How late timers of the workers' event loops were.", 17},
	{"lbproxy_app_ready", "gauge",
		"Whether an upstream of the application is up.", 2},
	{"lbproxy_app_sessions", "gauge",
		"Sessions of the application that are open.", 2},
	{"lbproxy_app_sessions_admitted_total", "counter",
		"Sessions of the application that were admitted.", 2},
	{"lbproxy_app_limit_refusals_total", "counter",
		"Sessions that a client's limit of the application refused.",
		4},
	{"lbproxy_upstream_connections", "gauge",
		"Connections that are open or being dialed.", 2},
	{"lbproxy_upstream_up", "gauge",
		"Whether health allows the upstream to be chosen.", 2},
	{"lbproxy_upstream_draining", "gauge",
		"Whether an operator has it drain.", 2},
	{"lbproxy_upstream_weight", "gauge", "Its weight.", 2},
	{"lbproxy_upstream_connections_limit", "gauge",
		"Its max_connections; 0 is no bound.", 2},
	{"lbproxy_upstream_dial_failures_total", "counter",
		"Dials for sessions that have failed.", 2},
	{"lbproxy_upstream_check_failures_total", "counter",
		"Active checks that have failed.", 2},
	{"lbproxy_client_sessions", "gauge", "Sessions that are open.", 2},
	{"lbproxy_client_sessions_limit", "gauge",
		"limits.concurrent; 0 is no cap.", 2},
	{"lbproxy_client_admissions", "gauge",
		"Sessions that were admitted within limits.window.", 2},
	{"lbproxy_client_admissions_limit", "gauge",
		"limits.connections; 0 is no rate.", 2},
	{"lbproxy_clients_left_out", "gauge",
		"Clients with sessions or admissions beyond those shown.", 1},
	{"lbproxy_certificate_expiry_timestamp_seconds", "gauge",
		"When it is no longer valid, since 1970.", 1},
	{"lbproxy_ca_expiry_timestamp_seconds", "gauge",
		"When it is no longer valid, since 1970.", 1},
	{"lbproxy_crl_expiry_timestamp_seconds", "gauge",
		"When it is no longer valid, since 1970.", 1},
	{"process_start_time_seconds", "gauge",
		"When the process was started, since 1970.", 1},
	{"process_cpu_seconds_total", "counter",
		"Processor time, of user and system.", 1},
	{"process_open_fds", "gauge", "Open descriptors.", 1},
	{"process_max_fds", "gauge", "How many there may be.", 1},
	{"process_resident_memory_bytes", "gauge", "Resident memory.", 1},
	{"process_virtual_memory_bytes", "gauge", "Virtual memory.", 1},
};

/* The lines of a text up to the next comment, and where that is. */
static unsigned count_samples(const char **at)
{
	unsigned samples = 0;

	for (; **at != '#' && **at != '\0'; *at = strchr(*at, '\n') + 1)
		samples++;
	return samples;
}

static void each_family_is_described(void)
{
	static const struct lbp_client_figures two[] = {
		{.app = "web", .id = "a"}, {.app = "db", .id = "b"}};
	struct lbp_figures figures = make();
	const char *at = text;
	char want[256];

	figures.clients = two;
	figures.client_len = 2;
	write_all(&figures);
	for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++) {
		int len = snprintf(want, sizeof(want),
			"# HELP %s %s\n# TYPE %s %s\n", families[i].name,
			families[i].help, families[i].name, families[i].type);

		CU_ASSERT_NSTRING_EQUAL_FATAL(at, want, (size_t)len);
		at += len;
		CU_ASSERT_EQUAL(count_samples(&at), families[i].samples);
	}
	CU_ASSERT_STRING_EQUAL(at, "");
}

static void too_little_room_is_said(void)
{
	struct lbp_figures figures = make();
	char small[ROOM];
	size_t cap, len;

	write_all(&figures);
	len = metrics.len;
	for (cap = 0; cap < len; cap += 7) {
		memset(small, 1, sizeof(small));
		lbp_metrics_init(&metrics, small, cap);
		lbp_figures_metrics(&figures, &metrics);
		CU_ASSERT_TRUE(metrics.overflow && metrics.len <= cap);
		CU_ASSERT_EQUAL(memcmp(small, text, metrics.len), 0);
		CU_ASSERT_EQUAL(small[cap], 1);
	}
	lbp_metrics_init(&metrics, small, len);
	lbp_figures_metrics(&figures, &metrics);
	CU_ASSERT_FALSE(metrics.overflow);
}

static void what_expires_is_shown_once(void)
{
	struct lbp_expiring items[] = {
		{LBP_EXPIRING_CRL, "k", "f", 1, 9},
		{LBP_EXPIRING_CA, "k", "f", 1, 8},
		{LBP_EXPIRING_CA, "k", "f", 2, 7},
		{LBP_EXPIRING_CA, "k", "e", 1, 6},
		{LBP_EXPIRING_CA, "j", "f", 1, 5},
		{LBP_EXPIRING_CA, "k", "f", 1, 4},
		{LBP_EXPIRING_CA, "k", "f", 1, 8},
		{LBP_EXPIRING_CRL, "k", "f", 1, 9},
	};
	static const int64_t want[] = {5, 6, 4, 7, 9};
	size_t i;

	CU_ASSERT_EQUAL_FATAL(lbp_expiring_sort(items, 8), 5);
	for (i = 0; i < 5; i++)
		CU_ASSERT_EQUAL(items[i].until_s, want[i]);
	CU_ASSERT_EQUAL(lbp_expiring_sort(items, 1), 1);
	CU_ASSERT_EQUAL(lbp_expiring_sort(NULL, 0), 0);
}

void suite_metrics(void)
{
	CU_pSuite suite = CU_add_suite("metrics", NULL, NULL);

	CU_add_test(suite, "[ADM-10] a family", a_family);
	CU_add_test(suite, "[ADM-11] labels are escaped", labels_are_escaped);
	CU_add_test(suite, "[ADM-10] times are seconds", times_are_seconds);
	CU_add_test(suite, "[ADM-12] buckets add up", buckets_add_up);
	CU_add_test(
		suite, "[ADM-13] all figures are there", all_figures_are_there);
	CU_add_test(suite, "[ADM-10] each family is described",
		each_family_is_described);
	CU_add_test(suite, "[ADM-14] clients are there if asked for",
		clients_are_there_if_asked_for);
	CU_add_test(suite, "[ADM-16] what expires is shown once",
		what_expires_is_shown_once);
	CU_add_test(suite, "[ADM-10] too little room is said",
		too_little_room_is_said);
}
