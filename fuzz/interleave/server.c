/*
 * The crew of a server from its start to its end: main thread, acceptor and
 * workers are the server's own; connections, checks and the log are not.
 */
#include "../cmd/lbproxyd/crew.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "../cmd/lbproxyd/log.h"
#include "../cmd/lbproxyd/process.h"
#include "health.h"
#include "server.h"
#include "world.h"

#define LISTENERS 2
#define STAY      true

/* A connection, in place of the real one. */
struct guest {
	struct conn conn; /* first */
	struct watch end; /* what ends its session, if anything does */
	bool is_admitted;
};

/* What happens in a script. */
struct plot {
	const char *name;
	unsigned workers;
	unsigned places;
	unsigned arrivals[LISTENERS]; /* connections that wait at a listener */
	bool stay;                    /* sessions do not end by themselves */
	unsigned signals;
	unsigned shortages; /* of descriptors */
	unsigned threads;   /* that can be started; 0: any number */
	unsigned switches;
};

static const struct plot *plot;

static struct {
	struct lbp_config config;
	struct snapshot snapshot;
	struct served_app app;
	int listeners[LISTENERS];
	struct listener opened[LISTENERS];
	struct listener *items[LISTENERS];
	unsigned main; /* thread */
	void (*handler)(int);
	unsigned heard;        /* signals */
	unsigned heard_before; /* the drain began */
	unsigned started;      /* connections, */
	unsigned ended;
	bool is_clean; /* its end */
} stage;

/* --- connections --- */

void conns_init(struct conns *conns, struct loop *loop, struct mailbox *mailbox,
	struct capacity *capacity, struct handshakes *handshakes)
{
	(void)mailbox, (void)handshakes;
	*conns = (struct conns){.loop = loop, .capacity = capacity};
}

void conns_adopt(struct conns *conns, struct tls_server *tls)
{
	(void)conns, (void)tls;
}

void conns_expect(struct conns *conns)
{
	world_atomic("adds to the load", &conns->load, TOUCH_WRITE);
	conns->load++;
}

uint32_t conns_load(const struct conns *conns)
{
	world_atomic("looks at the load", &conns->load, TOUCH_READ);
	return conns->load;
}

static void end_guest(struct guest *guest)
{
	struct conns *conns = guest->conn.conns;
	struct conn **link = &conns->all;

	while (*link != &guest->conn)
		link = &(*link)->next;
	*link = guest->conn.next;
	poller_forget(conns->loop->poller, &guest->end);
	(void)world_close(guest->end.fd);
	world_atomic("takes from the load", &conns->load, TOUCH_WRITE);
	conns->load--;
	stage.ended++;
	if (guest->is_admitted)
		capacity_give(conns->capacity);
	world_free(guest);
}

static void guest_ends(struct watch *watch, unsigned ready)
{
	(void)ready;
	end_guest((struct guest *)(void *)((char *)watch -
					   offsetof(struct guest, end)));
}

void conn_start(struct conns *conns, struct served_app *app, int fd,
	const union address *peer)
{
	struct guest *guest = world_calloc(1, sizeof(*guest));

	(void)peer;
	guest->conn.conns = conns;
	guest->conn.app = app;
	guest->conn.next = conns->all;
	conns->all = &guest->conn;
	guest->end = (struct watch){.fd = fd, .ready = guest_ends};
	stage.started++;
	capacity_remove_loose(conns->capacity);
	/* Its handshake completes at once, or it is refused. */
	guest->is_admitted = capacity_take(conns->capacity);
	if (!guest->is_admitted || !plot->stay)
		world_event(fd);
	(void)poller_set(conns->loop->poller, &guest->end, POLLER_READ);
}

void conns_stop(struct conns *conns, enum lbp_reason reason)
{
	(void)reason;
	while (conns->all != NULL)
		end_guest((struct guest *)(void *)conns->all);
}

void conns_turn(struct conns *conns)
{
	(void)conns;
}

/* --- the rest of the server --- */

void checkers_init(
	struct checkers *checkers, struct loop *loop, struct capacity *capacity)
{
	(void)checkers, (void)loop, (void)capacity;
}

bool checkers_prepare(struct checkers_change *change,
	const struct served_change *served, uint32_t worker)
{
	(void)change, (void)served, (void)worker;
	return true;
}

void checkers_adopt(struct checkers *checkers, struct checkers_change *change)
{
	(void)checkers, (void)change;
}

void checkers_change_release(struct checkers_change *change)
{
	(void)change;
}

void checkers_turn(struct checkers *checkers)
{
	(void)checkers;
}

void checkers_release(struct checkers *checkers)
{
	(void)checkers;
}

struct served_app *served_app_hold(struct served_app *app)
{
	return app;
}

void served_app_release(struct served_app *app)
{
	(void)app;
}

void listeners_close(const struct listeners *listeners)
{
	size_t i;

	for (i = 0; i < listeners->len; i++) {
		if (listeners->items[i]->watch.fd >= 0)
			(void)world_close(listeners->items[i]->watch.fd);
		listeners->items[i]->watch.fd = -1;
	}
}

void listeners_release(struct listeners *listeners)
{
	(void)listeners;
}

void process_handle_signals(void (*handler)(int number))
{
	stage.handler = handler;
}

void log_begin(
	struct log_line *line, enum lbp_log_level level, const char *event)
{
	(void)level;
	/* For log_end: it is on health, and what it says. */
	line->wanted = strncmp(event, "upstream_", 9) == 0;
	line->in_array = strcmp(event, "upstream_up") == 0;
	if (strcmp(event, "drain") == 0)
		stage.heard_before = stage.heard;
}

