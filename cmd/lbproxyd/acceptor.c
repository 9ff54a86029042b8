#include "acceptor.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "clock.h"
#include "container.h"
#include "log.h"
#include "server/fault.h"
#include "server/spread.h"

/* How long to wait before accepting again when out of descriptors. */
#define RETRY_NS (100 * LBP_NS_PER_MS)

static struct acceptor *acceptor_of_room(struct mail *mail)
{
	return CONTAINER_OF(mail, struct acceptor, room);
}

static struct acceptor *acceptor_of_stop_order(struct mail *mail)
{
	return CONTAINER_OF(mail, struct acceptor, stop_order);
}

static struct acceptor *acceptor_of_retry(struct alarm *alarm)
{
	return CONTAINER_OF(alarm, struct acceptor, retry);
}

static struct acceptor *acceptor_of_door(struct watch *watch)
{
	return CONTAINER_OF(watch, struct acceptor, door);
}

bool acceptor_has_thread(const struct acceptor *acceptor)
{
	return acceptor->loop == &acceptor->own_loop;
}

/*
 * Whether the listeners are waited for. However many there are, pausing takes
 * one system call: they are behind one door. [SRV-52].
 */
static void set_accepting(struct acceptor *acceptor, bool on)
{
	poller_change(
		acceptor->loop->poller, &acceptor->door, on ? POLLER_READ : 0);
}

static bool is_accepting(const struct acceptor *acceptor)
{
	return acceptor->door.want != 0;
}

/* Accepts from now on, or as soon as there is a place. [SRV-20]. */
static void accept_if_room(struct acceptor *acceptor)
{
	set_accepting(acceptor, capacity_want(acceptor->capacity));
}

/* Stops accepting for a while. [SRV-21]. */
static void wait_for_resources(struct acceptor *acceptor, int error)
{
	capacity_exhausted(acceptor->capacity, "cannot accept", error);
	set_accepting(acceptor, false);
	loop_arm(acceptor->loop, &acceptor->retry, clock_now_ns() + RETRY_NS);
}

/* False with errno set: some cannot be watched now. */
static bool watch_listeners(struct acceptor *acceptor)
{
	int error = 0;
	size_t i;

	for (i = 0; i < acceptor->listeners.len; i++) {
		if (poller_set(acceptor->behind,
			    &acceptor->listeners.items[i]->watch,
			    POLLER_READ) != 0)
			error = errno;
	}
	errno = error;
	return error == 0;
}

/* Those that cannot be watched are tried again. [SRV-161]. */
static void watch_or_retry(struct acceptor *acceptor)
{
	if (watch_listeners(acceptor))
		return;
	capacity_exhausted(
		acceptor->capacity, "cannot watch a listener", errno);
	loop_arm(acceptor->loop, &acceptor->retry, clock_now_ns() + RETRY_NS);
}

static void retry_fired(struct alarm *alarm)
{
	struct acceptor *acceptor = acceptor_of_retry(alarm);

	watch_or_retry(acceptor);
	accept_if_room(acceptor);
}

static void deliver_room(struct mail *mail)
{
	struct acceptor *acceptor = acceptor_of_room(mail);

	/* If resources ran out, the alarm looks for a place. */
	if (!acceptor->stopped && !lbp_timer_is_armed(&acceptor->retry.timer))
		accept_if_room(acceptor);
}

/* Another process may keep its socket open, and thereby watched. [ACT-6]. */
static void stop_watching(struct acceptor *acceptor, struct listener *listener)
{
	poller_stop(acceptor->behind, &listener->watch);
}

void acceptor_close(struct acceptor *acceptor)
{
	size_t i;

	for (i = 0; i < acceptor->listeners.len; i++)
		stop_watching(acceptor, acceptor->listeners.items[i]);
	listeners_close(&acceptor->listeners);
}

static void deliver_stop(struct mail *mail)
{
	struct acceptor *acceptor = acceptor_of_stop_order(mail);

	acceptor->stopped = true;
	set_accepting(acceptor, false);
	loop_disarm(acceptor->loop, &acceptor->retry);
	acceptor_close(acceptor);
	mailbox_post(acceptor->reply_to, acceptor->done);
}

static uint32_t choose_worker(struct acceptor *acceptor)
{
	uint32_t i;

	for (i = 0; i < acceptor->worker_len; i++)
		acceptor->loads[i] = worker_load(&acceptor->workers[i]);
	acceptor->last = lbp_spread_choose(
		acceptor->loads, acceptor->worker_len, acceptor->last);
	return acceptor->last;
}

