#include "server/hello_length.h"

#include <string.h>

#include "server/hello.h"

/* RFC 8446, 5.1 and 4 */
#define RECORD_HEADER  5
#define MESSAGE_HEADER 4

enum {
	HANDSHAKE = 22,
	CLIENT_HELLO = 1,
};

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* One more byte of a record's header: type, version (2), length (2). */
static void take_record(struct lbp_hello_length *state, uint8_t byte)
{
	switch (state->record_at++) {
	case 0:
		state->record_type = byte;
		break;
	case 3:
		state->record_left = (uint32_t)byte << 8;
		break;
	case 4:
		state->record_left += byte;
		break;
	default:
		break;
	}
}

/* The length would be that with one more byte of it; true: too much. */
static bool is_too_much(const struct lbp_hello_length *state, uint32_t left)
{
	return state->message_type == CLIENT_HELLO && left > LBP_HELLO_MAX;
}

/* One more byte of a message's header: type, length (3). */
static void take_message(struct lbp_hello_length *state, uint8_t *byte)
{
	unsigned at = state->message_at++;
	uint32_t left = *byte;

	if (at == 0) {
		state->message_type = *byte;
		state->message_left = 0;
		return;
	}
	left = state->message_left + (left << 8 * (MESSAGE_HEADER - 1 - at));
	if (!is_too_much(state, left)) {
		state->message_left = left;
		return;
	}
	state->is_spoiled = true;
	state->is_over = at == 1;
	*byte = at == 1 ? 0xff : 0;
}

/* As much of a message's body as there is. */
static size_t take_body(
	struct lbp_hello_length *state, uint8_t *bytes, size_t len)
{
	size_t n = least(len, state->message_left);

	if (state->is_spoiled)
		memset(bytes, 0xff, n);
	state->message_left -= (uint32_t)n;
	return n;
}

/* Some of a handshake record's bytes, but at least one. */
static size_t take_content(
	struct lbp_hello_length *state, uint8_t *bytes, size_t len)
{
	size_t n = 1;

	if (state->message_at < MESSAGE_HEADER)
		take_message(state, bytes);
	else
		n = take_body(state, bytes, len);
	if (state->message_at == MESSAGE_HEADER && state->message_left == 0) {
		state->message_at = 0;
		state->is_over = state->is_spoiled;
	}
	return n;
}

/* The same of any record. */
static size_t take(struct lbp_hello_length *state, uint8_t *bytes, size_t len)
{
	size_t n = least(len, state->record_left);

	if (state->record_at < RECORD_HEADER) {
		take_record(state, *bytes);
		n = 1;
	} else {
		if (state->record_type == HANDSHAKE)
			n = take_content(state, bytes, n);
		state->record_left -= (uint32_t)n;
	}
	if (state->record_at == RECORD_HEADER && state->record_left == 0)
		state->record_at = 0;
	return n;
}

void lbp_hello_length_limit(
	struct lbp_hello_length *state, uint8_t *bytes, size_t len)
{
	size_t at = 0;

	while (at < len && !state->is_over)
		at += take(state, bytes + at, len - at);
}