void log_string(struct log_line *line, const char *key, const char *value)
{
	(void)line, (void)key, (void)value;
}

void log_uint(struct log_line *line, const char *key, uint64_t value)
{
	(void)line, (void)key, (void)value;
}

void log_end(struct log_line *line)
{
	if (line->wanted)
		health_line(line->in_array);
}

void log_error(enum lbp_log_level level, const char *what, const char *why)
{
	(void)level, (void)why;
	if (plot->shortages + plot->threads == 0)
		interleave_fail("SRV-21", what);
}

/* --- the plots --- */

static void run_server(void *arg)
{
	struct crew *crew = world_calloc(1, sizeof(*crew));
	struct acceptor_change change;
	size_t i;

	(void)arg;
	change.listeners = (struct listeners){stage.items, LISTENERS};
	for (i = 0; i < LISTENERS; i++) {
		stage.listeners[i] = world_open(plot->arrivals[i]);
		stage.opened[i] = (struct listener){
			.watch.fd = stage.listeners[i], .next = &stage.app};
		stage.items[i] = &stage.opened[i];
	}
	stage.is_clean = crew_init(crew, &stage.snapshot, 1) &&
			 crew_man(crew, &stage.snapshot) &&
			 acceptor_adopt(&crew->acceptor, &change) &&
			 crew_run(crew);
	crew_release(crew);
	listeners_close(&(struct listeners){stage.items, LISTENERS});
	world_free(crew);
}

static bool has_handler(const void *handler)
{
	return *(void (*const *)(int))handler != NULL;
}

/* Signals interrupt the main thread anywhere, and only that. */
static void send_signals(void *arg)
{
	unsigned i;

	(void)arg;
	for (i = 0; i < plot->signals; i++) {
		interleave_step(&(struct step){
			"comes", &stage.handler, TOUCH_ALL, has_handler});
		if (stage.handler == SIG_IGN)
			return;
		interleave_hold(stage.main, true);
		stage.handler(SIGTERM);
		interleave_hold(stage.main, false);
		stage.heard++;
	}
}

static void start_plot(void)
{
	world_start();
	memset(&stage, 0, sizeof(stage));
	stage.snapshot.config = &stage.config;
	stage.snapshot.workers = plot->workers;
	stage.snapshot.handshakes = 1;
	stage.config.max_connections = plot->places;
	stage.config.drain_ns = 1000000000;
	world_be_short(plot->shortages, plot->threads);
	stage.main = interleave_thread("main", run_server, NULL);
	if (plot->signals > 0)
		interleave_thread("signal", send_signals, NULL);
}

static void judge_plot(bool all_over)
{
	/* The main one, and an acceptor beside several workers. */
	unsigned threads = 1 + plot->workers + (plot->workers > 1);
	unsigned waiting = 0;
	unsigned i;

	if (plot->signals + plot->threads > 0) {
		ORACLE("SRV-50", all_over, "an order is lost");
		ORACLE("SRV-54", stage.started == stage.ended,
			"a connection is lost");
		ORACLE("SRV-51",
			stage.is_clean || stage.heard > 1 || plot->threads > 0,
			"it was not told to stop at once");
		ORACLE("SRV-51", !stage.is_clean || stage.heard_before < 2,
			"it was told to stop at once");
		world_check_leaks();
		return;
	}
	/* Mailboxes, listeners, and connections when they come and go. */
	ORACLE("SRV-52",
		world_settings() ==
			threads + LISTENERS + stage.started + stage.ended,
		"a pause tells pollers something of listeners");
	for (i = 0; i < LISTENERS; i++)
		waiting += world_waiting(stage.listeners[i]);
	if (!plot->stay)
		ORACLE("SRV-52", waiting == 0,
			"a place is free, and a client waits");
}

/*
 * A single worker accepts itself; beside two there is an acceptor. Those that
 * take seconds are at the end.
 */
#define QUICK 11
static const struct plot plots[] = {
	{"a place for each in turn", 1, 1, {2, 1}, !STAY, 0, 0, 0, 0},
	{"the same with an acceptor", 2, 1, {2, 0}, !STAY, 0, 0, 0, 0},
	{"no descriptor for a while", 1, 1, {2, 0}, !STAY, 0, 2, 0, 0},
	{"the same with an acceptor", 2, 1, {2, 0}, !STAY, 0, 2, 0, 0},
	{"a drain while two arrive", 1, 2, {1, 1}, !STAY, 1, 0, 0, 0},
	{"a drain without a descriptor", 1, 2, {1, 0}, !STAY, 1, 1, 0, 0},
	{"a drain that has to end a session", 1, 2, {1, 0}, STAY, 1, 0, 0, 0},
	{"no thread for a worker", 2, 1, {1, 0}, !STAY, 0, 0, 1, 0},
	{"no thread for the acceptor", 2, 1, {1, 0}, !STAY, 0, 0, 2, 0},
	{"two signals", 1, 1, {1, 0}, STAY, 2, 0, 0, 1},
	{"a drain with an acceptor", 2, 1, {0, 0}, STAY, 1, 0, 0, 1},
	{"two signals, an acceptor", 2, 1, {1, 0}, STAY, 2, 0, 0, 1},
	{"two signals, more orders", 1, 1, {1, 0}, STAY, 2, 0, 0, 3},
	{"the drain, more orders", 2, 1, {1, 0}, STAY, 1, 0, 0, 0},
};

void server_scripts(bool deep)
{
	size_t len = deep ? sizeof(plots) / sizeof(*plots) : QUICK;
	size_t i;

	for (i = 0; i < len; i++) {
		plot = &plots[i];
		interleave_run(&(struct script){
			plot->name, start_plot, judge_plot, plot->switches});
	}
}
