#include "side.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/model_proxy.h"
#include "oracle.h"

#define TURN_BYTES_MAX (256 * 1024) /* [SRV-34] */
/* A call that was interrupted is one turn in which nothing happens. */
#define IDLE_TURNS_MAX 2

struct sides sides;
/* What both peers send, from different places on. */
static uint8_t pattern[SIDE_BYTES_MAX + 1000];

static void draw_pattern(void)
{
	uint32_t value = 1;

	if (pattern[1] != 0)
		return;
	for (size_t i = 0; i < sizeof(pattern); i++) {
		value = value * 1664525 + 1013904223;
		pattern[i] = (uint8_t)(value >> 24);
	}
}

void sides_start(struct conn *conn)
{
	draw_pattern();
	memset(&sides, 0, sizeof(sides));
	sides.conn = conn;
	sides.side[0].closed = true;
	sides.side[1].closed = true;
}

void sides_turn(void)
{
	sides.called = false;
	for (unsigned i = 0; i < 2; i++) {
		sides.budget[i] = TURN_BYTES_MAX;
		sides.side[i].may_be_idle = false;
	}
}

void sides_turned(bool is_over)
{
	sides.idle = sides.called ? 0 : sides.idle + 1;
	ORACLE("SRV-35", is_over || sides.idle < IDLE_TURNS_MAX,
		"turns in which nothing happens");
}

uint32_t sides_amount(unsigned how)
{
	static const uint32_t amounts[16] = {1, 2, 3, 100, 1000, 16384, 16385,
		65535, 65536, 65537, 131072, 262143, 262144, 262145, 300000,
		1u << 20};

	return amounts[how];
}

void side_open(struct side *side)
{
	*side = (struct side){.may_be_full = true};
}

void side_arrive(struct side *side, uint64_t n)
{
	uint64_t left = SIDE_BYTES_MAX - side->arrived;

	if (side->has_ended || side->is_reset)
		return;
	side->arrived += n < left ? n : left;
	if (side->write_needs_read)
		side->messages = 1;
}

void side_saw_end(struct side *side, bool is_clean)
{
	side->saw_end = is_clean;
	side->saw_end_late =
		sides.conn->session->state == LBP_SESSION_RESETTING ||
		sides.conn->session->sides[side - sides.side].has_failed;
}

void side_end(struct side *side)
{
	side_arrive(side, 0);
	side->has_ended = side->has_ended || !side->is_reset;
}

void side_truncate(struct side *side)
{
	if (side->has_ended || side->is_reset || !side_is_tls(side))
		return;
	side_end(side);
	side->is_truncated = true;
}

void side_reset(struct side *side)
{
	side->has_error = side->has_error || !side->is_reset;
	side->is_reset = true;
}

bool side_is_done(const struct side *side)
{
	return side->saw_end && side->shut;
}

struct stream *side_stream(const struct side *side)
{
	return side == sides.side ? &sides.conn->client : &sides.conn->upstream;
}

struct side *side_other(const struct side *side)
{
	return side == sides.side ? &sides.side[1] : &sides.side[0];
}

struct side *side_of_fd(int fd)
{
	ORACLE("SRV-17",
		(fd == SIDE_FD || fd == SIDE_FD + 1) &&
			!sides.side[fd - SIDE_FD].closed,
		"a call of a socket that is closed");
	return &sides.side[fd - SIDE_FD];
}

struct side *side_of_tls(const struct tls *tls)
{
	return &sides.side[tls == &sides.conn->upstream.tls];
}

bool side_is_tls(const struct side *side)
{
	return side_stream(side)->tls.ssl != NULL;
}

static const uint8_t *sent_by(const struct side *side, uint64_t at)
{
	return pattern + (side == sides.side ? 0 : 1000) + at;
}

