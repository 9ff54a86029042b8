#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "check.h"
#include "conn.h"
#include "log.h"

/* Free rings kept: a burst's worth, and not what a crowd once needed. */
#define RINGS_KEPT 16
/* Connections accepted in one go, so that other workers get some. */
#define ACCEPT_BATCH 8
/* How long a worker out of descriptors waits before it accepts again. */
#define RETRY_NS (100 * NS_PER_MS)

/* A free ring's first bytes. */
struct ring {
	struct ring *next;
};

uint8_t *worker_take_ring(struct worker *worker)
{
	struct ring *ring = worker->rings;

	if (ring == NULL)
		return malloc(RING_BYTES);
	worker->rings = ring->next;
	worker->ring_len--;
	return (uint8_t *)ring;
}

void worker_give_ring(struct worker *worker, uint8_t *bytes)
{
	struct ring *ring = (struct ring *)(void *)bytes;

	if (ring == NULL)
		return;
	if (worker->ring_len >= RINGS_KEPT) {
		free(ring);
		return;
	}
	ring->next = worker->rings;
	worker->rings = ring;
	worker->ring_len++;
}

void worker_arm(struct worker *worker, struct alarm *alarm, uint64_t due_ns)
{
	/* The heap has a place for every alarm that there can be. */
	(void)lbp_timers_arm(&worker->timers, &alarm->timer, due_ns);
}

void worker_disarm(struct worker *worker, struct alarm *alarm)
{
	lbp_timers_disarm(&worker->timers, &alarm->timer);
}

void worker_wake(struct worker *worker)
{
	/* A full pipe wakes it as well. */
	if (write(worker->wake_write, "", 1) < 0)
		return;
}

static bool has_room(struct server *server)
{
	return atomic_load(&server->connections) <
	       server->snapshot->config->max_connections;
}

static void set_accepting(struct worker *worker, bool on)
{
	size_t i;

	for (i = 0; i < worker->server->listeners.len; i++) {
		if (poller_set(worker->poller, &worker->acceptors[i].watch,
			    on ? POLLER_READ : 0) != 0)
			server_exhausted(
				worker->server, "cannot accept", errno);
	}
}

/* Accepts now, or as soon as a connection ends somewhere. [SRV-20]. */
static void accept_if_room(struct worker *worker)
{
	struct server *server = worker->server;

	if (!has_room(server)) {
		set_accepting(worker, false);
		atomic_store(&server->waiting, true);
		/* One may have ended before it could see that we wait. */
		if (!has_room(server))
			return;
	}
	set_accepting(worker, true);
}

/* Stops to accept for a while. [SRV-21]. */
static void wait_for_resources(struct worker *worker, int error)
{
	server_exhausted(worker->server, "cannot accept", error);
	set_accepting(worker, false);
	worker_arm(worker, &worker->retry, clock_now_ns() + RETRY_NS);
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
	union address peer;
	socklen_t len = sizeof(peer);
	int fd;

	if (!server_reserve(worker->server)) {
		accept_if_room(worker);
		return false;
	}
	fd = accept4(acceptor->watch.fd, &peer.sa, &len,
		SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0) {
		conn_start(worker, acceptor->listener->app, fd, &peer);
		return true;
	}
	server_release(worker->server);
	if (errno == ECONNABORTED || errno == EINTR)
		return true;
	if (errno != EAGAIN)
		wait_for_resources(worker, errno);
	return false;
}

static void acceptor_ready(struct watch *watch, unsigned ready)
{
	struct acceptor *acceptor = (struct acceptor *)watch;
	unsigned n;

	(void)ready;
	for (n = 0; n < ACCEPT_BATCH; n++) {
		if (!accept_one(acceptor))
			return;
	}
}

static void stop_listening(struct worker *worker)
{
	struct server *server = worker->server;

	if (!worker->listening)
		return;
	worker->listening = false;
	set_accepting(worker, false);
	worker_disarm(worker, &worker->retry);
	worker_arm(
		worker, &worker->drain, atomic_load(&server->drain_until_ns));
	server_stopped_listening(server);
}

static void stop_all(struct worker *worker, enum lbp_reason reason)
{
	struct conn *conn, *next;

	for (conn = worker->conns; conn != NULL; conn = next) {
		next = conn->next;
		conn_stop(conn, reason);
	}
}

static void drain_fired(struct alarm *alarm)
{
	struct worker *worker =
		(struct worker *)(void *)((char *)alarm -
					  offsetof(struct worker, drain));

	stop_all(worker, LBP_REASON_DRAIN_TIMEOUT);
}

