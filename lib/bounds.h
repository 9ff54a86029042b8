/*
 * What a stranger may cost: how often its handshake is driven, and how much is
 * read of it after a refusal. Source: SPEC.md [SES-30], [SES-31].
 */
#ifndef LBP_BOUNDS_H
#define LBP_BOUNDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "err.h"

LBP_BEGIN_DECLS

struct lbp_session;

/* A handshake that comes in more pieces than an honest one is read slowly. */
#define LBP_LOOKS_AT_ONCE 32
#define LBP_LOOK_PAUSE_NS UINT64_C(25000000)

/* How many bytes of a refused client without a name are read and dropped. */
#define LBP_STRANGER_DROPPED_MAX (256 * 1024)

/*
 * Says that the handshake was driven at now_ns and waits for more bytes.
 * Returns the time before which not to drive it again. Source: [SES-30].
 */
LBP_MUST_CHECK uint64_t lbp_session_looked(
	struct lbp_session *session, uint64_t now_ns);

/*
 * Says that n bytes were dropped while closing. Returns true when that was
 * enough: step LBP_EVENT_CLIENT_ENDED. Source: [SES-31].
 */
LBP_MUST_CHECK bool lbp_session_dropped(struct lbp_session *session, size_t n);

LBP_END_DECLS

#endif
