#include "crew.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "container.h"
#include "log.h"
#include "process.h"
#include "server/descriptors.h"

/*
 * Global, as signal handlers get no argument. A signal is counted before the
 * main thread is woken, so that none is lost. [SRV-51].
 */
static atomic_uint terminations;
static atomic_uint hangups;
static struct mailbox *signalled;

static void signal_arrived(int number)
{
	int saved = errno;

	atomic_fetch_add(number == SIGHUP ? &hangups : &terminations, 1);
	mailbox_wake(signalled);
	errno = saved;
}

static void install_signals(struct crew *crew)
{
	atomic_store(&terminations, 0);
	atomic_store(&hangups, 0);
	signalled = &crew->mailbox;
	process_handle_signals(signal_arrived);
}

static void *worker_main(void *arg)
{
	struct member *member = arg;

	worker_run(member->worker);
	mailbox_post(&member->crew->mailbox, &member->done);
	return NULL;
}

static void *acceptor_main(void *arg)
{
	acceptor_run(arg);
	return NULL;
}

/* Starts a thread with all signals blocked: the main thread gets them. */
static bool start_thread(pthread_t *thread, void *(*main)(void *), void *arg)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(thread, NULL, main, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc != 0)
		log_error(LBP_LOG_ERROR, "cannot start a thread", strerror(rc));
	return rc == 0;
}

/* The workers' last order: nothing more is handed over to them. */
static void order_workers(struct crew *crew)
{
	uint32_t i;

	for (i = 0; i < crew->len; i++) {
		if (crew->forced)
			worker_stop(&crew->workers[i]);
		else
			worker_drain(&crew->workers[i], crew->drain_until_ns);
	}
}

static void deliver_acceptor_done(struct mail *mail)
{
	struct crew *crew = CONTAINER_OF(mail, struct crew, acceptor_done);

	crew->accepts = false;
	order_workers(crew);
}

static void deliver_worker_done(struct mail *mail)
{
	struct member *member = CONTAINER_OF(mail, struct member, done);

	member->has_ended = true;
	member->crew->running--;
}

/* Stops the acceptor first; the workers get theirs when it is done. */
static void close_listeners(struct crew *crew)
{
	crew->closes = true;
	crew->drain_until_ns = clock_now_ns() + crew->drain_ns;
	acceptor_stop(&crew->acceptor, &crew->mailbox, &crew->acceptor_done);
}

static void delay_fired(struct alarm *alarm)
{
	close_listeners(CONTAINER_OF(alarm, struct crew, delay));
}

/* Whoever sends connections here is given time to stop. [SRV-176]. */
static void begin_drain(struct crew *crew)
{
	if (crew->drain_delay_ns > 0)
		loop_arm(&crew->loop, &crew->delay,
			clock_now_ns() + crew->drain_delay_ns);
	else
		close_listeners(crew);
}

static void force(struct crew *crew)
{
	crew->forced = true;
	atomic_store(&crew->drain_begun, true);
	loop_disarm(&crew->loop, &crew->delay);
	if (!crew->closes)
		close_listeners(crew);
	else if (!crew->accepts)
		order_workers(crew);
}

static void call(const struct crew *crew, void (*handler)(void *user))
{
	if (handler != NULL)
		handler(crew->user);
}

static void terminate(struct crew *crew)
{
	struct log_line line;

	if (atomic_load(&crew->drain_begun)) {
		force(crew);
		return;
	}
	/* First, so that nobody who knows of the drain is told otherwise. */
	atomic_store(&crew->drain_begun, true);
	log_begin(&line, LBP_LOG_INFO, "drain");
	log_uint(&line, "connections", atomic_load(&crew->capacity.used));
	log_end(&line);
	call(crew, crew->drains);
	begin_drain(crew);
}

/* Only after a turn of the loop, which consumed the wake-up. */
static void take_signals(struct crew *crew)
{
	unsigned n;

	for (n = atomic_exchange(&terminations, 0); n > 0; n--)
		terminate(crew);
	/* However many signals have come, one answer is enough. */
	if (atomic_exchange(&hangups, 0) > 0)
		call(crew, crew->hung_up);
}

