/* All connections of one thread: their lists, their number, their sums. */
#include <stdlib.h>

#include "clock.h"
#include "conn_private.h"
#include "container.h"
#include "strangers.h"

void conns_await_sums(struct conns *conns, uint64_t due_ns)
{
	if (due_ns != LBP_NEVER && !lbp_timer_is_armed(&conns->sums.timer))
		loop_arm(conns->loop, &conns->sums, due_ns);
}

static void sums_fired(struct alarm *alarm)
{
	struct conns *conns = CONTAINER_OF(alarm, struct conns, sums);

	conns_await_sums(conns, strangers_sum_up(clock_now_ns()));
}

void conns_init(struct conns *conns, struct loop *loop, struct mailbox *mailbox,
	struct capacity *capacity, struct handshakes *handshakes)
{
	*conns = (struct conns){.loop = loop,
		.capacity = capacity,
		.handshakes = handshakes,
		.evictions.mail.deliver = conn_deliver_evictions,
		.evictions.mailbox = mailbox,
		.rejects.lock = PTHREAD_MUTEX_INITIALIZER};
	alarm_init(&conns->sums, sums_fired);
}

/*
 * The load is only a hint to other threads; the mailbox provides all ordering
 * that is needed.
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

static void leave_yielded(struct conn *conn)
{
	struct conn **link = &conn->conns->yielded;

	if (!conn->has_yielded)
		return;
	while (*link != conn)
		link = &(*link)->yielded_next;
	*link = conn->yielded_next;
	conn->has_yielded = false;
}

void conns_remove(struct conn *conn)
{
	struct conns *conns = conn->conns;

	leave_yielded(conn);
	unlink_conn(conn);
	conn->next = conns->ended;
	conns->ended = conn;
	conns_uncount(conns);
}

void conns_adopt(struct conns *conns, struct tls_server *tls)
{
	struct conn *conn, *next;

	conns->tls = tls;
	for (conn = conns->all; conn != NULL; conn = next) {
		next = conn->next;
		conn_judge(conn);
	}
}

bool conn_is_session(const struct conn *conn)
{
	return lbp_session_is_admitted(conn->session) &&
	       lbp_session_reason(conn->session) == LBP_REASON_NONE;
}

void conns_stop(struct conns *conns, enum lbp_reason reason)
{
	struct conn *conn, *next;

	for (conn = conns->all; conn != NULL; conn = next) {
		next = conn->next;
		conns->cut += conn_is_session(conn);
		conn_step(conn, (struct lbp_event){.kind = LBP_EVENT_STOP,
					.reason = reason});
	}
}

/* Gives each connection that yielded one more turn. */
static void resume_yielded(struct conns *conns)
{
	struct conn *conn = conns->yielded;
	struct conn *next;

	conns->yielded = NULL;
	for (; conn != NULL; conn = next) {
		next = conn->yielded_next;
		conn->has_yielded = false;
		conn_continue(conn);
	}
}

void conns_turn(struct conns *conns)
{
	struct conn *conn;

	resume_yielded(conns);
	while ((conn = conns->ended) != NULL) {
		conns->ended = conn->next;
		target_release(conn->target);
		target_release(conn->renewed);
		served_app_release(conn->app);
		free(conn);
	}
}
