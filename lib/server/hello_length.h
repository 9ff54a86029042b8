/*
 * The length that a ClientHello announces. A TLS library may make room for it
 * at once, long before the message is whole: a few bytes of a stranger would
 * take 128 KiB. Source: SPEC.md [SRV-346].
 */
#ifndef LBP_HELLO_LENGTH_H
#define LBP_HELLO_LENGTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How far a client's messages have come. Zeroed at the beginning. */
struct lbp_hello_length {
	bool is_over;    /* what follows does not matter: it is refused */
	bool is_spoiled; /* a message whose length was changed */
	uint8_t record_type;
	uint8_t record_at;    /* bytes of a record's header that have come */
	uint8_t message_type; /* likewise of a message: */
	uint8_t message_at;
	uint32_t record_left; /* bytes after the header that are to come */
	uint32_t message_left;
};

/*
 * Follows the next len bytes that a client sends, from its first one on and as
 * long as a ClientHello is awaited, as nothing is encrypted until then. A
 * ClientHello that announces more than LBP_HELLO_MAX bytes is changed: to a
 * length that no library takes, or if it is too late for that, to one that is
 * accepted, and a body that is malformed.
 */
void lbp_hello_length_limit(
	struct lbp_hello_length *state, uint8_t *bytes, size_t len);

#endif
