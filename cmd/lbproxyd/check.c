#include "check.h"
#include "checks.h"

#include <errno.h>
#include <stdlib.h>

#include "clock.h"
#include "container.h"
#include "dial.h"
#include "report_health.h"
#include "server/dial_time.h"
#include "server/memory.h"
#include "server/proxy.h"

/* What a look at a connected upstream reads at most. */
#define LOOK_BYTES (32 * 1024)

/* One check of one upstream. */
struct check {
	struct stream stream; /* first: a ready watch is its check */
	struct dial dial;
	struct target *target; /* of the dial, held until it is over */
	struct alarm timeout;  /* of what it waits for */
	struct job handshake;
	struct checker *checker;
	uint32_t upstream;
	uint64_t start_ns;
	bool is_connected; /* and watched for a while */
	bool has_failed;   /* the poller said so last */
};

_Static_assert(sizeof(struct check) <= LBP_MEMORY_CHECK, "memory.h says less");

/* All checks of one application. */
struct checker {
	struct alarm due; /* first: a fired alarm is its checker */
	struct checker *next;
	struct checkers *all;
	struct served_app *app; /* held */
	struct check **checks;  /* one for each upstream, len of them */
	uint32_t len;
};

static void arm_due(struct checker *checker)
{
	uint64_t due;

	pthread_mutex_lock(&checker->app->lock);
	due = lbp_app_check_due(checker->app->app);
	pthread_mutex_unlock(&checker->app->lock);
	if (due == LBP_NEVER)
		loop_disarm(checker->all->loop, &checker->due);
	else
		loop_arm(checker->all->loop, &checker->due, due);
}

/* It has no stream or alarm any more. */
static void let_go(struct check *check)
{
	struct loop *loop = check->checker->all->loop;

	stream_close(&check->stream, loop->poller, false);
	loop_disarm(loop, &check->timeout);
	queue_remove(&loop->handshakes, &check->handshake);
	target_release(check->target);
	check->target = NULL;
}

/* What the check came to, its cause in words; DIAL_LOCAL: nothing. */
static void finish(
	struct check *check, enum dial_result result, const char *cause)
{
	struct checker *checker = check->checker;
	struct served_app *app = checker->app;
	enum lbp_health_change change = LBP_HEALTH_SAME;
	struct target *target = target_hold(check->target);

	if (result == DIAL_DONE)
		(void)stream_end(&check->stream);
	else if (check->dial.error != 0)
		capacity_exhausted(checker->all->capacity, "cannot check",
			check->dial.error);
	let_go(check);
	pthread_mutex_lock(&app->lock);
	if (result == DIAL_LOCAL)
		lbp_app_check_dropped(app->app, check->upstream);
	else
		change = lbp_app_checked(
			app->app, check->upstream, result == DIAL_DONE);
	report_health(app, check->upstream, target->url, change, cause);
	target_release(target);
	arm_due(checker);
}

static void finish_well(struct check *check)
{
	finish(check, DIAL_DONE, "its checks succeed");
}

static void finish_badly(struct check *check, enum lbp_io io)
{
	const char *detail = check->stream.tls.detail;

	if (io == LBP_IO_FAILED) {
		check->dial.error = stream_error(&check->stream);
		finish(check, DIAL_LOCAL, NULL);
	} else if (io == LBP_IO_TRUNCATED) {
		finish(check, DIAL_FAILED, "closed after the TLS handshake");
	} else {
		finish(check, DIAL_FAILED,
			detail != NULL ? detail : "reset after the connect");
	}
}

/*
 * It is connected; does it stay so? After a reset the kernel may know of an end
 * only. [SRV-96].
 */
static void look(struct check *check)
{
	struct stream *stream = &check->stream;
	uint8_t byte;
	enum lbp_io io;
	size_t n = 0;

	stream_begin_turn(stream, LOOK_BYTES);
	io = stream_read(stream, &byte, sizeof(byte), &n);
	if (n > 0 || (io == LBP_IO_END && !check->has_failed))
		finish_well(check);
	else if (io != LBP_IO_WAIT && io != LBP_IO_YIELD)
		finish_badly(check, check->has_failed ? LBP_IO_RESET : io);
	else
		stream_watch(stream, check->checker->all->loop->poller,
			LBP_WATCH_READ);
}

