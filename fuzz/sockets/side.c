#include "side.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

	if (side->has_ended)
		return;
	side->arrived += n < left ? n : left;
	if (side->write_needs_read)
		side->messages = 1;
}

void side_end(struct side *side)
{
	side_arrive(side, 0);
	side->has_ended = true;
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
	if (side->is_reset || side->refusal != 0)
		return POLLER_READ | POLLER_WRITE;
	return (is_readable(side) ? POLLER_READ : 0) |
	       (side->room > 0 ? POLLER_WRITE : 0);
}

size_t side_take(struct side *side, void *buf, size_t len, uint64_t n)
{
	uint64_t *budget = &sides.budget[side - sides.side];

	n = min(n, len);
	memcpy(buf, sent_by(side, side->taken), n);
	side->taken += n;
	ORACLE("SRV-34", n <= *budget, "%llu bytes too much in one turn",
		(unsigned long long)(n - *budget));
	*budget -= n;
	sides.called = sides.called || n > 0;
	return n;
}

size_t side_give(struct side *side, const void *buf, uint64_t n)
{
	struct side *from = side_other(side);

	n = min(n, side->room);
	ORACLE("SRV-16", !side->shut && !side->notified, "bytes after the end");
	ORACLE("SRV-16",
		side->given + n <= from->taken &&
			memcmp(buf, sent_by(from, side->given), n) == 0,
		"other bytes than those that came");
	side->given += n;
	side->room -= n;
	sides.called = true;
	return n;
}

/* The poller is told before the number can be another socket's. */
void side_forget(struct poller *poller, struct watch *watch)
{
	(void)poller;
	side_of_fd(watch->fd)->is_watched = false;
}

int side_watch(struct poller *poller, struct watch *watch, unsigned want)
{
	(void)poller;
	/* To watch for other things than before takes no memory. */
	if (sides.no_watch && watch->want == 0) {
		sides.no_watch = false;
		sides.refused = true;
		errno = ENOSPC;
		return -1;
	}
	side_of_fd(watch->fd)->is_watched = want != 0;
	sides.called = true;
	return 0;
}

void side_check_rest(const struct side *from)
{
	const struct side *to = side_other(from);
	bool can_write = to->room > 0 && !to->write_needs_read;
	bool is_full = from->taken - to->given == RING_BYTES;
	bool can_read = !from->read_needs_write || from->room > 0;

	if (from->is_reset || to->is_reset)
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
		!from->has_ended || from->saw_end || is_full || !can_read,
		"the end is not read");
	ORACLE("SRV-35",
		!from->saw_end || to->shut || to->given < from->taken ||
			!can_write,
		"the end is not passed on");
}
