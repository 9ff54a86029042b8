#include "manager.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "container.h"
#include "log.h"
#include "server/passed.h"

/* How old the status may be. [SVC-4]. */
#define REPORT_NS (5 * LBP_NS_PER_S)

/* Returns true if the status has changed. */
static bool look(struct manager *manager)
{
	char before[LBP_SERVICE_STATUS_MAX];
	const struct capacity *capacity = &manager->crew->capacity;
	struct lbp_service *service = &manager->service;
	uint64_t now = clock_now_ns();

	memcpy(before, manager->status, sizeof(before));
	service->sessions = atomic_load(&capacity->used);
	service->max_sessions = atomic_load(&capacity->max);
	service->left_ns =
		manager->drain_ends_ns > now ? manager->drain_ends_ns - now : 0;
	lbp_service_status(service, manager->status);
	return strcmp(before, manager->status) != 0;
}

/* Tells a state, lines that each end, together with the status. */
static void tell(struct manager *manager, const char *state)
{
	char text[NOTIFY_MAX];

	(void)look(manager);
	snprintf(text, sizeof(text), "%.127sSTATUS=%s", state, manager->status);
	notify_send(&manager->notify, text);
}

static void report_fired(struct alarm *alarm)
{
	struct manager *manager = CONTAINER_OF(alarm, struct manager, report);

	loop_arm(&manager->crew->loop, &manager->report,
		clock_now_ns() + REPORT_NS);
	if (look(manager))
		tell(manager, "");
}

static void is_alive(struct watchdog *watchdog)
{
	struct manager *manager =
		CONTAINER_OF(watchdog, struct manager, watchdog);

	notify_send(&manager->notify, "WATCHDOG=1");
}

void manager_init(struct manager *manager, struct crew *crew)
{
	*manager = (struct manager){.crew = crew};
	alarm_init(&manager->report, report_fired);
	notify_open(&manager->notify);
	watchdog_init(&manager->watchdog, crew);
	manager->watchdog.alive = is_alive;
}

void manager_release(struct manager *manager)
{
	watchdog_release(&manager->watchdog);
	notify_close(&manager->notify);
}

void manager_serves(struct manager *manager, size_t apps, uint64_t generation)
{
	manager->service.apps = apps;
	manager->service.generation = generation;
}

/* Without memory for it the service manager would count the server as hung. */
static void start_watchdog(struct manager *manager)
{
	uint64_t period = lbp_service_watchdog_ns(getenv("WATCHDOG_USEC"),
		getenv("WATCHDOG_PID"), (uint64_t)getpid());

	if (period != 0 && !watchdog_start(&manager->watchdog, period))
		log_error(LBP_LOG_ERROR, "cannot start the watchdog",
			"out of memory");
}

void manager_ready(struct manager *manager, const struct listeners *listeners)
{
	if (!notify_is_open(&manager->notify))
		return;
	manager_keep(manager, listeners, NULL);
	tell(manager, "READY=1\n");
	start_watchdog(manager);
	loop_arm(&manager->crew->loop, &manager->report,
		clock_now_ns() + REPORT_NS);
}

void manager_forget(struct manager *manager, const union address *address)
{
	char address_buf[ADDRESS_TEXT_MAX];
	char name[LBP_PASSED_NAME_MAX];
	char text[NOTIFY_MAX];

	lbp_passed_store_name(address_text(address, address_buf), name);
	snprintf(text, sizeof(text), "FDSTOREREMOVE=1\nFDNAME=%s", name);
	notify_send(&manager->notify, text);
}

static void store(struct manager *manager, struct listener *listener)
{
	char address[ADDRESS_TEXT_MAX];
	char name[LBP_PASSED_NAME_MAX];
	char text[NOTIFY_MAX];

	lbp_passed_store_name(address_text(&listener->address, address), name);
	snprintf(text, sizeof(text), "FDSTORE=1\nFDNAME=%s\nFDPOLL=0", name);
	/* Else again after the next reload. */
	if (notify_send_fd(&manager->notify, text, listener->watch.fd))
		listener->keeper = LISTENER_STORED;
}

void manager_keep(struct manager *manager, const struct listeners *listeners,
	const struct listeners *before)
{
	size_t i;

	/* A drain closes them, but not for good: the next server gets them. */
	if (!notify_is_open(&manager->notify) || manager->service.is_draining)
		return;
	for (i = 0; before != NULL && i < before->len; i++) {
		if (!before->items[i]->stays &&
			before->items[i]->keeper == LISTENER_STORED)
			manager_forget(manager, &before->items[i]->address);
	}
	for (i = 0; i < listeners->len; i++) {
		if (listeners->items[i]->keeper == LISTENER_OWN)
			store(manager, listeners->items[i]);
	}
}

void manager_reloading(struct manager *manager)
{
	char text[NOTIFY_MAX];

	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		clock_now_ns() / 1000);
	notify_send(&manager->notify, text);
}

void manager_reloaded(struct manager *manager, bool ok)
{
	manager->service.reload =
		ok ? LBP_SERVICE_RELOAD_DONE : LBP_SERVICE_RELOAD_REFUSED;
	/* One that a drain overtook makes nothing ready again. */
	if (!manager->service.is_draining)
		tell(manager, "READY=1\n");
}

void manager_stopping(struct manager *manager)
{
	const struct crew *crew = manager->crew;
	char text[NOTIFY_MAX];

	manager->service.is_draining = true;
	manager->drain_ends_ns =
		clock_now_ns() + crew->drain_delay_ns + crew->drain_ns;
	snprintf(text, sizeof(text),
		"STOPPING=1\nEXTEND_TIMEOUT_USEC=%" PRIu64 "\n",
		lbp_service_stop_usec(crew->drain_delay_ns, crew->drain_ns));
	tell(manager, text);
}
