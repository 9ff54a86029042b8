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

static void deliver_handover(struct mail *mail)
{
	struct handover *handover = (struct handover *)(void *)mail;

	conn_start(&handover->worker->conns, handover->app, handover->fd,
		&handover->peer);
	free(handover);
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

/* One for each connection and check, and a few of the worker's own. */
static uint32_t count_alarms(
	const struct snapshot *snapshot, const struct capacity *capacity)
{
	const struct lbp_config *config = snapshot->config;
	size_t n = config->max_connections + config->app_len + 8;
	size_t i;

	n += snapshot->handshakes;
	n += capacity->max_loose;
	for (i = 0; i < config->app_len; i++)
		n += config->apps[i].upstream_len;
	return (uint32_t)n;
}

bool worker_init(struct worker *worker, struct snapshot *snapshot,
	struct capacity *capacity, struct handshakes *handshakes,
	uint32_t number)
{
	*worker = (struct worker){.drain_order.deliver = deliver_drain,
		.stop_order.deliver = deliver_stop};
	alarm_init(&worker->drain, drain_fired);
	conns_init(&worker->conns, &worker->loop, &worker->mailbox, capacity,
		handshakes, snapshot);
	worker->conns.number = number;
	if (entropy_draw(&worker->conns.shares, sizeof(worker->conns.shares)) &&
		loop_init(&worker->loop, snapshot->event_loop,
			count_alarms(snapshot, capacity)) &&
		mailbox_init(&worker->mailbox, worker->loop.poller) &&
		checkers_init(&worker->checkers, &worker->loop, capacity,
			snapshot, number))
		return true;
	log_error(LBP_LOG_ERROR, "cannot start a worker", strerror(errno));
	return false;
}

void worker_release(struct worker *worker)
{
	checkers_release(&worker->checkers);
	mailbox_release(&worker->mailbox);
	loop_release(&worker->loop);
}

void worker_run(struct worker *worker)
{
	while (!worker->draining || worker->conns.all != NULL) {
		/* Nothing works without the poller; its failure is a bug. */
		if (!loop_turn(&worker->loop, worker->conns.yielded == NULL)) {
			log_error(LBP_LOG_ERROR, "the event loop failed",
				strerror(errno));
			abort();
		}
		conns_turn(&worker->conns);
	}
}
