#include "reload_report.h"

#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "log.h"
#include "server/config_diff.h"

/* Fits into a line, however it is escaped; a longer one is cut. */
#define MESSAGE_MAX 1024

static void log_place(enum lbp_log_level level, const char *file,
	struct lbp_config_pos pos, const char *message)
{
	struct log_line line;

	log_begin(&line, level, "error");
	log_string(&line, "message", message);
	log_string(&line, "file", file);
	log_uint(&line, "line", pos.line);
	log_uint(&line, "column", pos.column);
	log_end(&line);
}

void reload_report_problem(
	const char *file, struct lbp_config_pos pos, const char *message)
{
	char cut[MESSAGE_MAX];

	if (snprintf(cut, sizeof(cut), "%s", message) >= MESSAGE_MAX)
		memcpy(cut + MESSAGE_MAX - sizeof("..."), "...", sizeof("..."));
	log_place(LBP_LOG_ERROR, file, pos, cut);
}

static void log_notice(
	void *user, struct lbp_config_pos pos, const char *message)
{
	const struct snapshot *snapshot = user;

	log_place(LBP_LOG_WARN,
		texts_path(&snapshot->texts, snapshot->notices.file, pos), pos,
		message);
}

void reload_report_notices(struct snapshot *snapshot)
{
	notices_for_each(&snapshot->notices, log_notice, snapshot);
}

static void warn_if(
	bool differs, const struct snapshot *snapshot, const char *message)
{
	struct log_line line;

	if (!differs)
		return;
	log_begin(&line, LBP_LOG_WARN, "error");
	log_string(&line, "message", message);
	log_string(&line, "file", snapshot->notices.file);
	log_end(&line);
}

void reload_report_fixed(const struct reload *reload)
{
	const struct snapshot *next = reload->snapshot;

	warn_if(next->workers != reload->crew->len, next,
		"server.workers changes at the next start only");
	warn_if(next->event_loop != reload->crew->event_loop, next,
		"the event loop changes at the next start only");
	warn_if(next->handshakes != reload->crew->max_handshakes, next,
		"server.max_handshakes changes at the next start only");
}

static const char *const causes[] = {
	[RELOAD_SIGNAL] = "signal",
	[RELOAD_WATCH] = "watch",
	[RELOAD_CTL] = "ctl",
};

static void begin(struct log_line *line, const struct reload *reload, bool ok)
{
	log_begin(line, ok ? LBP_LOG_INFO : LBP_LOG_ERROR, "reload");
	log_bool(line, "ok", ok);
	log_string(line, "cause", causes[reload->cause]);
	log_uint(line, "generation", reload->generation);
	log_uint(line, "duration_ms",
		(clock_now_ns() - reload->begun_ns) / LBP_NS_PER_MS);
}

static void add_count(struct log_line *line, const struct lbp_config_count *n,
	const char *const keys[3])
{
	log_uint(line, keys[0], n->added);
	log_uint(line, keys[1], n->removed);
	log_uint(line, keys[2], n->changed);
}

static void add_counts(
	struct log_line *line, const struct lbp_config_diff *diff)
{
	static const char *const apps[3] = {
		"apps_added", "apps_removed", "apps_changed"};
	static const char *const upstreams[3] = {
		"upstreams_added", "upstreams_removed", "upstreams_changed"};
	static const char *const clients[3] = {
		"clients_added", "clients_removed", "clients_changed"};

	add_count(line, &diff->apps, apps);
	add_count(line, &diff->upstreams, upstreams);
	add_count(line, &diff->clients, clients);
}

void reload_report_done(struct reload *reload)
{
	struct lbp_config_diff diff;
	struct log_line line;

	begin(&line, reload, true);
	/* If memory ran out, the line does without. */
	if (lbp_config_diff(&diff, reload->other->config,
		    reload->snapshot->config) == LBP_OK)
		add_counts(&line, &diff);
	log_end(&line);
	reload_report_notices(reload->snapshot);
}

void reload_report_refused(const struct reload *reload)
{
	struct log_line line;

	begin(&line, reload, false);
	log_end(&line);
}
