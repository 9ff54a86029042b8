#include "server.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "acceptor.h"
#include "clock.h"
#include "log.h"
#include "process.h"
#include "resolver.h"

struct server {
	struct snapshot *snapshot;
	struct listeners listeners;
	struct capacity capacity;
	struct handshakes handshakes;
	struct loop loop; /* the main thread's */
	struct mailbox mailbox;
	struct acceptor acceptor;
	struct mail acceptor_done;
	struct crew *crew;      /* one for each worker, */
	struct worker *workers; /* worker_len of them */
	uint32_t worker_len;
	uint32_t running; /* workers that are not done */
	bool drain_begun;
	bool accepts; /* until the acceptor is done */
	bool forced;  /* to stop at once */
	uint64_t drain_until_ns;
	struct alarm look; /* at what will soon hurt */
};

/* A worker as the main thread knows it. */
struct crew {
	struct server *server;
	struct worker *worker;
	struct mail done; /* the worker's thread ended */
};

/*
 * What signal handlers can reach, as they are given no argument. A signal is
 * counted before the main thread is woken, so that none is lost. [SRV-51].
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

static void install_signals(struct server *server)
{
	atomic_store(&terminations, 0);
	atomic_store(&hangups, 0);
	signalled = &server->mailbox;
	process_handle_signals(signal_arrived);
}

/* [SRV-31]. */
static void raise_descriptor_limit(uint64_t needed)
{
	struct rlimit limit;
	struct log_line line;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= needed)
		return;
	limit.rlim_cur = limit.rlim_max < needed ? limit.rlim_max : needed;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur >= needed)
		return;
	log_begin(&line, LBP_LOG_WARN, "error");
	log_string(&line, "message",
		"the descriptor limit is below what max_connections needs");
	log_uint(&line, "limit", limit.rlim_cur);
	log_uint(&line, "needed", needed);
	log_end(&line);
}

static void log_ready(const struct server *server)
{
	char text[ADDRESS_TEXT_MAX];
	struct log_line line;
	size_t i;

	log_begin(&line, LBP_LOG_INFO, "ready");
	log_uint(&line, "workers", server->worker_len);
	log_string(&line, "event_loop",
		server->snapshot->event_loop == LBP_EVENT_LOOP_EPOLL
			? "epoll"
			: "select");
	log_array(&line, "listen");
	for (i = 0; i < server->listeners.len; i++)
		log_item(
			&line, address_text(&server->listeners.items[i].address,
				       text));
	log_array_end(&line, "listen_omitted");
	log_end(&line);
}

static void log_notice(
	const char *file, struct lbp_config_pos pos, const char *message)
{
	struct log_line line;

	log_begin(&line, LBP_LOG_WARN, "error");
	log_string(&line, "message", message);
	log_string(&line, "file", file);
	log_uint(&line, "line", pos.line);
	log_uint(&line, "column", pos.column);
	log_end(&line);
}

/* [SRV-80]. */
static void look_at_notices(struct server *server)
{
	notices_for_each(&server->snapshot->notices, log_notice);
	loop_arm(&server->loop, &server->look,
		lbp_expiry_next_ns(clock_now_ns()));
}

static void look_again(struct alarm *alarm)
{
	look_at_notices(
		(struct server *)(void *)((char *)alarm -
					  offsetof(struct server, look)));
}

static void *worker_main(void *arg)
{
	struct crew *crew = arg;

	worker_run(crew->worker);
	mailbox_post(&crew->server->mailbox, &crew->done);
	return NULL;
}

static void *acceptor_main(void *arg)
{
	struct server *server = arg;

	acceptor_run(&server->acceptor);
	mailbox_post(&server->mailbox, &server->acceptor_done);
	return NULL;
}

/* Starts a thread that no signal interrupts: they are the main thread's. */
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

/* The workers' last order, as nothing is handed over to them any more. */
static void order_workers(struct server *server)
{
	uint32_t i;

	for (i = 0; i < server->worker_len; i++) {
		if (server->forced)
			worker_stop(&server->workers[i]);
		else
			worker_drain(
				&server->workers[i], server->drain_until_ns);
	}
}

static void deliver_acceptor_done(struct mail *mail)
{
	struct server *server =
		(struct server *)(void *)((char *)mail -
					  offsetof(struct server,
						  acceptor_done));

	server->accepts = false;
	order_workers(server);
}

static void deliver_worker_done(struct mail *mail)
{
	struct crew *crew =
		(struct crew *)(void *)((char *)mail -
					offsetof(struct crew, done));

	crew->server->running--;
}

/* The acceptor's last order comes first, the workers' when it is done. */
static void begin_drain(struct server *server)
{
	server->drain_begun = true;
	server->drain_until_ns =
		clock_now_ns() + server->snapshot->config->drain_ns;
	acceptor_stop(&server->acceptor);
}