static void progress(struct check *check, enum dial_result result)
{
	struct loop *loop = check->checker->all->loop;

	switch (result) {
	case DIAL_PENDING:
		loop_arm(loop, &check->timeout, check->dial.due_ns);
		break;
	case DIAL_DONE:
		check->is_connected = true;
		loop_arm(loop, &check->timeout,
			lbp_dial_settle_due(check->start_ns, clock_now_ns(),
				check->dial.end_ns));
		look(check);
		break;
	default:
		finish(check, result, check->dial.cause);
		break;
	}
}

static void go_on(struct check *check)
{
	progress(check, dial_ready(&check->dial));
}

/* A handshake's steps wait for their turn, as those of clients. [SRV-43]. */
static void check_ready(struct watch *watch, unsigned ready)
{
	struct check *check = (struct check *)(void *)watch;
	struct loop *loop = check->checker->all->loop;

	check->has_failed = (ready & POLLER_ERROR) != 0;
	if (check->is_connected) {
		look(check);
		return;
	}
	if (check->dial.target->tls == NULL) {
		go_on(check);
		return;
	}
	queue_add(&loop->handshakes, &check->handshake);
	poller_change(loop->poller, watch, 0);
}

static void handshake_turn(struct job *job)
{
	go_on(CONTAINER_OF(job, struct check, handshake));
}

static void next_address(struct check *check)
{
	queue_remove(&check->checker->all->loop->handshakes, &check->handshake);
	progress(check, dial_late(&check->dial));
}

static void timeout_fired(struct alarm *alarm)
{
	struct check *check = CONTAINER_OF(alarm, struct check, timeout);

	if (check->is_connected)
		finish_well(check);
	else if (clock_now_ns() < check->dial.end_ns)
		next_address(check);
	else
		finish(check, DIAL_FAILED, dial_late_cause(&check->dial));
}

/* A check is for nobody. [PRX-20]. */
static size_t write_header(struct dial *dial, uint8_t *buf)
{
	(void)dial;
	return lbp_proxy_write_local(buf, LBP_PROXY_MAX);
}

static void start(struct check *check, uint64_t now_ns)
{
	struct checker *checker = check->checker;
	struct served_app *app = checker->app;
	uint64_t timeout_ns;

	pthread_mutex_lock(&app->lock);
	timeout_ns = app->settings.check_timeout_ns;
	check->dial.write_header =
		app->settings.sends_proxy_header ? write_header : NULL;
	pthread_mutex_unlock(&app->lock);
	check->target = served_app_target(app, check->upstream);
	check->is_connected = false;
	check->start_ns = now_ns;
	progress(check,
		dial_start(&check->dial, check->target, &check->stream,
			checker->all->loop->poller, now_ns + timeout_ns));
}

static void due_fired(struct alarm *alarm)
{
	struct checker *checker = (struct checker *)(void *)alarm;
	struct served_app *app = checker->app;
	uint64_t now = clock_now_ns();
	uint32_t upstream;
	bool taken;

	for (;;) {
		pthread_mutex_lock(&app->lock);
		taken = lbp_app_take_check(app->app, now, &upstream);
		pthread_mutex_unlock(&app->lock);
		if (!taken)
			break;
		start(checker->checks[upstream], now);
	}
	arm_due(checker);
}

/* --- the checks of a configuration --- */

static struct check *check_new(uint32_t upstream)
{
	struct check *check = calloc(1, sizeof(*check));

	if (check == NULL)
		return NULL;
	stream_init(&check->stream, check_ready);
	alarm_init(&check->timeout, timeout_fired);
	job_init(&check->handshake, handshake_turn);
	check->upstream = upstream;
	return check;
}

static bool prepare_room(
	struct checker_room *room, struct served_app *app, uint32_t len)
{
	uint32_t from = app->checks;
	uint32_t u;

	room->app = served_app_hold(app);
	room->len = len > from ? len : from;
	room->checks = calloc(room->len, sizeof(struct check *));
	if (!app->is_checked)
		room->fresh = calloc(1, sizeof(*room->fresh));
	if (room->checks == NULL || (!app->is_checked && room->fresh == NULL))
		return false;
	for (u = from; u < room->len; u++) {
		room->checks[u] = check_new(u);
		if (room->checks[u] == NULL)
			return false;
	}
	return true;
}

