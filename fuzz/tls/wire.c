#include "wire.h"

#include <stdlib.h>
#include <string.h>

#define HEADER 5

/* RFC 8446, 5.1 */
enum {
	CHANGE_CIPHER_SPEC = 20,
	ALERT = 21,
	HANDSHAKE = 22,
};

void wire_init(
	struct wire *wire, enum wire_fault fault, size_t at, uint8_t value)
{
	wire->fault = fault;
	wire->at = at;
	wire->value = value;
	wire->sent_len = 0;
	wire->done = 0;
	wire->records = 0;
	wire->out_len = 0;
	wire->given = 0;
	wire->is_holding = false;
}

/* The length of the record at `at` of len bytes; 0 if it is not whole. */
static size_t record_len(const uint8_t *bytes, size_t at, size_t len)
{
	size_t need;

	if (len - at < HEADER)
		return 0;
	need = HEADER + (size_t)(bytes[at + 3] << 8 | bytes[at + 4]);
	return len - at < need ? 0 : need;
}

static void emit(struct wire *wire, const uint8_t *bytes, size_t len)
{
	if (len > WIRE_MAX - wire->out_len)
		abort();
	memcpy(wire->out + wire->out_len, bytes, len);
	wire->out_len += len;
}

static void emit_record(struct wire *wire, size_t at)
{
	emit(wire, wire->sent + at, record_len(wire->sent, at, wire->sent_len));
}

/* Does what the fault does to one byte of a record. */
static void emit_hurt(struct wire *wire, const uint8_t *record, size_t len)
{
	size_t skip = wire->at - wire->done;
	uint8_t byte = record[skip] ^ wire->value;

	emit(wire, record, skip);
	if (wire->fault == WIRE_CUT_OFF)
		return;
	if (wire->fault == WIRE_INSERT)
		emit(wire, &wire->value, 1);
	if (wire->fault == WIRE_FLIP)
		emit(wire, &byte, 1);
	if (wire->fault != WIRE_INSERT)
		skip++;
	emit(wire, record + skip, len - skip);
}

static void forward_bytes(struct wire *wire, size_t len)
{
	const uint8_t *record = wire->sent + wire->done;

	if (wire->fault == WIRE_NONE || wire->at >= wire->done + len)
		emit(wire, record, len);
	else if (wire->at >= wire->done)
		emit_hurt(wire, record, len);
	else if (wire->fault != WIRE_CUT_OFF)
		emit(wire, record, len);
}

static void forward_record(struct wire *wire, size_t len)
{
	bool is_it = wire->records == wire->at;

	if (is_it && wire->fault == WIRE_LOSE)
		return;
	if (is_it && wire->fault == WIRE_SWAP) {
		wire->held = wire->done;
		wire->is_holding = true;
		return;
	}
	emit(wire, wire->sent + wire->done, len);
	if (is_it && wire->fault == WIRE_REPEAT)
		emit(wire, wire->sent + wire->done, len);
	if (wire->is_holding) {
		emit_record(wire, wire->held);
		wire->is_holding = false;
	}
}

void wire_push(struct wire *wire, const uint8_t *bytes, size_t len)
{
	if (len > WIRE_MAX - wire->sent_len)
		abort();
	memcpy(wire->sent + wire->sent_len, bytes, len);
	wire->sent_len += len;
	while ((len = record_len(wire->sent, wire->done, wire->sent_len)) > 0) {
		if (wire->fault < WIRE_LOSE)
			forward_bytes(wire, len);
		else
			forward_record(wire, len);
		wire->done += len;
		wire->records++;
	}
}

bool wire_is_clean(const struct wire *wire)
{
	return wire->done == wire->sent_len && wire->given == wire->sent_len &&
	       wire->out_len == wire->sent_len &&
	       memcmp(wire->sent, wire->out, wire->sent_len) == 0;
}

/* Moves *at to the next record that TLS protects; its length, or 0. */
static size_t next_protected(const uint8_t *bytes, size_t *at, size_t len)
{
	size_t got;

	while ((got = record_len(bytes, *at, len)) > 0) {
		if (got > HEADER && bytes[*at] != CHANGE_CIPHER_SPEC &&
			bytes[*at] != ALERT)
			break;
		*at += got;
	}
	return got;
}

static bool is_same_record(const uint8_t *a, const uint8_t *b, size_t len)
{
	bool version = a[0] == HANDSHAKE || (a[1] == b[1] && a[2] == b[2]);

	return a[0] == b[0] && version && memcmp(a + 3, b + 3, len - 3) == 0;
}

bool wire_is_same(const struct wire *wire, size_t len)
{
	size_t sent = 0;
	size_t out = 0;
	size_t want;

	while ((want = next_protected(wire->sent, &sent, len)) > 0) {
		size_t got = next_protected(wire->out, &out, wire->given);

		if (got != want || !is_same_record(wire->sent + sent,
					   wire->out + out, want))
			return false;
		sent += want;
		out += got;
	}
	return true;
}