static void force(struct server *server)
{
	server->forced = true;
	if (!server->drain_begun)
		begin_drain(server);
	else if (!server->accepts)
		order_workers(server);
}

static void terminate(struct server *server)
{
	struct log_line line;

	if (server->drain_begun) {
		force(server);
		return;
	}
	log_begin(&line, LBP_LOG_INFO, "drain");
	log_uint(&line, "connections", atomic_load(&server->capacity.used));
	log_end(&line);
	begin_drain(server);
}

/* Only after a turn of the loop, which consumed the wake-up. */
static void take_signals(struct server *server)
{
	unsigned n;

	for (n = atomic_exchange(&terminations, 0); n > 0; n--)
		terminate(server);
	/* However many came meanwhile, one answer is enough. */
	if (atomic_exchange(&hangups, 0) > 0)
		log_error(LBP_LOG_ERROR,
			"reload is not built yet: SIGHUP changes nothing",
			NULL);
}

static void supervise(struct server *server)
{
	while (server->running > 0) {
		/* Nothing works without the poller: it failing is a bug. */
		if (!loop_turn(&server->loop, true)) {
			log_error(LBP_LOG_ERROR, "the event loop failed",
				strerror(errno));
			abort();
		}
		take_signals(server);
	}
}

/*
 * Runs all threads until they are done. If one can't be started the server
 * stops at once, and those that were not started get their orders here.
 */
static bool run_threads(struct server *server)
{
	uint32_t started = 0;
	bool ok = true;
	uint32_t i;

	/* Workers first: connections may be handed over to any of them. */
	while (ok && started < server->worker_len) {
		ok = start_thread(&server->workers[started].thread, worker_main,
			&server->crew[started]);
		started += ok;
	}
	ok = ok &&
	     start_thread(&server->acceptor.thread, acceptor_main, server);
	if (!ok) {
		force(server);
		acceptor_main(server);
		server->running = started;
	}
	supervise(server);
	if (ok)
		pthread_join(server->acceptor.thread, NULL);
	for (i = 0; i < started; i++)
		pthread_join(server->workers[i].thread, NULL);
	return ok;
}

static int serve(struct server *server)
{
	struct log_line line;
	int status = EXIT_FAILURE;
	uint32_t made;
	bool ok = true;

	for (made = 0; ok && made < server->worker_len; made++) {
		server->crew[made] = (struct crew){.server = server,
			.worker = &server->workers[made],
			.done.deliver = deliver_worker_done};
		ok = worker_init(&server->workers[made], server->snapshot,
			&server->capacity, &server->handshakes, made);
	}
	server->running = server->worker_len;
	server->accepts = true;
	if (ok && acceptor_init(&server->acceptor, server->snapshot,
			  &server->capacity, &server->listeners,
			  server->workers)) {
		log_ready(server);
		look_at_notices(server);
		if (run_threads(server) && !server->forced)
			status = EXIT_SUCCESS;
		log_begin(&line, LBP_LOG_INFO, "stopped");
		log_end(&line);
	}
	acceptor_release(&server->acceptor);
	while (made-- > 0)
		worker_release(&server->workers[made]);
	return status;
}

static void has_room(void *user)
{
	struct server *server = user;

	acceptor_has_room(&server->acceptor);
}

static bool init(struct server *server)
{
	server->workers = calloc(server->worker_len, sizeof(*server->workers));
	server->crew = calloc(server->worker_len, sizeof(*server->crew));
	if (server->workers != NULL && server->crew != NULL &&
		loop_init(&server->loop, server->snapshot->event_loop, 1) &&
		mailbox_init(&server->mailbox, server->loop.poller) &&
		handshakes_init(
			&server->handshakes, server->snapshot->handshakes))
		return true;
	log_error(LBP_LOG_ERROR, "cannot start", strerror(errno));
	return false;
}

int server_run(struct snapshot *snapshot)
{
	struct server server = {.snapshot = snapshot,
		.worker_len = snapshot->workers,
		.acceptor_done.deliver = deliver_acceptor_done};
	struct resolver *resolver = NULL;
	int status = EXIT_FAILURE;

	alarm_init(&server.look, look_again);
	log_open();
	log_set_level(snapshot->config->log_level);
	capacity_init(&server.capacity, snapshot->config->max_connections,
		LBP_LOOSE_PER_WORKER * snapshot->workers, has_room, &server);
	raise_descriptor_limit(snapshot->descriptors);
	if (init(&server) && listeners_open(&server.listeners, snapshot) &&
		resolver_start(&resolver, snapshot)) {
		install_signals(&server);
		status = serve(&server);
		process_handle_signals(SIG_IGN);
	}
	resolver_stop(resolver);
	listeners_close(&server.listeners);
	listeners_release(&server.listeners);
	handshakes_release(&server.handshakes);
	mailbox_release(&server.mailbox);
	loop_release(&server.loop);
	log_close();
	free(server.crew);
	free(server.workers);
	return status;
}
