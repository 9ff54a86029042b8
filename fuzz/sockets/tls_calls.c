/*
 * The calls of TLS after its handshake: records, and messages of its own, for
 * which a read may have to write and a write to read.
 */
#include <errno.h>

#include "oracle.h"
#include "side.h"

#define RECORD_MAX 16384

/* As much of n bytes as one record has. */
static uint64_t record(uint64_t n)
{
	return n < RECORD_MAX ? n : RECORD_MAX;
}

static struct side *tls_side(const struct tls *tls)
{
	ORACLE("SRV-8", tls->ssl != NULL, "a call of TLS without it");
	return side_of_tls(tls);
}

/* TLS reads its own messages whatever it was asked for. */
static void get_message(struct side *side)
{
	if (side->messages == 0)
		return;
	side->messages = 0;
	side->write_needs_read = false;
	side->may_be_idle = true;
	side->took_message = true;
	sides.called = true;
}

/* What a write of TLS waits for, if it waits. */
static enum io write_waits(struct side *side)
{
	get_message(side);
	if (side->write_needs_read)
		return IO_WANT_READ;
	return side->room == 0 ? IO_WANT_WRITE : IO_OK;
}

/* Takes as much of a record from the socket as the turn allows. [SRV-87]. */
static void get_record(struct tls *tls, struct side *side)
{
	uint64_t n = record(side->arrived - side->taken);

	if (n > tls->budget)
		n = tls->budget;
	tls->budget -= n;
	side_spend(side, n);
	side->pending = n;
}

static enum io fail_reset(struct tls *tls, struct side *side)
{
	side->saw_reset = true;
	side->has_error = false;
	tls->error = ECONNRESET;
	sides.called = true;
	return IO_RESET;
}

/* Why there is none to read. */
static enum io no_data(struct tls *tls, struct side *side)
{
	if (side->floods) {
		side->saw_flood = sides.called = true;
		return IO_FLOOD;
	}
	if (!side->has_ended && (side->has_error || tls->error != 0))
		return fail_reset(tls, side);
	ORACLE("SRV-35",
		side->has_ended || side->is_reset || side->may_be_idle ||
			side->took_message,
		"a read in vain");
	side->took_message = false;
	if (!side->has_ended && !side->is_reset)
		return IO_WANT_READ;
	sides.called = true;
	/* The error is told: what is left of the socket is an end. */
	if (!side->has_ended)
		return tls->takes_unclean_end ? IO_END : IO_TRUNCATED;
	side->saw_truncation = side->is_truncated && !tls->takes_unclean_end;
	side_saw_end(side, !side->saw_truncation);
	return side->saw_end ? IO_END : IO_TRUNCATED;
}

enum io tls_read(struct tls *tls, void *buf, size_t len, size_t *n)
{
	struct side *side = tls_side(tls);

	ORACLE("SRV-35", len > 0, "a read of nothing");
	ORACLE("SRV-16", !side->saw_end, "a read after the end");
	if (side->read_needs_write && side->room == 0 && !side->is_reset)
		return IO_WANT_WRITE;
	if (side->read_needs_write)
		side->may_be_idle = true;
	side->read_needs_write = false;
	if (side->pending == 0) {
		get_message(side);
		if (tls->budget == 0)
			return IO_YIELD;
		get_record(tls, side);
	}
	if (side->pending > 0) {
		side->took_message = false;
		*n = side_take(side, buf, len, side->pending);
		side->pending -= *n;
		return IO_OK;
	}
	return no_data(tls, side);
}

enum io tls_write(struct tls *tls, const void *buf, size_t len, size_t *n)
{
	struct side *side = tls_side(tls);
	enum io io;

	ORACLE("SRV-35", len > 0, "a write of nothing");
	/* OpenSSL refuses less than what it could not write before. */
	ORACLE("SRV-16", len >= side->retry, "%zu bytes, before %llu", len,
		(unsigned long long)side->retry);
	if (side->is_reset)
		return fail_reset(tls, side);
	*n = 0;
	do {
		uint64_t most = record(len - *n);

		io = write_waits(side);
		side->retry = io == IO_OK ? 0 : most;
		if (io == IO_OK)
			*n += side_give(
				side, (const unsigned char *)buf + *n, most);
	} while (io == IO_OK && *n < len);
	return io;
}

enum io tls_end(struct tls *tls)
{
	struct side *side = tls_side(tls);
	enum io io;

	ORACLE("SRV-16", !side->notified, "close_notify twice");
	ORACLE("SRV-11", !side->is_shaking, "close_notify in a handshake");
	if (side->is_reset)
		return fail_reset(tls, side);
	io = write_waits(side);
	side->notified = io == IO_OK;
	sides.called = sides.called || io == IO_OK;
	return io;
}

bool tls_has_pending(const struct tls *tls)
{
	return tls_side(tls)->pending > 0;
}

void tls_release(struct tls *tls)
{
	tls->ssl = NULL;
}