static uint64_t min(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Of the socket itself, without what TLS has read from it. */
static bool is_readable(const struct side *side)
{
	return side->arrived > side->taken + side->pending || side->has_ended ||
	       side->messages > 0;
}

unsigned side_readiness(const struct side *side)
{
	if (side->is_connecting)
		return 0;
	if (side->is_reset)
		return POLLER_READ | POLLER_WRITE |
		       (side->has_error ? POLLER_ERROR : 0);
	if (side->refusal != 0)
		return POLLER_READ | POLLER_WRITE;
	return (is_readable(side) ? POLLER_READ : 0) |
	       (side->room > 0 ? POLLER_WRITE : 0);
}

void side_spend(const struct side *side, uint64_t n)
{
	uint64_t *budget = &sides.budget[side - sides.side];

	ORACLE("SRV-34", n <= *budget, "%llu bytes too much in one turn",
		(unsigned long long)(n - *budget));
	*budget -= n;
}

size_t side_take(struct side *side, void *buf, size_t len, uint64_t n)
{
	n = min(n, len);
	memcpy(buf, sent_by(side, side->taken), n);
	side->taken += n;
	sides.called = sides.called || n > 0;
	return n;
}

size_t side_give(struct side *side, const void *buf, uint64_t n)
{
	struct side *from = side_other(side);

	n = min(n, side->room);
	ORACLE("SRV-16", !side->shut && !side->notified, "bytes after the end");
	ORACLE("PRX-20", side == sides.side || side_has_header(side),
		"bytes before the header");
	ORACLE("SRV-16",
		side->given + n <= from->taken &&
			memcmp(buf, sent_by(from, side->given), n) == 0,
		"other bytes than those that came");
	side->given += n;
	side->room -= n;
	sides.called = true;
	return n;
}

size_t side_take_header(struct side *side, const void *buf, size_t len)
{
	size_t n = min(len, side->room);

	ORACLE("PRX-20",
		sides.has_headers && side != sides.side &&
			len <= LBP_PROXY_MAX - side->header_len,
		"bytes before the client's");
	memcpy(side->header + side->header_len, buf, n);
	side->header_len += n;
	side->room -= n;
	sides.called = true;
	return n;
}

bool side_has_header(const struct side *side)
{
	struct lbp_proxy_header header;
	enum lbp_proxy_found found;

	if (!sides.has_headers)
		return side->header_len == 0;
	found = model_proxy_read(side->header, side->header_len, &header);
	ORACLE("PRX-23", found != LBP_PROXY_BAD, "it is no header");
	if (found == LBP_PROXY_MORE)
		return false;
	ORACLE("PRX-23", header.len == side->header_len,
		"%zu bytes of which %zu are a header", side->header_len,
		header.len);
	ORACLE("PRX-21",
		header.ends.are_known &&
			header.ends.source_port == ntohs(SIDE_PEER_PORT) &&
			header.ends.destination_port == ntohs(SIDE_OWN_PORT),
		"from port %u to port %u", header.ends.source_port,
		header.ends.destination_port);
	return true;
}

/* The poller is told before the number can be another socket's. */
void side_forget(struct poller *poller, struct watch *watch)
{
	(void)poller;
	side_of_fd(watch->fd)->is_watched = false;
}

void side_stop(struct poller *poller, struct watch *watch)
{
	side_forget(poller, watch);
	sides.called = true;
}

int side_watch(struct poller *poller, struct watch *watch, unsigned want)
{
	(void)poller;
	(void)want;
	/* To watch for other things than before takes no memory. */
	if (sides.no_watch && !watch->is_watched) {
		sides.no_watch = false;
		sides.refused = true;
		errno = ENOSPC;
		return -1;
	}
	side_of_fd(watch->fd)->is_watched = true;
	sides.called = true;
	return 0;
}

/* Do bytes of this side still go on? While resetting, one side's do. */
static bool goes_on(const struct side *from)
{
	const struct lbp_session *session = sides.conn->session;

	return session->state != LBP_SESSION_RESETTING ||
	       from == &sides.side[session->cut == LBP_DOWN];
}

/* Nothing is ready, and the session goes on: is no break unnoticed? */
static void check_breaks(const struct side *side)
{
	bool is_resetting = sides.conn->session->state == LBP_SESSION_RESETTING;

	ORACLE("SRV-81",
		!side->is_reset || side_is_done(side) ||
			(is_resetting && goes_on(side)),
		"a reset is not seen");
	ORACLE("SRV-82",
		!is_resetting || !goes_on(side) ||
			side_other(side)->given < side->arrived ||
			/* It is looked at again after a while. */
			sides.conn->session->is_flushing,
		"it waits for nothing");
}

void side_check_rest(const struct side *from)
{
	const struct side *to = side_other(from);
	bool can_write = to->room > 0 && !to->write_needs_read && !to->is_reset;
	bool is_full = from->taken - to->given == RING_BYTES;
	bool can_read = !from->read_needs_write || from->room > 0;

	check_breaks(from);
	if (!goes_on(from))
		return;
	ORACLE("SRV-18", from->taken - to->given <= RING_BYTES,
		"more than a ring is kept");
	ORACLE("SRV-35", from->taken == from->arrived || is_full || !can_read,
		"%llu of %llu bytes are not read",
		(unsigned long long)(from->arrived - from->taken),
		(unsigned long long)from->arrived);
	ORACLE("SRV-35", to->given == from->taken || !can_write,
		"%llu bytes are not written",
		(unsigned long long)(from->taken - to->given));
	ORACLE("SRV-35",
		!from->has_ended || from->is_reset || from->saw_end ||
			from->saw_truncation || is_full || !can_read,
		"the end is not read");
	ORACLE("SRV-35",
		!from->saw_end || to->shut || to->given < from->taken ||
			!can_write || from->is_reset,
		"the end is not passed on");
}
