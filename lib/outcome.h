/*
 * What has become of a session, for its log line and for whoever asks: where it
 * is, whose it is and why it ended. Source: SPEC.md [SES-*].
 */
#ifndef LBP_OUTCOME_H
#define LBP_OUTCOME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base.h"
#include "event.h"
#include "flow.h"
#include "name.h"
#include "reason.h"

LBP_BEGIN_DECLS

struct lbp_session;

enum lbp_state lbp_session_state(const struct lbp_session *session);

/* Returns the reason; LBP_REASON_NONE until LBP_DUTY_REPORT says it is final.
 */
enum lbp_reason lbp_session_reason(const struct lbp_session *session);

/* Returns true once it was admitted: a session, and not a reject. */
bool lbp_session_is_admitted(const struct lbp_session *session);

/* Returns the number of its client; LBP_NONE: unknown. */
uint32_t lbp_session_client(const struct lbp_session *session);

/*
 * Returns the names of its last IDENTIFIED, and stores how many in *len unless
 * that is NULL. NULL: there was none.
 */
const struct lbp_name *lbp_session_names(
	const struct lbp_session *session, size_t *len);

/*
 * Returns by which of these names its client was identified last, the first of
 * several that are the client's. NULL: it is unknown. Source: [SES-50].
 */
const struct lbp_name *lbp_session_matched(const struct lbp_session *session);

/* Returns the upstream that was chosen last; LBP_NONE: none, or none left. */
uint32_t lbp_session_upstream(const struct lbp_session *session);

/* Returns how many bytes were delivered in a direction. [FLW-8]. */
uint64_t lbp_session_delivered(
	const struct lbp_session *session, enum lbp_direction way);

LBP_END_DECLS

#endif
