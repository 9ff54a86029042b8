#include <stdio.h>

#include "server/figures.h"

/* --- one sample each --- */

static void put(struct lbp_metrics *m, const char *name, const char *type,
	const char *help, uint64_t value)
{
	lbp_metrics_family(m, name, type, help);
	lbp_metrics_begin(m);
	lbp_metrics_uint(m, value);
}

static void put_gauge(struct lbp_metrics *m, const char *name, const char *help,
	uint64_t value)
{
	put(m, name, "gauge", help, value);
}

static void put_counter(struct lbp_metrics *m, const char *name,
	const char *help, uint64_t value)
{
	put(m, name, "counter", help, value);
}

static void put_server(const struct lbp_figures *f, struct lbp_metrics *m)
{
	lbp_metrics_family(m, "lbproxy_build_info", "gauge",
		"Always 1; the label says which version runs.");
	lbp_metrics_begin(m);
	lbp_metrics_label(m, "version", f->version);
	lbp_metrics_uint(m, 1);
	put_gauge(m, "lbproxy_ready", "Whether /readyz says so.", f->is_ready);
	put_gauge(m, "lbproxy_draining", "Whether a drain has begun.",
		f->is_draining);
	put_gauge(m, "lbproxy_config_generation",
		"The configuration in force: 1, and one more for each reload.",
		f->generation);
	put_gauge(m, "lbproxy_workers", "Worker threads.", f->workers);
	put_gauge(m, "lbproxy_connections",
		"Connections with clients that are open, handshakes included.",
		f->connections);
	put_gauge(m, "lbproxy_sessions", "Admitted sessions that are open.",
		f->sessions);
	put_gauge(m, "lbproxy_sessions_limit", "server.max_connections.",
		f->max_sessions);
	put_counter(m, "lbproxy_connections_accepted_total",
		"Connections that were accepted.", f->counts.accepted);
	put_counter(m, "lbproxy_sessions_admitted_total",
		"Sessions that were admitted.", f->counts.admitted);
}

static void put_process(
	const struct lbp_process_figures *process, struct lbp_metrics *m)
{
	lbp_metrics_family(m, "process_start_time_seconds", "gauge",
		"When the process was started, since 1970.");
	lbp_metrics_begin(m);
	lbp_metrics_int(m, process->started_s);
	lbp_metrics_family(m, "process_cpu_seconds_total", "counter",
		"Processor time, of user and system.");
	lbp_metrics_begin(m);
	lbp_metrics_seconds(m, process->cpu_ns);
	put_gauge(m, "process_open_fds", "Open descriptors.",
		process->descriptors);
	put_gauge(m, "process_max_fds", "How many there may be.",
		process->max_descriptors);
	put_gauge(m, "process_resident_memory_bytes", "Resident memory.",
		process->resident_bytes);
	put_gauge(m, "process_virtual_memory_bytes", "Virtual memory.",
		process->virtual_bytes);
}

/* --- reasons, bytes, times --- */

static void put_reasons(struct lbp_metrics *m, const char *name,
	const char *help, const uint64_t *counts)
{
	int reason;

	lbp_metrics_family(m, name, "counter", help);
	for (reason = LBP_REASON_NONE + 1; reason < LBP_REASONS; reason++) {
		lbp_metrics_begin(m);
		lbp_metrics_label(
			m, "reason", lbp_reason_text((enum lbp_reason)reason));
		lbp_metrics_uint(m, counts[reason]);
	}
}

static void put_bytes(const struct lbp_counts *counts, struct lbp_metrics *m)
{
	lbp_metrics_family(m, "lbproxy_relayed_bytes_total", "counter",
		"Bytes that were delivered, up to upstreams or down.");
	lbp_metrics_begin(m);
	lbp_metrics_label(m, "direction", "up");
	lbp_metrics_uint(m, counts->bytes_up);
	lbp_metrics_begin(m);
	lbp_metrics_label(m, "direction", "down");
	lbp_metrics_uint(m, counts->bytes_down);
}

