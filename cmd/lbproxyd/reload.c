#include "reload.h"

#include <errno.h>
#include <string.h>

#include "clock.h"
#include "container.h"
#include "log.h"
#include "process.h"
#include "reload_report.h"

/* Makes what it takes to serve the other snapshot. False: a line says why. */
static bool prepare(struct reload *reload)
{
	if (served_prepare(
		    &reload->served_change, &reload->served, reload->other))
		return crew_prepare(&reload->crew_change, reload->crew,
			       &reload->served_change, reload->other) &&
		       resolver_prepare(&reload->other_resolver, reload->other,
			       reload->served_change.apps) &&
		       admin_prepare(&reload->admin_change, &reload->admin,
			       &reload->served_change, reload->other,
			       reload->generation + 1);
	log_error(LBP_LOG_ERROR, "cannot load the configuration",
		strerror(ENOMEM));
	return false;
}

/* Frees the other snapshot, with all that was prepared or is left of it. */
static void discard(struct reload *reload)
{
	crew_change_release(&reload->crew_change);
	admin_change_release(&reload->admin_change);
	served_change_release(&reload->served_change);
	snapshot_free(reload->other);
	resolver_stop(reload->other_resolver);
	reload->other = NULL;
	reload->other_resolver = NULL;
}

/* The other snapshot is the one in force, and the other way round. */
static void commit(struct reload *reload)
{
	struct snapshot *next = reload->other;
	const struct snapshot *last = reload->snapshot;

	tls_server_follow(
		next->tls, reload->cache, last != NULL ? last->tls : NULL);
	served_commit(&reload->served, &reload->served_change, next);
	/* Shown once it is in force: until then a new app has no policy. */
	admin_commit(&reload->admin, &reload->admin_change);
	resolver_stop(reload->resolver);
	resolver_begin(reload->other_resolver);
	reload->resolver = reload->other_resolver;
	reload->other_resolver = NULL;
	reload->other = reload->snapshot;
	reload->snapshot = next;
	reload->generation++;
	reload->crew->drain_delay_ns = next->config->drain_delay_ns;
	reload->crew->drain_ns = next->config->drain_ns;
	capacity_resize(&reload->crew->capacity, next->config->max_connections);
	log_set_level(next->config->log_level);
	manager_serves(
		reload->manager, next->config->app_len, reload->generation);
}

static void arm_look(struct reload *reload)
{
	uint64_t watch_ns = reload->snapshot->config->watch_ns;

	if (watch_ns == 0)
		loop_disarm(&reload->crew->loop, &reload->look);
	else
		loop_arm(&reload->crew->loop, &reload->look,
			clock_now_ns() + watch_ns);
}

/* What is in use now is not to be tried. [WAT-7]. */
static void begin_watch(struct reload *reload)
{
	lbp_rotation_init(&reload->rotation, reload->snapshot->content);
}

static void begin(struct reload *reload, enum reload_cause cause);

static void look_fired(struct alarm *alarm)
{
	struct reload *reload = CONTAINER_OF(alarm, struct reload, look);

	arm_look(reload);
	if (atomic_load(&reload->crew->drain_begun))
		return;
	if (lbp_rotation_look(
		    &reload->rotation, snapshot_look(reload->snapshot)))
		begin(reload, RELOAD_WATCH);
}

/* --- reloads that were asked for at the admin socket --- */

/* Tells whoever asked how the reload went. */
static void answer(struct reload *reload, bool ok)
{
	struct control_reload *told = &reload->admin.control.reload;

	if (reload->cause != RELOAD_CTL)
		return;
	told->ok = ok;
	told->generation = reload->generation;
	told->duration_ms = (clock_now_ns() - reload->begun_ns) / LBP_NS_PER_MS;
	reload->is_asked = false;
	control_reloaded(&reload->admin.control);
}

/* It will not be tried. */
static void answer_draining(struct reload *reload)
{
	reload->admin.control.reload.is_draining = true;
	reload->is_asked = false;
	control_reloaded(&reload->admin.control);
}

/* What is logged meanwhile is for whoever asked, too. */
static void begin_copy(struct reload *reload)
{
	if (reload->cause == RELOAD_CTL)
		log_copy_to(&reload->admin.control.reload.log);
}

