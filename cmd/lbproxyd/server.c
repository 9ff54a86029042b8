#include "server.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"
#include "process.h"
#include "worker.h"

/* What a worker writes to the signal pipe when it is done; no signal. */
#define WORKER_DONE '\0'

struct server {
	struct orders orders;
	struct worker *workers; /* worker_len of them */
	uint32_t worker_len;
	int signal_fd; /* the pipe that signals and workers write to */
};

/* Where signal handlers write: they can be given no argument. */
static int signal_pipe = -1;

static void wake_workers(void *arg)
{
	struct server *server = arg;
	uint32_t i;

	for (i = 0; i < server->worker_len; i++)
		worker_wake(&server->workers[i]);
}

static void signal_arrived(int number)
{
	int saved = errno;
	char byte = (char)number;

	if (write(signal_pipe, &byte, 1) < 0)
		errno = saved;
	errno = saved;
}

static bool install_signals(struct server *server)
{
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) != 0) {
		log_error(LBP_LOG_ERROR, "cannot start", strerror(errno));
		return false;
	}
	server->signal_fd = fds[0];
	signal_pipe = fds[1];
	process_handle_signals(signal_arrived);
	return true;
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
		server->orders.snapshot->event_loop == LBP_EVENT_LOOP_EPOLL
			? "epoll"
			: "select");
	if (line.wanted) {
		lbp_json_key(&line.json, "listen", strlen("listen"));
		lbp_json_begin_array(&line.json);
		for (i = 0; i < server->orders.listeners.len; i++) {
			address_text(&server->orders.listeners.items[i].address,
				text);
			lbp_json_string(&line.json, text, strlen(text));
		}
		lbp_json_end_array(&line.json);
	}
	log_end(&line);
}

static void *thread_main(void *arg)
{
	const char done = WORKER_DONE;

	worker_run(arg);
	if (write(signal_pipe, &done, 1) < 0)
		log_error(LBP_LOG_ERROR, "a worker could not say that it ended",
			strerror(errno));
	return NULL;
}

static bool start_threads(struct server *server, uint32_t *started)
{
	sigset_t all, before;
	int rc = 0;

	/* Signals are the main thread's. */
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	for (*started = 0; rc == 0 && *started < server->worker_len;) {
		struct worker *worker = &server->workers[*started];

		rc = pthread_create(&worker->thread, NULL, thread_main, worker);
		if (rc == 0)
			(*started)++;
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc != 0)
		log_error(LBP_LOG_ERROR, "cannot start a worker", strerror(rc));
	return rc == 0;
}

static void set_phase(struct server *server, enum phase phase)
{
	struct orders *orders = &server->orders;

	if (phase == PHASE_DRAINING)
		atomic_store(&orders->drain_until_ns,
			clock_now_ns() + orders->snapshot->config->drain_ns);
	atomic_store(&orders->phase, phase);
	wake_workers(server);
}

static void terminate(struct server *server)
{
	struct log_line line;

	if (atomic_load(&server->orders.phase) == PHASE_SERVING) {
		log_begin(&line, LBP_LOG_INFO, "drain");
		log_uint(&line, "connections",
			atomic_load(&server->orders.capacity.used));
		log_end(&line);
		set_phase(server, PHASE_DRAINING);
	} else {
		set_phase(server, PHASE_STOPPING);
	}
}

/* Until all workers are done; the exit status. */
static int supervise(struct server *server, uint32_t running)
{
	bool forced;
	ssize_t n;
	char what;

	while (running > 0) {
		n = read(server->signal_fd, &what, 1);
		if (n != 1)
			continue;
		switch (what) {
		case WORKER_DONE:
			running--;
			break;
		case SIGHUP:
			log_error(LBP_LOG_ERROR,
				"reload is not built yet: SIGHUP changes "
				"nothing",
				NULL);
			break;
		default:
			terminate(server);
			break;
		}
	}
	forced = atomic_load(&server->orders.phase) == PHASE_STOPPING;
	return forced ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int serve(struct server *server)
{
	struct log_line line;
	int status = EXIT_FAILURE;
	uint32_t made, started, i;
	bool ok = true;

	for (made = 0; ok && made < server->worker_len; made++)
		ok = worker_init(&server->workers[made], &server->orders, made);
	if (!ok)
		goto out;
	atomic_store(&server->orders.listening, server->worker_len);
	log_ready(server);
	if (!start_threads(server, &started))
		set_phase(server, PHASE_STOPPING);
	status = supervise(server, started);
	for (i = 0; i < started; i++)
		pthread_join(server->workers[i].thread, NULL);
	log_begin(&line, LBP_LOG_INFO, "stopped");
	log_end(&line);
out:
	for (i = 0; i < made; i++)
		worker_release(&server->workers[i]);
	return status;
}

int server_run(struct snapshot *snapshot)
{
	struct server server = {.orders.snapshot = snapshot,
		.worker_len = snapshot->workers,
		.signal_fd = -1};
	struct orders *orders = &server.orders;
	int status = EXIT_FAILURE;

	log_make_room();
	log_set_level(snapshot->config->log_level);
	capacity_init(&orders->capacity, snapshot->config->max_connections,
		wake_workers, &server);
	server.workers = calloc(server.worker_len, sizeof(*server.workers));
	if (server.workers == NULL) {
		log_error(LBP_LOG_ERROR, "cannot start", strerror(errno));
		return EXIT_FAILURE;
	}
	raise_descriptor_limit(snapshot->descriptors);
	if (listeners_open(&orders->listeners, snapshot) &&
		install_signals(&server))
		status = serve(&server);
	listeners_close(&orders->listeners);
	listeners_release(&orders->listeners);
	free(server.workers);
	if (server.signal_fd >= 0)
		close(server.signal_fd);
	if (signal_pipe >= 0)
		close(signal_pipe);
	return status;
}
