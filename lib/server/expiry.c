#include "server/expiry.h"

#include "base.h"
#include "core/later.h"

#define DAY_S       86400
#define SOON_S      (14 * DAY_S)
#define DAY_NS      (DAY_S * LBP_NS_PER_S)
#define CRL_PORTION 5

/* The clock that certificates go by may be behind this one by a tick. */
#define TICK_NS (10 * LBP_NS_PER_MS)

/* How many seconds before the end to start warning. */
static uint64_t notice_of(const struct lbp_expiry *expiry)
{
	if (expiry->kind == LBP_EXPIRY_CERTIFICATE)
		return SOON_S;
	return ((uint64_t)expiry->until_s - (uint64_t)expiry->from_s) /
	       CRL_PORTION;
}

enum lbp_expiry_state lbp_expiry_judge(
	const struct lbp_expiry *expiry, int64_t now_s)
{
	if (now_s >= expiry->until_s)
		return LBP_EXPIRY_OVER;
	if (now_s < expiry->from_s)
		return LBP_EXPIRY_EARLY;
	if (expiry->until_s == LBP_EXPIRY_NEVER)
		return LBP_EXPIRY_FINE;
	return (uint64_t)expiry->until_s - (uint64_t)now_s <= notice_of(expiry)
		       ? LBP_EXPIRY_SOON
		       : LBP_EXPIRY_FINE;
}

uint64_t lbp_expiry_next_ns(uint64_t now_ns)
{
	return lbp_later(now_ns, DAY_NS);
}

uint64_t lbp_expiry_due_ns(
	int64_t until_s, int64_t today_s, uint64_t today_ns, uint64_t now_ns)
{
	uint64_t left_s;

	if (until_s == LBP_EXPIRY_NEVER)
		return LBP_NEVER;
	if (until_s <= today_s)
		return lbp_later(now_ns, TICK_NS);
	left_s = (uint64_t)until_s - (uint64_t)today_s;
	if (left_s >= LBP_NEVER / LBP_NS_PER_S)
		return LBP_NEVER;
	return lbp_later(now_ns, left_s * LBP_NS_PER_S - today_ns + TICK_NS);
}

enum lbp_reason lbp_expiry_spare(enum lbp_reason reason, bool keeps)
{
	return keeps && reason == LBP_REASON_EXPIRED ? LBP_REASON_NONE : reason;
}