bool checkers_prepare(struct checkers_change *change,
	const struct served_change *served, uint32_t worker)
{
	size_t i;

	*change = (struct checkers_change){0};
	change->rooms = calloc(served->app_len + 1, sizeof(*change->rooms));
	if (change->rooms == NULL)
		return false;
	for (i = 0; i < served->app_len; i++) {
		struct served_app *app = served->apps[i];

		if (app->worker == worker &&
			!prepare_room(&change->rooms[change->len++], app,
				served_change_upstreams(served, i)))
			return false;
	}
	return true;
}

static void free_checks(struct check **checks, uint32_t len)
{
	uint32_t u;

	for (u = 0; checks != NULL && u < len; u++)
		free(checks[u]);
	free(checks);
}

void checkers_change_release(struct checkers_change *change)
{
	size_t i;

	for (i = 0; i < change->len; i++) {
		struct checker_room *room = &change->rooms[i];

		served_app_release(room->app);
		free_checks(room->checks, room->len);
		free(room->fresh);
	}
	free(change->rooms);
	*change = (struct checkers_change){0};
}

static void drop(struct check *check)
{
	struct served_app *app = check->checker->app;

	if (check->target == NULL)
		return;
	let_go(check);
	pthread_mutex_lock(&app->lock);
	lbp_app_check_dropped(app->app, check->upstream);
	pthread_mutex_unlock(&app->lock);
}

static void checker_end(struct checker *checker)
{
	struct checkers *all = checker->all;
	uint32_t u;

	for (u = 0; u < checker->len; u++)
		drop(checker->checks[u]);
	loop_disarm(all->loop, &checker->due);
	checker->next = all->ended;
	all->ended = checker;
}

static void checker_free(struct checker *checker)
{
	free_checks(checker->checks, checker->len);
	served_app_release(checker->app);
	free(checker);
}

static bool has_room(
	const struct checkers_change *change, const struct served_app *app)
{
	size_t i;

	for (i = 0; i < change->len; i++) {
		if (change->rooms[i].app == app)
			return true;
	}
	return false;
}

static void drop_removed(
	struct checkers *checkers, const struct checkers_change *change)
{
	struct checker **link = &checkers->first;
	struct checker *checker;

	while ((checker = *link) != NULL) {
		if (has_room(change, checker->app)) {
			link = &checker->next;
			continue;
		}
		*link = checker->next;
		checker_end(checker);
	}
}

/* One for an application that is new. */
static struct checker *add(struct checkers *checkers, struct checker_room *room)
{
	struct checker *checker = room->fresh;

	room->fresh = NULL;
	alarm_init(&checker->due, due_fired);
	checker->all = checkers;
	checker->app = served_app_hold(room->app);
	checker->next = checkers->first;
	checkers->first = checker;
	return checker;
}

static struct checker *find(
	const struct checkers *checkers, const struct served_app *app)
{
	struct checker *checker = checkers->first;

	while (checker->app != app)
		checker = checker->next;
	return checker;
}

/* Checks that it has stay where they are: the loop knows them. */
static void take_room(struct checker *checker, struct checker_room *room)
{
	struct check **before = checker->checks;
	uint32_t u;

	for (u = 0; u < checker->len; u++)
		room->checks[u] = before[u];
	for (; u < room->len; u++)
		room->checks[u]->checker = checker;
	checker->checks = room->checks;
	checker->len = room->len;
	room->checks = NULL;
	free(before);
}

void checkers_adopt(struct checkers *checkers, struct checkers_change *change)
{
	size_t i;

	drop_removed(checkers, change);
	for (i = 0; i < change->len; i++) {
		struct checker_room *room = &change->rooms[i];
		struct checker *checker = room->fresh != NULL
						  ? add(checkers, room)
						  : find(checkers, room->app);

		take_room(checker, room);
		arm_due(checker);
	}
}

void checkers_init(
	struct checkers *checkers, struct loop *loop, struct capacity *capacity)
{
	*checkers = (struct checkers){.loop = loop, .capacity = capacity};
}

void checkers_turn(struct checkers *checkers)
{
	struct checker *checker;

	while ((checker = checkers->ended) != NULL) {
		checkers->ended = checker->next;
		checker_free(checker);
	}
}

void checkers_release(struct checkers *checkers)
{
	struct checker *checker;

	while ((checker = checkers->first) != NULL) {
		checkers->first = checker->next;
		checker_end(checker);
	}
	checkers_turn(checkers);
}