static void wake_ready(struct watch *watch, unsigned ready)
{
	struct worker *worker =
		(struct worker *)(void *)((char *)watch -
					  offsetof(struct worker, wake));
	enum server_phase phase = atomic_load(&worker->server->phase);
	char buf[64];

	(void)ready;
	while (read(watch->fd, buf, sizeof(buf)) == (ssize_t)sizeof(buf))
		continue;
	if (phase >= SERVER_DRAINING)
		stop_listening(worker);
	if (phase >= SERVER_STOPPING)
		stop_all(worker, LBP_REASON_SHUTDOWN);
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
	return poller_set(worker->poller, &worker->wake, POLLER_READ) == 0;
}

static bool init_acceptors(struct worker *worker)
{
	struct listeners *listeners = &worker->server->listeners;
	size_t i;

	worker->acceptors = calloc(listeners->len, sizeof(*worker->acceptors));
	if (worker->acceptors == NULL)
		return false;
	for (i = 0; i < listeners->len; i++) {
		struct acceptor *acceptor = &worker->acceptors[i];

		acceptor->watch = (struct watch){
			.fd = listeners->items[i].fd,
			.shared = worker->server->worker_len > 1,
			.ready = acceptor_ready,
		};
		acceptor->worker = worker;
		acceptor->listener = &listeners->items[i];
		if (poller_set(worker->poller, &acceptor->watch, POLLER_READ) !=
			0)
			return false;
	}
	worker->listening = true;
	return true;
}

bool worker_init(struct worker *worker, struct server *server, uint32_t number,
	uint32_t timer_cap)
{
	*worker = (struct worker){
		.server = server,
		.number = number,
		.wake.fd = -1,
		.wake_write = -1,
		.retry.fire = retry_fired,
		.drain.fire = drain_fired,
	};
	lbp_timer_init(&worker->retry.timer);
	lbp_timer_init(&worker->drain.timer);
	worker->poller = poller_new(server->snapshot->event_loop);
	worker->timer_heap = calloc(timer_cap, sizeof(struct lbp_timer *));
	if (worker->poller != NULL && worker->timer_heap != NULL) {
		lbp_timers_init(&worker->timers, worker->timer_heap, timer_cap);
		if (init_wake(worker) && init_acceptors(worker) &&
			checkers_init(worker))
			return true;
	}
	log_error(LBP_LOG_ERROR, "cannot start a worker", strerror(errno));
	return false;
}

void worker_release(struct worker *worker)
{
	checkers_release(worker);
	while (worker->rings != NULL) {
		struct ring *next = worker->rings->next;

		free(worker->rings);
		worker->rings = next;
	}
	free(worker->acceptors);
	if (worker->wake.fd >= 0)
		close(worker->wake.fd);
	if (worker->wake_write >= 0)
		close(worker->wake_write);
	free(worker->timer_heap);
	poller_free(worker->poller);
}

static int timeout_ms(const struct worker *worker)
{
	uint64_t due = lbp_timers_due(&worker->timers);
	uint64_t now, ms;

	if (worker->again != NULL)
		return 0;
	if (due == LBP_NEVER)
		return -1;
	now = clock_now_ns();
	if (due <= now)
		return 0;
	/* Rounded up: waking early would only mean to wait again. */
	ms = (due - now + NS_PER_MS - 1) / NS_PER_MS;
	return ms < INT_MAX ? (int)ms : INT_MAX;
}

static void fire_alarms(struct worker *worker)
{
	uint64_t now = clock_now_ns();
	struct lbp_timer *timer;

	while ((timer = lbp_timers_take(&worker->timers, now)) != NULL) {
		struct alarm *alarm = (struct alarm *)timer;

		alarm->fire(alarm);
	}
}

/* Goes on with those that gave way to others; each gets one more turn. */
static void go_on(struct worker *worker)
{
	struct conn *conn = worker->again;
	struct conn *next;

	worker->again = NULL;
	for (; conn != NULL; conn = next) {
		next = conn->again_next;
		conn_go_on(conn);
	}
}

static void bury(struct worker *worker)
{
	struct conn *conn;

	while ((conn = worker->buried) != NULL) {
		worker->buried = conn->next;
		free(conn);
	}
}

void *worker_main(void *arg)
{
	struct worker *worker = arg;

	while (worker->listening || worker->conns != NULL) {
		if (poller_wait(worker->poller, timeout_ms(worker)) != 0) {
			log_error(LBP_LOG_ERROR, "the event loop failed",
				strerror(errno));
			abort();
		}
		fire_alarms(worker);
		go_on(worker);
		bury(worker);
	}
	return NULL;
}