/* Accepts one into the spare message. */
static bool accept_one(struct acceptor *acceptor, int listener_fd)
{
	socklen_t len = sizeof(union address);

	/* Allocated first, so that no accepted connection is dropped for it. */
	if (acceptor->spare == NULL)
		acceptor->spare = calloc(1, sizeof(*acceptor->spare));
	if (acceptor->spare == NULL) {
		wait_for_resources(acceptor, ENOMEM);
		return false;
	}
	acceptor->spare->fd = accept4(listener_fd, &acceptor->spare->peer.sa,
		&len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (acceptor->spare->fd >= 0)
		return true;
	if (errno != EAGAIN && lbp_fault_of_accept(errno) == LBP_FAULT_OURS)
		wait_for_resources(acceptor, errno);
	return false;
}

/* Accepts one per turn, so that no listener starves the others. [SRV-52]. */
static void listener_ready(struct watch *watch, unsigned ready)
{
	struct listener *listener = (struct listener *)(void *)watch;
	struct acceptor *acceptor = listener->acceptor;
	struct handover *handover;

	(void)ready;
	/* An earlier listener of this turn may have paused all of them. */
	if (is_accepting(acceptor))
		accept_if_room(acceptor);
	if (!is_accepting(acceptor) || !accept_one(acceptor, watch->fd))
		return;
	capacity_add_loose(acceptor->capacity);
	handover = acceptor->spare;
	handover->app = served_app_hold(listener->app);
	if (!acceptor_has_thread(acceptor)) {
		worker_serve(acceptor->workers, handover);
		return;
	}
	acceptor->spare = NULL;
	worker_hand_over(&acceptor->workers[choose_worker(acceptor)], handover);
}

static void door_ready(struct watch *watch, unsigned ready)
{
	(void)ready;
	/* Those that cannot be looked at now stay ready. */
	(void)poller_wait(acceptor_of_door(watch)->behind, 0);
}

void acceptor_run(struct acceptor *acceptor)
{
	while (!acceptor->stopped)
		loop_turn(acceptor->loop, true);
}

void acceptor_has_room(struct acceptor *acceptor)
{
	mailbox_post(acceptor->mailbox, &acceptor->room);
}

void acceptor_stop(
	struct acceptor *acceptor, struct mailbox *reply_to, struct mail *done)
{
	acceptor->reply_to = reply_to;
	acceptor->done = done;
	mailbox_post(acceptor->mailbox, &acceptor->stop_order);
}

/* Its own loop has its alarm alone. */
static bool init_own_loop(struct acceptor *acceptor, enum lbp_event_loop kind)
{
	acceptor->loop = &acceptor->own_loop;
	acceptor->mailbox = &acceptor->own_mailbox;
	return loop_init(acceptor->loop, kind, 1) &&
	       mailbox_init(acceptor->mailbox, acceptor->loop->poller);
}

/* Where it runs, and what it looks at there. */
static bool init_loop(struct acceptor *acceptor, enum lbp_event_loop kind)
{
	acceptor->loop = &acceptor->workers[0].loop;
	acceptor->mailbox = &acceptor->workers[0].mailbox;
	if (acceptor->worker_len > 1 && !init_own_loop(acceptor, kind))
		return false;
	/* A poller of select has no descriptor to wait for. */
	acceptor->behind = poller_new(LBP_EVENT_LOOP_EPOLL);
	if (acceptor->behind == NULL)
		return false;
	acceptor->door = (struct watch){
		.fd = poller_epoll_fd(acceptor->behind), .ready = door_ready};
	return poller_set(acceptor->loop->poller, &acceptor->door,
		       POLLER_READ) == 0;
}

bool acceptor_init(struct acceptor *acceptor, const struct snapshot *snapshot,
	struct capacity *capacity, struct worker *workers)
{
	*acceptor = (struct acceptor){.room.deliver = deliver_room,
		.stop_order.deliver = deliver_stop,
		.capacity = capacity,
		.workers = workers,
		.worker_len = snapshot->workers,
		.last = snapshot->workers - 1};
	alarm_init(&acceptor->retry, retry_fired);
	acceptor->loads = calloc(acceptor->worker_len, sizeof(uint32_t));
	if (acceptor->loads != NULL &&
		init_loop(acceptor, snapshot->event_loop))
		return true;
	log_error(LBP_LOG_ERROR, "cannot start accepting connections",
		strerror(errno));
	return false;
}

/* Those of its listeners that do not stay. */
static void close_removed(struct acceptor *acceptor)
{
	size_t i;

	for (i = 0; i < acceptor->listeners.len; i++) {
		struct listener *listener = acceptor->listeners.items[i];

		if (listener->stays)
			continue;
		stop_watching(acceptor, listener);
		close(listener->watch.fd);
	}
}

static void use(struct acceptor *acceptor, struct listener *listener)
{
	served_app_release(listener->app);
	listener->app = listener->next;
	listener->next = NULL;
	listener->acceptor = acceptor;
	listener->watch.ready = listener_ready;
}

static void take_over(struct acceptor *acceptor, struct acceptor_change *change)
{
	struct listeners before = acceptor->listeners;
	size_t i;

	close_removed(acceptor);
	acceptor->listeners = change->listeners;
	for (i = 0; i < acceptor->listeners.len; i++)
		use(acceptor, acceptor->listeners.items[i]);
	change->listeners = before;
}

bool acceptor_adopt(struct acceptor *acceptor, struct acceptor_change *change)
{
	take_over(acceptor, change);
	return watch_listeners(acceptor);
}

static void deliver_adopt(struct mail *mail)
{
	struct acceptor_change *change =
		CONTAINER_OF(mail, struct acceptor_change, order);

	/* It comes before the order to stop: no drain is followed by a reload.
	 */
	take_over(change->acceptor, change);
	watch_or_retry(change->acceptor);
	mailbox_post(change->reply_to, change->done);
}

void acceptor_order(struct acceptor *acceptor, struct acceptor_change *change)
{
	change->order = (struct mail){.deliver = deliver_adopt};
	change->acceptor = acceptor;
	mailbox_post(acceptor->mailbox, &change->order);
}

void acceptor_release(struct acceptor *acceptor)
{
	size_t i;

	mailbox_release(&acceptor->own_mailbox);
	loop_release(&acceptor->own_loop);
	acceptor_close(acceptor);
	poller_free(acceptor->behind);
	for (i = 0; i < acceptor->listeners.len; i++)
		acceptor->listeners.items[i]->stays = false;
	listeners_release(&acceptor->listeners);
	free(acceptor->loads);
	free(acceptor->spare);
}
