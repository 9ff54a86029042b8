#include "health.h"

#include <stdlib.h>
#include <string.h>

#include "../cmd/lbproxyd/report_health.h"
#include "acl.h"
#include "checks.h"
#include "interleave.h"
#include "world.h"

#define CHANGES 4

static struct {
	struct note note;
	struct place place;
	struct lbp_acl *acl;
	struct served_app app;
	unsigned changed;
	unsigned written;
	bool changes[CHANGES]; /* true: up */
} health;

static void serve_app(void)
{
	const struct lbp_upstream upstream = {
		.name = "one", .weight = 1, .user = &health.place};
	struct lbp_acl_options list;
	struct lbp_app_options options;

	lbp_acl_options_init(&list);
	list.app_len = 1;
	lbp_app_options_init(&options);
	options.id = "app";
	options.upstreams = &upstream;
	options.upstream_len = 1;
	if (lbp_acl_new(&health.acl, &list) != LBP_OK)
		abort();
	options.acl = health.acl;
	if (lbp_app_new(&health.app.app, &options, 0) != LBP_OK)
		abort();
}

/* Down and up again, if nobody else is on it. */
static void change_twice(void *arg)
{
	unsigned i;

	(void)arg;
	for (i = 0; i < CHANGES / 2; i++) {
		enum lbp_health_change change;

		world_lock("locks the application", &health.app.lock);
		change = lbp_app_set_address(
			health.app.app, 0, health.changed % 2 == 1);
		health.changes[health.changed++] = change == LBP_HEALTH_UP;
		report_health(&health.app, 0, "tcp://one:1", change, "a test");
	}
}

void health_start(void)
{
	world_start();
	lbp_app_free(health.app.app);
	lbp_acl_free(health.acl);
	memset(&health, 0, sizeof(health));
	health.place.note = &health.note;
	serve_app();
	interleave_thread("the first", change_twice, NULL);
	interleave_thread("the second", change_twice, NULL);
}

void health_line(bool is_up)
{
	world_atomic("writes a line", &health.written, TOUCH_WRITE);
	ORACLE("SRV-347",
		health.written < health.changed &&
			health.changes[health.written] == is_up,
		"a line comes before that of an earlier change");
	health.written++;
}

void health_judge(bool all_over)
{
	ORACLE("SRV-28",
		all_over && health.changed == CHANGES &&
			health.written == CHANGES,
		"not one line for each change");
}
