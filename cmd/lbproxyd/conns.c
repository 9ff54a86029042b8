/* All connections of one thread: their lists, their number, their sums. */
#include <stddef.h>
#include <stdlib.h>

#include "clock.h"
#include "conn_private.h"
#include "strangers.h"

void conns_await_sums(struct conns *conns, uint64_t due_ns)
{
	if (due_ns != LBP_NEVER && !lbp_timer_is_armed(&conns->sums.timer))
		loop_arm(conns->loop, &conns->sums, due_ns);
}

static void sums_fired(struct alarm *alarm)
{
	struct conns *conns =
		(struct conns *)(void *)((char *)alarm -
					 offsetof(struct conns, sums));

	conns_await_sums(conns, strangers_sum_up(clock_now_ns()));
}

void conns_init(struct conns *conns, struct loop *loop, struct mailbox *mailbox,
	struct capacity *capacity, struct handshakes *handshakes,
	struct snapshot *snapshot)
{
	*conns = (struct conns){.loop = loop,
		.capacity = capacity,
		.handshakes = handshakes,
		.evictions.mail.deliver = conn_deliver_evictions,
		.evictions.mailbox = mailbox,
		.snapshot = snapshot};
	alarm_init(&conns->sums, sums_fired);
}

/*
 * The load is no more than a count that others go by: what is ordered is
 * ordered by the mailbox.
 */
void conns_expect(struct conns *conns)
{
	atomic_fetch_add_explicit(&conns->load, 1, memory_order_relaxed);
}

uint32_t conns_load(const struct conns *conns)
{
	return atomic_load_explicit(&conns->load, memory_order_relaxed);
}

void conns_uncount(struct conns *conns)
{
	atomic_fetch_sub_explicit(&conns->load, 1, memory_order_relaxed);
}

void conns_add(struct conn *conn)
{
	struct conns *conns = conn->conns;

	conn->next = conns->all;
	if (conn->next != NULL)
		conn->next->prev = conn;
	conns->all = conn;
}

static void unlink_conn(struct conn *conn)
{
	struct conns *conns = conn->conns;

	if (conn->prev != NULL)
		conn->prev->next = conn->next;
	else
		conns->all = conn->next;
	if (conn->next != NULL)
		conn->next->prev = conn->prev;
}

static void leave_again(struct conn *conn)
{
	struct conn **link = &conn->conns->again;

	if (!conn->is_again)
		return;
	while (*link != conn)
		link = &(*link)->again_next;
	*link = conn->again_next;
	conn->is_again = false;
}

void conns_bury(struct conn *conn)
{
	struct conns *conns = conn->conns;

	leave_again(conn);
	unlink_conn(conn);
	conn->next = conns->buried;
	conns->buried = conn;
	conns_uncount(conns);
}

void conns_stop(struct conns *conns, enum lbp_reason reason)
{
	struct conn *conn, *next;

	for (conn = conns->all; conn != NULL; conn = next) {
		next = conn->next;
		conn_step(conn, (struct lbp_event){.kind = LBP_EVENT_STOP,
					.reason = reason});
	}
}

/* Each of those that gave way gets one more turn. */
static void go_on(struct conns *conns)
{
	struct conn *conn = conns->again;
	struct conn *next;

	conns->again = NULL;
	for (; conn != NULL; conn = next) {
		next = conn->again_next;
		conn->is_again = false;
		conn_go_on(conn);
	}
}

void conns_turn(struct conns *conns)
{
	struct conn *conn;

	go_on(conns);
	while ((conn = conns->buried) != NULL) {
		conns->buried = conn->next;
		free(conn);
	}
}
