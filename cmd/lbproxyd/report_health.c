#include "report_health.h"

#include <stdio.h>

#include "clock.h"
#include "log.h"

/* Under the lock of its application. */
static void keep_change(
	const struct served_app *app, uint32_t upstream, const char *cause)
{
	const struct place *place = lbp_app_upstream_user(app->app, upstream);

	place->note->has_changed = true;
	place->note->changed_s = clock_wall_ms() / 1000;
	snprintf(place->note->cause, sizeof(place->note->cause), "%s", cause);
}

static void log_change(const struct served_app *app, const char *url,
	enum lbp_health_change change, const char *cause)
{
	bool up = change == LBP_HEALTH_UP;
	struct log_line line;

	log_begin(&line, up ? LBP_LOG_INFO : LBP_LOG_WARN,
		up ? "upstream_up" : "upstream_down");
	log_string(&line, "app", app->id);
	log_string(&line, "upstream", url);
	log_string(&line, "cause", cause);
	log_end(&line);
}

/*
 * The lock of the lines is taken before that of the change is given back, so
 * their order is one. Who makes the next change meanwhile, and whoever needs
 * the application then, waits for a line: health changes seldom.
 */
void report_health(struct served_app *app, uint32_t upstream, const char *url,
	enum lbp_health_change change, const char *cause)
{
	if (change == LBP_HEALTH_SAME) {
		pthread_mutex_unlock(&app->lock);
		return;
	}
	keep_change(app, upstream, cause);
	pthread_mutex_lock(&app->lines);
	pthread_mutex_unlock(&app->lock);
	log_change(app, url, change, cause);
	pthread_mutex_unlock(&app->lines);
}
