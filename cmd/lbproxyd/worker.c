#include "worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "container.h"
#include "entropy.h"
#include "log.h"

static struct worker *worker_of_drain_order(struct mail *mail)
{
	return CONTAINER_OF(mail, struct worker, drain_order);
}

static struct worker *worker_of_stop_order(struct mail *mail)
{
	return CONTAINER_OF(mail, struct worker, stop_order);
}

static struct worker *worker_of_drain(struct alarm *alarm)
{
	return CONTAINER_OF(alarm, struct worker, drain);
}

static void drain_fired(struct alarm *alarm)
{
	conns_stop(&worker_of_drain(alarm)->conns, LBP_REASON_DRAIN_TIMEOUT);
}

static void deliver_drain(struct mail *mail)
{
	struct worker *worker = worker_of_drain_order(mail);

	worker->draining = true;
	loop_arm(&worker->loop, &worker->drain, worker->drain_until_ns);
}

static void deliver_stop(struct mail *mail)
{
	struct worker *worker = worker_of_stop_order(mail);

	worker->draining = true;
	conns_stop(&worker->conns, LBP_REASON_SHUTDOWN);
}

static void start_conn(struct worker *worker, const struct handover *handover)
{
	conn_start(
		&worker->conns, handover->app, handover->fd, &handover->peer);
}

static void deliver_handover(struct mail *mail)
{
	struct handover *handover = (struct handover *)(void *)mail;

	start_conn(handover->worker, handover);
	free(handover);
}

void worker_serve(struct worker *worker, const struct handover *handover)
{
	conns_expect(&worker->conns);
	start_conn(worker, handover);
}

void worker_hand_over(struct worker *worker, struct handover *handover)
{
	handover->mail = (struct mail){.deliver = deliver_handover};
	handover->worker = worker;
	conns_expect(&worker->conns);
	mailbox_post(&worker->mailbox, &handover->mail);
}

uint32_t worker_load(const struct worker *worker)
{
	return conns_load(&worker->conns);
}

void worker_drain(struct worker *worker, uint64_t until_ns)
{
	worker->drain_until_ns = until_ns;
	mailbox_post(&worker->mailbox, &worker->drain_order);
}

void worker_stop(struct worker *worker)
{
	mailbox_post(&worker->mailbox, &worker->stop_order);
}

/*
 * One for each connection, and a few of the worker's own. The bound on
 * handshakes is the first snapshot's ever after, and what a higher
 * max_connections let in stays when that is lowered.
 */
static uint32_t count_conn_alarms(
	const struct worker *worker, const struct snapshot *snapshot)
{
	uint32_t n = snapshot->config->max_connections +
		     worker->max_handshakes +
		     worker->conns.capacity->max_loose + 8;

	return n > worker->conn_alarms ? n : worker->conn_alarms;
}

bool worker_init(struct worker *worker, const struct snapshot *snapshot,
	struct capacity *capacity, struct handshakes *handshakes,
	uint32_t number)
{
	*worker = (struct worker){.drain_order.deliver = deliver_drain,
		.stop_order.deliver = deliver_stop,
		.max_handshakes = snapshot->handshakes};
	alarm_init(&worker->drain, drain_fired);
	conns_init(&worker->conns, &worker->loop, &worker->mailbox, capacity,
		handshakes);
	worker->conns.number = number;
	worker->conn_alarms = count_conn_alarms(worker, snapshot);
	worker->alarm_cap = worker->conn_alarms;
	checkers_init(&worker->checkers, &worker->loop, capacity);
	if (entropy_draw(&worker->conns.shares, sizeof(worker->conns.shares)) &&
		loop_init(&worker->loop, snapshot->event_loop,
			worker->alarm_cap) &&
		mailbox_init(&worker->mailbox, worker->loop.poller)) {
		worker->loop.counters = &worker->conns.counters;
		return true;
	}
	log_error(LBP_LOG_ERROR, "cannot start a worker", strerror(errno));
	return false;
}

/* Those, and one for each application and each of its upstreams. */
static bool prepare_alarms(struct worker_change *change,
	const struct worker *worker, const struct snapshot *snapshot)
{
	const struct checkers_change *checks = &change->checks;
	uint32_t n = count_conn_alarms(worker, snapshot);
	size_t i;

	change->conn_alarms = n;
	for (i = 0; i < checks->len; i++)
		n += 1 + checks->rooms[i].len;
	if (n <= worker->alarm_cap)
		return true;
	change->alarm_cap = n;
	change->alarms = calloc(n, sizeof(struct lbp_heap_node *));
	return change->alarms != NULL;
}

bool worker_prepare(struct worker_change *change, const struct worker *worker,
	const struct served_change *served, const struct snapshot *snapshot)
{
	*change = (struct worker_change){.tls = snapshot->tls};
	return checkers_prepare(
		       &change->checks, served, worker->conns.number) &&
	       prepare_alarms(change, worker, snapshot);
}

void worker_change_release(struct worker_change *change)
{
	checkers_change_release(&change->checks);
	free(change->alarms);
	*change = (struct worker_change){0};
}

void worker_adopt(struct worker *worker, struct worker_change *change)
{
	if (change->alarms != NULL) {
		loop_swap_alarms(
			&worker->loop, &change->alarms, change->alarm_cap);
		worker->alarm_cap = change->alarm_cap;
	}
	worker->conn_alarms = change->conn_alarms;
	conns_adopt(&worker->conns, change->tls);
	checkers_adopt(&worker->checkers, &change->checks);
}

static void deliver_adopt(struct mail *mail)
{
	struct worker_change *change =
		CONTAINER_OF(mail, struct worker_change, order);

	worker_adopt(change->worker, change);
	mailbox_post(change->reply_to, change->done);
}

void worker_order(struct worker *worker, struct worker_change *change)
{
	change->order = (struct mail){.deliver = deliver_adopt};
	change->worker = worker;
	mailbox_post(&worker->mailbox, &change->order);
}

void worker_release(struct worker *worker)
{
	checkers_release(&worker->checkers);
	mailbox_release(&worker->mailbox);
	loop_release(&worker->loop);
}

/* What was asked of it before it ends is answered. */
static bool is_over(struct worker *worker)
{
	return worker->draining && worker->conns.all == NULL &&
	       mailbox_close(&worker->mailbox);
}

void worker_run(struct worker *worker)
{
	while (!is_over(worker)) {
		loop_turn(&worker->loop, worker->conns.yielded == NULL);
		conns_turn(&worker->conns);
		checkers_turn(&worker->checkers);
	}
}
