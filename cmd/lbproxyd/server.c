#include "server.h"

#include <errno.h>
#include <stdlib.h>

#include "clock.h"
#include "container.h"
#include "crew.h"
#include "log.h"
#include "manager.h"
#include "passed.h"
#include "process.h"
#include "reload.h"
#include "reload_report.h"
#include "strangers.h"
#include "tls_provider.h"

/* Those of the main thread: the day's, the look at files, and the manager's. */
#define ALARMS (2 + MANAGER_ALARMS)

struct server {
	struct crew crew;
	struct reload reload;
	struct manager manager;
	struct alarm daily; /* logs the notices that apply then */
};

static void log_ready(const struct server *server)
{
	const struct listeners *listeners = &server->crew.acceptor.listeners;
	char text[ADDRESS_TEXT_MAX];
	struct log_line line;
	size_t i;

	log_begin(&line, LBP_LOG_INFO, "ready");
	log_uint(&line, "workers", server->crew.len);
	log_string(&line, "event_loop",
		server->crew.event_loop == LBP_EVENT_LOOP_EPOLL ? "epoll"
								: "select");
	log_string(&line, "provider", tls_provider_name());
	log_array(&line, "listen");
	for (i = 0; i < listeners->len; i++)
		log_item(&line,
			address_text(&listeners->items[i]->address, text));
	log_array_end(&line, "listen_omitted");
	log_end(&line);
}

/* [SRV-80]. */
static void log_notices(struct server *server)
{
	reload_report_notices(server->reload.snapshot);
	loop_arm(&server->crew.loop, &server->daily,
		lbp_expiry_next_ns(clock_now_ns()));
}

static void daily_fired(struct alarm *alarm)
{
	log_notices(CONTAINER_OF(alarm, struct server, daily));
}

static void hung_up(void *user)
{
	struct server *server = user;

	reload_again(&server->reload);
}

static void started(void *user)
{
	struct server *server = user;

	manager_ready(&server->manager, &server->crew.acceptor.listeners);
}

static void drains(void *user)
{
	struct server *server = user;

	manager_stopping(&server->manager);
}

static bool serve(struct server *server)
{
	struct log_line line;
	bool ok;

	log_ready(server);
	log_notices(server);
	ok = crew_run(&server->crew);
	reload_stop(&server->reload);
	log_flush();
	(void)strangers_sum_up(LBP_NEVER);
	log_begin(&line, LBP_LOG_INFO, "stopped");
	log_uint(&line, "cut", crew_cut(&server->crew));
	log_end(&line);
	return ok;
}

int server_run(struct snapshot *snapshot)
{
	struct server server = {0};
	struct passed passed;
	bool ok;

	snapshot_shrink(snapshot);
	passed_look(&passed);
	alarm_init(&server.daily, daily_fired);
	log_open();
	log_set_level(snapshot->config->log_level);
	process_allow_descriptors(snapshot->descriptors);
	reload_init(&server.reload, snapshot, &server.crew);
	ok = crew_init(&server.crew, snapshot, ALARMS);
	manager_init(&server.manager, &server.crew);
	server.reload.manager = &server.manager;
	server.crew.started = started;
	server.crew.hung_up = hung_up;
	server.crew.drains = drains;
	server.crew.user = &server;
	ok = ok && crew_man(&server.crew, snapshot) &&
	     passed_take(&passed, &server.crew.acceptor.listeners,
		     &server.manager, snapshot) &&
	     reload_start(&server.reload) && serve(&server);
	reload_stop(&server.reload);
	manager_release(&server.manager);
	crew_release(&server.crew);
	reload_release(&server.reload);
	passed_release(&passed);
	log_flush();
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