static void end_copy(void)
{
	log_copy_to(NULL);
}

static void asked(void *user)
{
	struct reload *reload = user;

	reload->is_asked = true;
	reload_again(reload);
}

void reload_init(
	struct reload *reload, struct snapshot *snapshot, struct crew *crew)
{
	*reload = (struct reload){.crew = crew, .other = snapshot};
	alarm_init(&reload->look, look_fired);
	admin_init(&reload->admin, crew);
	reload->admin.control.ask_reload = asked;
	reload->admin.control.user = reload;
}

bool reload_start(struct reload *reload)
{
	bool ok;

	reload->cache = tls_cache_new();
	if (!served_init(&reload->served, reload->crew->len) ||
		reload->cache == NULL) {
		log_error(LBP_LOG_ERROR, "cannot start", strerror(ENOMEM));
		return false;
	}
	if (!prepare(reload)) {
		/* Listeners that were passed are the acceptor's, too. */
		discard(reload);
		return false;
	}
	commit(reload);
	ok = crew_adopt(&reload->crew_change);
	begin_watch(reload);
	arm_look(reload);
	discard(reload);
	return ok;
}

static struct reload *reload_of_crew_change(struct crew_change *change)
{
	return CONTAINER_OF(change, struct reload, crew_change);
}

/* All threads have turned to the snapshot in force. */
static void done(struct crew_change *change)
{
	struct reload *reload = reload_of_crew_change(change);

	/* Connections judged by what was before are over, or judged again. */
	tls_cache_purge(reload->cache, reload->snapshot->tls);
	admin_change_close_port(&reload->admin_change);
	begin_copy(reload);
	reload_report_done(reload);
	end_copy();
	manager_keep(reload->manager, &reload->crew->acceptor.listeners,
		&change->acceptor.listeners);
	manager_reloaded(reload->manager, true);
	/* Before the socket is closed at which it was asked for. */
	answer(reload, true);
	discard(reload);
	reload->is_pending = false;
	arm_look(reload);
	if (reload->is_wanted)
		reload_again(reload);
}

static void refuse(struct reload *reload)
{
	reload_report_refused(reload);
	discard(reload);
	end_copy();
	answer(reload, false);
	manager_reloaded(reload->manager, false);
}

static struct snapshot *load(const struct reload *reload)
{
	struct snapshot *last = reload->snapshot;

	if (reload->cause == RELOAD_WATCH)
		return snapshot_load_again(last, reload_report_problem);
	return snapshot_load(
		last->notices.file, last->inherited, reload_report_problem);
}

static void begin(struct reload *reload, enum reload_cause cause)
{
	reload->cause = cause;
	reload->begun_ns = clock_now_ns();
	manager_reloading(reload->manager);
	begin_copy(reload);
	reload->other = load(reload);
	if (reload->other == NULL) {
		refuse(reload);
		return;
	}
	process_allow_descriptors(reload->other->descriptors);
	if (!prepare(reload)) {
		refuse(reload);
		return;
	}
	commit(reload);
	begin_watch(reload);
	reload_report_fixed(reload);
	end_copy();
	reload->is_pending = true;
	/* One after the other: armed once this one is done. */
	loop_disarm(&reload->crew->loop, &reload->look);
	reload->crew_change.done = done;
	crew_order(&reload->crew_change);
}

void reload_again(struct reload *reload)
{
	bool is_draining = atomic_load(&reload->crew->drain_begun);

	reload->is_wanted = reload->is_pending;
	if (reload->is_pending)
		return;
	if (!is_draining)
		begin(reload, reload->is_asked ? RELOAD_CTL : RELOAD_SIGNAL);
	else if (reload->is_asked)
		answer_draining(reload);
}

void reload_stop(struct reload *reload)
{
	admin_stop(&reload->admin);
	resolver_stop(reload->resolver);
	reload->resolver = NULL;
}

void reload_release(struct reload *reload)
{
	reload_stop(reload);
	discard(reload);
	served_release(&reload->served);
	admin_release(&reload->admin);
	snapshot_free(reload->snapshot);
	tls_cache_free(reload->cache);
	*reload = (struct reload){0};
}
