/*
 * Handshakes in progress, shared fairly between the sources that they come
 * from: a newcomer always finds a place, if need be that of the oldest
 * handshake of the source that has the most.
 *
 * All memory is had at the start. Sources are found by a keyed hash, since
 * whoever connects chooses the address; with n places entering and leaving
 * take O(log n), as far as the hash spreads them. Source: SPEC.md [SRC-*].
 */
#ifndef LBP_SOURCES_H
#define LBP_SOURCES_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"

#define LBP_SOURCES_MAX (UINT32_C(1) << 20) /* places */

/* Whose share a handshake counts towards; make one with lbp_source_*. */
struct lbp_source {
	uint64_t high; /* the first eight bytes of the address, as IPv6 */
	uint64_t low;  /* the others of an IPv4 one, mapped; else 0 */
};

/* One handshake's hold of a place. */
struct lbp_ticket {
	uint64_t order; /* no two tickets have the same; 0: none */
	uint32_t place; /* below the number of places */
};

struct lbp_sources;

/* The source of an IPv4 address: itself, in network byte order. [SRC-1] */
struct lbp_source lbp_source_ipv4(const uint8_t address[4]);

/*
 * The source of an IPv6 address, in network byte order: its first 64 bits, or
 * if it is ::ffff:a.b.c.d, the IPv4 address a.b.c.d. [SRC-1]
 */
struct lbp_source lbp_source_ipv6(const uint8_t address[16]);

/*
 * Makes cap free places, 1 to LBP_SOURCES_MAX, in *out, which the caller ends
 * with lbp_sources_free. seed is to be random and secret: who knows it can
 * make the other calls slow, though not wrong. LBP_ERR_RANGE: cap is out of
 * bounds. LBP_ERR_NOMEM. On error *out is NULL.
 */
LBP_MUST_CHECK enum lbp_err lbp_sources_new(
	struct lbp_sources **out, uint32_t cap, const uint64_t seed[2]);

/* Frees the places and all tickets for them; NULL is allowed. */
void lbp_sources_free(struct lbp_sources *sources);

/*
 * Takes a place for one more handshake of a source, which cannot fail, and
 * puts the ticket for it into *ticket; lbp_sources_leave gives it back. If all
 * places were taken, *evicted is the ticket that lost its place to this one,
 * and whose handshake the caller ends: that of the oldest handshake of the
 * source that has the most, which is the newcomer's own if that is among
 * those, else one whose oldest handshake was not heard of if there is one, and
 * of these the one whose oldest handshake is the oldest. Otherwise
 * evicted->order is 0. Source: [SRC-2] to [SRC-4].
 */
void lbp_sources_enter(struct lbp_sources *sources,
	const struct lbp_source *source, struct lbp_ticket *ticket,
	struct lbp_ticket *evicted);

/*
 * Says that a handshake has sent something, which matters among sources that
 * have equally many. LBP_ERR_STATE: as of lbp_sources_leave. Source: [SRC-3].
 */
enum lbp_err lbp_sources_heard(
	struct lbp_sources *sources, struct lbp_ticket ticket);

/*
 * Gives a place back. LBP_ERR_STATE: the ticket has lost its place, was given
 * back already or never given out; nothing changes, whoever has the place
 * now. Source: [SRC-5].
 */
enum lbp_err lbp_sources_leave(
	struct lbp_sources *sources, struct lbp_ticket ticket);

/* How many places are taken. */
uint32_t lbp_sources_taken(const struct lbp_sources *sources);

/* How many of them by this source. */
uint32_t lbp_sources_taken_by(
	const struct lbp_sources *sources, const struct lbp_source *source);

/* How many sources have a place. */
uint32_t lbp_sources_count(const struct lbp_sources *sources);

/* Do all invariants hold? For tests and fuzz targets; O(n). */
bool lbp_sources_validate(const struct lbp_sources *sources);

#endif
