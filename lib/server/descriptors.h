/*
 * How many descriptors a server may need at once, and what follows from that:
 * the event loop that can watch them, and how many handshakes have room.
 * Source: SPEC.md [POL-2], [POL-3], [POL-6].
 */
#ifndef LBP_DESCRIPTORS_H
#define LBP_DESCRIPTORS_H

#include <stdint.h>

#include "err.h"
#include "server/config.h"

/*
 * The most connections that each worker has outside the two places that are
 * counted: accepted but not yet in a handshake, or evicted from one and not
 * yet closed. [POL-2].
 */
#define LBP_LOOSE_PER_WORKER 8

/*
 * "auto" chooses select up to this many descriptors. With 10 open descriptors,
 * of one session, a round trip costs 17.7 us with select and 17.4 us with
 * epoll; with 16, of four, 22 and 16; with 40, of 16, 31 and 16; with 768, of
 * 380, 322 and 15 (itest/bench/pollers). As [POL-2] counts, one session may
 * need 32, some of which are a reserve.
 */
#define LBP_AUTO_SELECT_MAX 40

/*
 * Returns the most descriptors that a server with this many workers and
 * listening sockets can have open at once under a configuration. inherited is
 * how many were open when it started, not counting the three standard ones.
 * Source: [POL-2].
 */
uint64_t lbp_descriptors_needed(const struct lbp_config *config,
	uint32_t workers, uint32_t listeners, uint32_t inherited);

/*
 * Chooses the event loop, select or epoll, of a server that may need this many
 * descriptors where select can watch select_max; it goes to *out.
 * LBP_ERR_RANGE: the configuration asks for select, which cannot watch them
 * all even with one handshake at a time; *out is unchanged. Source: [POL-3].
 */
LBP_MUST_CHECK enum lbp_err lbp_descriptors_event_loop(
	const struct lbp_config *config, uint64_t needed, uint64_t select_max,
	enum lbp_event_loop *out);

/*
 * Returns how many handshakes may be in progress at once with the event loop
 * that lbp_descriptors_event_loop chose for the same numbers: max_handshakes
 * or, with select, as many of them as fit, which is at least one.
 * Source: [POL-6].
 */
uint32_t lbp_descriptors_handshakes(const struct lbp_config *config,
	enum lbp_event_loop loop, uint64_t needed, uint64_t select_max);

#endif
