#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"

/* Connections accepted in one go, so that other workers get some. */
#define ACCEPT_BATCH 8
/* How long a worker out of descriptors waits before it accepts again. */
#define RETRY_NS (100 * NS_PER_MS)

/* A worker's watch on a listening socket. */
struct acceptor {
	struct watch watch; /* first: a ready watch is its acceptor */
	struct worker *worker;
	struct listener *listener;
};

void worker_wake(struct worker *worker)
{
	/* A full pipe wakes it as well. */
	if (write(worker->wake_write, "", 1) < 0)
		return;
}

static void set_accepting(struct worker *worker, bool on)
{
	struct orders *orders = worker->orders;
	size_t i;

	for (i = 0; i < orders->listeners.len; i++) {
		if (poller_set(worker->loop.poller, &worker->acceptors[i].watch,
			    on ? POLLER_READ : 0) != 0)
			capacity_exhausted(
				&orders->capacity, "cannot accept", errno);
	}
}

/* Accepts now, or as soon as a session ends somewhere. [SRV-20]. */
static void accept_if_room(struct worker *worker)
{
	set_accepting(worker, capacity_want(&worker->orders->capacity));
}

/* Stops to accept for a while. [SRV-21]. */
static void wait_for_resources(struct worker *worker, int error)
{
	capacity_exhausted(&worker->orders->capacity, "cannot accept", error);
	set_accepting(worker, false);
	loop_arm(&worker->loop, &worker->retry, clock_now_ns() + RETRY_NS);
}

static void retry_fired(struct alarm *alarm)
{
	struct worker *worker =
		(struct worker *)(void *)((char *)alarm -
					  offsetof(struct worker, retry));

	accept_if_room(worker);
}

/* Accepts one; false: no more for now. */
static bool accept_one(struct acceptor *acceptor)
{
	struct worker *worker = acceptor->worker;
	struct capacity *capacity = &worker->orders->capacity;
	union address peer;
	socklen_t len = sizeof(peer);
	int fd;

	if (!capacity_want(capacity)) {
		set_accepting(worker, false);
		return false;
	}
	fd = accept4(acceptor->watch.fd, &peer.sa, &len,
		SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0) {
		conn_start(&worker->conns, acceptor->listener->app, fd, &peer);
		return true;
	}
	if (errno == ECONNABORTED || errno == EINTR)
		return true;
	if (errno != EAGAIN)
		wait_for_resources(worker, errno);
	return false;
}

static void acceptor_ready(struct watch *watch, unsigned ready)
{
	struct acceptor *acceptor = (struct acceptor *)(void *)watch;
	unsigned n;

	(void)ready;
	for (n = 0; n < ACCEPT_BATCH; n++) {
		if (!accept_one(acceptor))
			return;
	}
}

/* The last worker to do so closes the sockets. [SRV-24]. */
static void stop_listening(struct worker *worker)
{
	struct orders *orders = worker->orders;

	if (!worker->listening)
		return;
	worker->listening = false;
	set_accepting(worker, false);
	loop_disarm(&worker->loop, &worker->retry);
	loop_arm(&worker->loop, &worker->drain,
		atomic_load(&orders->drain_until_ns));
	if (atomic_fetch_sub(&orders->listening, 1) == 1)
		listeners_close(&orders->listeners);
}

static void drain_fired(struct alarm *alarm)
{
	struct worker *worker =
		(struct worker *)(void *)((char *)alarm -
					  offsetof(struct worker, drain));

	conns_stop(&worker->conns, LBP_REASON_DRAIN_TIMEOUT);
}

static void wake_ready(struct watch *watch, unsigned ready)
{
	struct worker *worker =
		(struct worker *)(void *)((char *)watch -
					  offsetof(struct worker, wake));
	enum phase phase = atomic_load(&worker->orders->phase);
	char buf[64];

	(void)ready;
	while (read(watch->fd, buf, sizeof(buf)) == (ssize_t)sizeof(buf))
		continue;
	if (phase >= PHASE_DRAINING)
		stop_listening(worker);
	if (phase >= PHASE_STOPPING)
		conns_stop(&worker->conns, LBP_REASON_SHUTDOWN);
	if (worker->listening && !lbp_timer_is_armed(&worker->retry.timer))
		accept_if_room(worker);
}

static bool init_wake(struct worker *worker)
{
	int fds[2];

	if (pipe2(fds, O_NONBLOCK | O_CLOEXEC) != 0)
		return false;
	worker->wake = (struct watch){.fd = fds[0], .ready = wake_ready};
	worker->wake_write = fds[1];
	return poller_set(worker->loop.poller, &worker->wake, POLLER_READ) == 0;
}

static bool init_acceptors(struct worker *worker)
{
	struct listeners *listeners = &worker->orders->listeners;
	bool shared = worker->orders->snapshot->workers > 1;
	size_t i;

	worker->acceptors = calloc(listeners->len, sizeof(*worker->acceptors));
	if (worker->acceptors == NULL)
		return false;
	for (i = 0; i < listeners->len; i++) {
		struct acceptor *acceptor = &worker->acceptors[i];

		acceptor->watch = (struct watch){.fd = listeners->items[i].fd,
			.shared = shared,
			.ready = acceptor_ready};
		acceptor->worker = worker;
		acceptor->listener = &listeners->items[i];
		if (poller_set(worker->loop.poller, &acceptor->watch,
			    POLLER_READ) != 0)
			return false;
	}
	worker->listening = true;
	return true;
}

/* Every connection and check, and a few of the worker's own. */
static uint32_t count_alarms(const struct lbp_config *config)
{
	size_t n = config->max_connections + config->app_len + 8;
	size_t i;

	for (i = 0; i < config->app_len; i++)
		n += config->apps[i].upstream_len;
	return (uint32_t)n;
}

bool worker_init(struct worker *worker, struct orders *orders, uint32_t number)
{
	struct snapshot *snapshot = orders->snapshot;

	*worker = (struct worker){
		.orders = orders, .wake.fd = -1, .wake_write = -1};
	alarm_init(&worker->retry, retry_fired);
	alarm_init(&worker->drain, drain_fired);
	conns_init(&worker->conns, &worker->loop, &orders->capacity, snapshot);
	if (loop_init(&worker->loop, snapshot->event_loop,
		    count_alarms(snapshot->config)) &&
		init_wake(worker) && init_acceptors(worker) &&
		checkers_init(&worker->checkers, &worker->loop,
			&orders->capacity, snapshot, number))
		return true;
	log_error(LBP_LOG_ERROR, "cannot start a worker", strerror(errno));
	return false;
}

void worker_release(struct worker *worker)
{
	checkers_release(&worker->checkers);
	free(worker->acceptors);
	if (worker->wake.fd >= 0)
		close(worker->wake.fd);
	if (worker->wake_write >= 0)
		close(worker->wake_write);
	loop_release(&worker->loop);
}

void worker_run(struct worker *worker)
{
	while (worker->listening || worker->conns.all != NULL) {
		/* Nothing works without the poller: it failing is a bug. */
		if (!loop_turn(&worker->loop, worker->conns.again == NULL)) {
			log_error(LBP_LOG_ERROR, "the event loop failed",
				strerror(errno));
			abort();
		}
		conns_turn(&worker->conns);
	}
}