static void put_counts(const struct lbp_counts *counts, struct lbp_metrics *m)
{
	put_reasons(m, "lbproxy_sessions_ended_total",
		"Sessions that have ended, by reason.", counts->ended);
	put_reasons(m, "lbproxy_rejects_total",
		"Connections that did not become a session, by reason.",
		counts->rejected);
	put_bytes(counts, m);
	lbp_metrics_family(m, "lbproxy_handshake_duration_seconds", "histogram",
		"Handshakes that were completed, from accept on.");
	lbp_metrics_times(m, "kind", "full", &counts->full);
	lbp_metrics_times(m, "kind", "resumed", &counts->resumed);
	lbp_metrics_family(m, "lbproxy_connect_duration_seconds", "histogram",
		"Dials of upstreams that were done, TLS included.");
	lbp_metrics_times(m, NULL, NULL, &counts->connects);
	lbp_metrics_family(m, "lbproxy_loop_lag_seconds", "histogram",
		"How late timers of the workers' event loops were.");
	lbp_metrics_times(m, NULL, NULL, &counts->lag);
}

/* --- applications --- */

static uint64_t app_ready(const struct lbp_app_figures *app)
{
	return app->is_ready;
}

static uint64_t app_sessions(const struct lbp_app_figures *app)
{
	return app->admitted - app->ended;
}

static uint64_t app_admitted(const struct lbp_app_figures *app)
{
	return app->admitted;
}

static void put_apps(const struct lbp_figures *f, struct lbp_metrics *m,
	const char *name, const char *type, const char *help,
	uint64_t (*of)(const struct lbp_app_figures *app))
{
	size_t i;

	lbp_metrics_family(m, name, type, help);
	for (i = 0; i < f->app_len; i++) {
		lbp_metrics_begin(m);
		lbp_metrics_label(m, "app", f->apps[i].id);
		lbp_metrics_uint(m, of(&f->apps[i]));
	}
}

static void put_refusals(const struct lbp_app_figures *app,
	struct lbp_metrics *m, const char *limit, uint64_t refused)
{
	lbp_metrics_begin(m);
	lbp_metrics_label(m, "app", app->id);
	lbp_metrics_label(m, "limit", limit);
	lbp_metrics_uint(m, refused);
}

static void put_all_apps(const struct lbp_figures *f, struct lbp_metrics *m)
{
	size_t i;

	put_apps(f, m, "lbproxy_app_ready", "gauge",
		"Whether an upstream of the application is up.", app_ready);
	put_apps(f, m, "lbproxy_app_sessions", "gauge",
		"Sessions of the application that are open.", app_sessions);
	put_apps(f, m, "lbproxy_app_sessions_admitted_total", "counter",
		"Sessions of the application that were admitted.",
		app_admitted);
	lbp_metrics_family(m, "lbproxy_app_limit_refusals_total", "counter",
		"Sessions that a client's limit of the application refused.");
	for (i = 0; i < f->app_len; i++) {
		const struct lbp_app_figures *app = &f->apps[i];

		put_refusals(app, m, "concurrent", app->refused_concurrent);
		put_refusals(app, m, "rate", app->refused_rate);
	}
}

/* --- upstreams --- */

static uint64_t upstream_open(const struct lbp_upstream_look *look)
{
	return look->open;
}

static uint64_t upstream_up(const struct lbp_upstream_look *look)
{
	return look->is_up;
}

static uint64_t upstream_draining(const struct lbp_upstream_look *look)
{
	return look->is_draining;
}

static uint64_t upstream_weight(const struct lbp_upstream_look *look)
{
	return look->weight;
}

static uint64_t upstream_limit(const struct lbp_upstream_look *look)
{
	return look->max_connections;
}

static uint64_t upstream_dial_failures(const struct lbp_upstream_look *look)
{
	return look->dial_failures;
}

static uint64_t upstream_check_failures(const struct lbp_upstream_look *look)
{
	return look->check_failures;
}

