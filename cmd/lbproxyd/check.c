#include "check.h"
#include "checks.h"

#include <errno.h>
#include <stdlib.h>

#include "clock.h"
#include "container.h"
#include "dial.h"
#include "report.h"
#include "server/dial_time.h"
#include "server/proxy.h"

/* What a look at a connected upstream reads at most. */
#define LOOK_BYTES (32 * 1024)

/* One check of one upstream. */
struct check {
	struct stream stream; /* first: a ready watch is its check */
	struct dial dial;
	struct alarm timeout; /* of what it waits for */
	struct job handshake;
	struct checker *checker;
	uint32_t upstream;
	uint64_t start_ns;
	bool is_connected; /* and watched for a while */
	bool has_failed;   /* the poller said so last */
};

/* All checks of one application. */
struct checker {
	struct alarm due; /* first: a fired alarm is its checker */
	struct checkers *all;
	struct served_app *app;
	struct check *checks; /* one for each upstream */
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

/* What the check came to, its cause in words; DIAL_LOCAL: nothing. */
static void finish(
	struct check *check, enum dial_result result, const char *cause)
{
	struct checker *checker = check->checker;
	struct served_app *app = checker->app;
	enum lbp_health_change change = LBP_HEALTH_SAME;

	if (result == DIAL_DONE)
		(void)stream_end(&check->stream);
	else if (check->dial.error != 0)
		capacity_exhausted(checker->all->capacity, "cannot check",
			check->dial.error);
	stream_close(&check->stream, checker->all->loop->poller, false);
	loop_disarm(checker->all->loop, &check->timeout);
	queue_remove(&checker->all->loop->handshakes, &check->handshake);
	pthread_mutex_lock(&app->lock);
	if (result == DIAL_LOCAL)
		lbp_app_check_dropped(app->app, check->upstream);
	else
		change = lbp_app_checked(
			app->app, check->upstream, result == DIAL_DONE);
	pthread_mutex_unlock(&app->lock);
	report_health(app, check->upstream, change, cause);
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

static void finish_unwatched(struct check *check, int error)
{
	check->dial.error = error;
	finish(check, DIAL_LOCAL, NULL);
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
	else if (check->has_failed)
		finish_badly(check, LBP_IO_RESET);
	else if (stream_watch(stream, check->checker->all->loop->poller,
			 LBP_WATCH_READ) != 0)
		finish_unwatched(check, errno);
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
	(void)poller_set(loop->poller, watch, 0);
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
	uint64_t timeout_ns = checker->app->config->health.timeout_ns;

	check->is_connected = false;
	check->start_ns = now_ns;
	check->dial.write_header =
		checker->app->config->proxy_protocol ? write_header : NULL;
	progress(check,
		dial_start(&check->dial,
			&checker->app->targets[check->upstream], &check->stream,
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
		start(&checker->checks[upstream], now);
	}
	arm_due(checker);
}

static bool init_checker(
	struct checker *checker, struct checkers *all, struct served_app *app)
{
	uint32_t n = lbp_app_upstreams(app->app);
	uint32_t i;

	alarm_init(&checker->due, due_fired);
	checker->all = all;
	checker->app = app;
	checker->checks = calloc(n, sizeof(*checker->checks));
	if (checker->checks == NULL)
		return false;
	for (i = 0; i < n; i++) {
		struct check *check = &checker->checks[i];

		stream_init(&check->stream, check_ready);
		alarm_init(&check->timeout, timeout_fired);
		job_init(&check->handshake, handshake_turn);
		check->checker = checker;
		check->upstream = i;
	}
	arm_due(checker);
	return true;
}

bool checkers_init(struct checkers *checkers, struct loop *loop,
	struct capacity *capacity, struct snapshot *snapshot, uint32_t number)
{
	size_t app_len = snapshot->config->app_len;
	size_t i;

	*checkers = (struct checkers){.loop = loop, .capacity = capacity};
	checkers->items = calloc(app_len, sizeof(*checkers->items));
	if (checkers->items == NULL)
		return false;
	for (i = number; i < app_len; i += snapshot->workers) {
		if (!init_checker(&checkers->items[checkers->len++], checkers,
			    &snapshot->apps[i]))
			return false;
	}
	return true;
}

void checkers_release(struct checkers *checkers)
{
	size_t i;
	uint32_t u;

	for (i = 0; i < checkers->len; i++) {
		struct checker *checker = &checkers->items[i];

		for (u = 0; checker->checks != NULL &&
			    u < lbp_app_upstreams(checker->app->app);
			u++)
			stream_close(&checker->checks[u].stream,
				checkers->loop->poller, false);
		free(checker->checks);
	}
	free(checkers->items);
	*checkers = (struct checkers){0};
}