static void supervise(struct crew *crew)
{
	while (crew->running > 0) {
		loop_turn(&crew->loop, true);
		take_signals(crew);
	}
}

/*
 * If a thread cannot be started, the server stops at once. Nothing is accepted
 * then: nobody would serve what goes to a worker that was not started.
 */
bool crew_run(struct crew *crew)
{
	struct acceptor *acceptor = &crew->acceptor;
	bool has_thread = acceptor_has_thread(acceptor);
	uint32_t started = 0;
	bool ok = true;
	uint32_t i;

	/* Workers first: connections may be handed over to any of them. */
	while (ok && started < crew->len) {
		ok = start_thread(&crew->workers[started].thread, worker_main,
			&crew->members[started]);
		started += ok;
	}
	if (ok && has_thread)
		ok = start_thread(&acceptor->thread, acceptor_main, acceptor);
	if (ok) {
		call(crew, crew->started);
	} else {
		force(crew);
		acceptor_close(acceptor);
		mailbox_post(&crew->mailbox, &crew->acceptor_done);
		crew->running = started;
	}
	supervise(crew);
	if (ok && has_thread)
		pthread_join(acceptor->thread, NULL);
	for (i = 0; i < started; i++)
		pthread_join(crew->workers[i].thread, NULL);
	return ok && !crew->forced;
}

uint64_t crew_cut(const struct crew *crew)
{
	uint64_t cut = 0;
	uint32_t i;

	for (i = 0; i < crew->made; i++)
		cut += crew->workers[i].conns.cut;
	return cut;
}

static void has_room(void *user)
{
	struct crew *crew = user;

	acceptor_has_room(&crew->acceptor);
}

bool crew_init(
	struct crew *crew, const struct snapshot *snapshot, uint32_t alarm_cap)
{
	uint32_t len = snapshot->workers;

	*crew = (struct crew){.len = len,
		.running = len,
		.accepts = true,
		.event_loop = snapshot->event_loop,
		.max_handshakes = snapshot->handshakes,
		.drain_delay_ns = snapshot->config->drain_delay_ns,
		.drain_ns = snapshot->config->drain_ns,
		.acceptor_done.deliver = deliver_acceptor_done};
	alarm_init(&crew->delay, delay_fired);
	capacity_init(&crew->capacity, snapshot->config->max_connections,
		LBP_LOOSE_PER_WORKER * len, has_room, crew);
	crew->workers = calloc(len, sizeof(*crew->workers));
	crew->members = calloc(len, sizeof(*crew->members));
	if (crew->workers != NULL && crew->members != NULL &&
		loop_init(&crew->loop, snapshot->event_loop, alarm_cap + 1) &&
		mailbox_init(&crew->mailbox, crew->loop.poller) &&
		handshakes_init(&crew->handshakes, snapshot->handshakes))
		return true;
	log_error(LBP_LOG_ERROR, "cannot start", strerror(errno));
	return false;
}

bool crew_man(struct crew *crew, const struct snapshot *snapshot)
{
	bool ok = true;

	install_signals(crew);
	while (ok && crew->made < crew->len) {
		uint32_t number = crew->made++;

		crew->members[number] = (struct member){.crew = crew,
			.worker = &crew->workers[number],
			.done.deliver = deliver_worker_done};
		ok = worker_init(&crew->workers[number], snapshot,
			&crew->capacity, &crew->handshakes, number);
	}
	return ok && acceptor_init(&crew->acceptor, snapshot, &crew->capacity,
			     crew->workers);
}

void crew_release(struct crew *crew)
{
	/* Signals that arrive now change nothing. */
	process_handle_signals(SIG_IGN);
	acceptor_release(&crew->acceptor);
	while (crew->made > 0)
		worker_release(&crew->workers[--crew->made]);
	handshakes_release(&crew->handshakes);
	mailbox_release(&crew->mailbox);
	loop_release(&crew->loop);
	free(crew->members);
	free(crew->workers);
}