static void put_upstreams(const struct lbp_figures *f, struct lbp_metrics *m)
{
	static const struct {
		const char *name;
		const char *type;
		const char *help;
		uint64_t (*of)(const struct lbp_upstream_look *look);
	} families[] = {
		{"lbproxy_upstream_connections", "gauge",
			"Connections that are open or being dialed.",
			upstream_open},
		{"lbproxy_upstream_up", "gauge",
			"Whether health allows the upstream to be chosen.",
			upstream_up},
		{"lbproxy_upstream_draining", "gauge",
			"Whether an operator has it drain.", upstream_draining},
		{"lbproxy_upstream_weight", "gauge", "Its weight.",
			upstream_weight},
		{"lbproxy_upstream_connections_limit", "gauge",
			"Its max_connections; 0 is no bound.", upstream_limit},
		{"lbproxy_upstream_dial_failures_total", "counter",
			"Dials for sessions that have failed.",
			upstream_dial_failures},
		{"lbproxy_upstream_check_failures_total", "counter",
			"Active checks that have failed.",
			upstream_check_failures},
	};
	size_t n, i;

	for (n = 0; n < sizeof(families) / sizeof(*families); n++) {
		lbp_metrics_family(m, families[n].name, families[n].type,
			families[n].help);
		for (i = 0; i < f->upstream_len; i++) {
			lbp_metrics_begin(m);
			lbp_metrics_label(m, "app", f->upstreams[i].app);
			lbp_metrics_label(m, "upstream", f->upstreams[i].url);
			lbp_metrics_uint(
				m, families[n].of(&f->upstreams[i].look));
		}
	}
}

/* --- clients --- */

static uint64_t client_open(const struct lbp_client_look *look)
{
	return look->open;
}

static uint64_t client_cap(const struct lbp_client_look *look)
{
	return look->limits.concurrent;
}

static uint64_t client_admitted(const struct lbp_client_look *look)
{
	return look->admitted;
}

static uint64_t client_rate(const struct lbp_client_look *look)
{
	return look->limits.connections;
}

static void put_clients(const struct lbp_figures *f, struct lbp_metrics *m)
{
	static const struct {
		const char *name;
		const char *help;
		uint64_t (*of)(const struct lbp_client_look *look);
	} families[] = {
		{"lbproxy_client_sessions", "Sessions that are open.",
			client_open},
		{"lbproxy_client_sessions_limit",
			"limits.concurrent; 0 is no cap.", client_cap},
		{"lbproxy_client_admissions",
			"Sessions that were admitted within limits.window.",
			client_admitted},
		{"lbproxy_client_admissions_limit",
			"limits.connections; 0 is no rate.", client_rate},
	};
	size_t n, i;

	for (n = 0; n < sizeof(families) / sizeof(*families); n++) {
		lbp_metrics_family(
			m, families[n].name, "gauge", families[n].help);
		for (i = 0; i < f->client_len; i++) {
			lbp_metrics_begin(m);
			lbp_metrics_label(m, "app", f->clients[i].app);
			lbp_metrics_label(m, "client", f->clients[i].id);
			lbp_metrics_uint(
				m, families[n].of(&f->clients[i].look));
		}
	}
	put_gauge(m, "lbproxy_clients_left_out",
		"Clients with sessions or admissions beyond those shown.",
		f->clients_left_out);
}

/* --- what expires --- */

static void put_expiring(const struct lbp_figures *f, struct lbp_metrics *m,
	enum lbp_expiring_kind kind, const char *name)
{
	char line[16];
	size_t i;

	lbp_metrics_family(
		m, name, "gauge", "When it is no longer valid, since 1970.");
	for (i = 0; i < f->expiring_len; i++) {
		const struct lbp_expiring *one = &f->expiring[i];

		if (one->kind != kind)
			continue;
		(void)snprintf(line, sizeof(line), "%u", one->line);
		lbp_metrics_begin(m);
		lbp_metrics_label(m, "key", one->key);
		lbp_metrics_label(m, "file", one->file);
		lbp_metrics_label(m, "line", line);
		lbp_metrics_int(m, one->until_s);
	}
}

void lbp_figures_metrics(
	const struct lbp_figures *figures, struct lbp_metrics *metrics)
{
	put_server(figures, metrics);
	put_counts(&figures->counts, metrics);
	put_all_apps(figures, metrics);
	put_upstreams(figures, metrics);
	if (figures->client_len > 0 || figures->clients_left_out > 0)
		put_clients(figures, metrics);
	put_expiring(figures, metrics, LBP_EXPIRING_CERTIFICATE,
		"lbproxy_certificate_expiry_timestamp_seconds");
	put_expiring(figures, metrics, LBP_EXPIRING_CA,
		"lbproxy_ca_expiry_timestamp_seconds");
	put_expiring(figures, metrics, LBP_EXPIRING_CRL,
		"lbproxy_crl_expiry_timestamp_seconds");
	put_process(&figures->process, metrics);
}
