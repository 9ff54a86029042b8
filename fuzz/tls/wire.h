/*
 * One direction of a connection as the network sees it: TLS records go in,
 * and at most one fault is done to them on the way.
 */
#ifndef LBP_FUZZ_TLS_WIRE_H
#define LBP_FUZZ_TLS_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WIRE_MAX 65536

enum wire_fault {
	WIRE_NONE,
	WIRE_FLIP,    /* of byte `at`, the bits of `value` */
	WIRE_DROP,    /* byte `at` */
	WIRE_INSERT,  /* `value` before byte `at` */
	WIRE_CUT_OFF, /* all from byte `at` on */
	WIRE_LOSE,    /* record `at` */
	WIRE_REPEAT,  /* record `at` */
	WIRE_SWAP,    /* record `at` with the next one */
	WIRE_FAULTS,
};

struct wire {
	enum wire_fault fault;
	size_t at; /* a byte of the stream, or the number of a record */
	uint8_t value;
	uint8_t sent[WIRE_MAX]; /* what went in */
	size_t sent_len;
	size_t done; /* of sent: whole records, faults done */
	size_t records;
	uint8_t out[WIRE_MAX]; /* what comes out */
	size_t out_len;
	size_t given; /* of out: what the other side has */
	size_t held;  /* of sent: a record that waits for the next */
	bool is_holding;
};

void wire_init(
	struct wire *wire, enum wire_fault fault, size_t at, uint8_t value);

/* Takes bytes in; what does not fit is a bug of the caller, and aborts. */
void wire_push(struct wire *wire, const uint8_t *bytes, size_t len);

/* Is every byte that was sent delivered as it was? */
bool wire_is_clean(const struct wire *wire);

/*
 * Are the first len bytes sent, which end with a record, delivered, but for
 * what TLS does not protect: the version of records in the clear, records of
 * change_cipher_spec, alerts, empty records?
 */
bool wire_is_same(const struct wire *wire, size_t len);

#endif
