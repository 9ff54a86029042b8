#include "server/steps.h"

#include "base.h"

/* At most between two waits for descriptors. */
#define STEPS_MAX 4

/* What all else may take for what steps take. */
#define SHARE 4

/* But at most before the next one. */
#define OTHER_MAX_NS (20 * LBP_NS_PER_MS)

/* How long all else comes first, after the steps before. */
static uint64_t share_ns(const struct lbp_steps *steps)
{
	uint64_t ns = SHARE * steps->took_ns;

	return ns < OTHER_MAX_NS ? ns : OTHER_MAX_NS;
}

bool lbp_steps_begin(struct lbp_steps *steps, bool is_ready, uint64_t now_ns)
{
	if (!steps->is_waiting) {
		steps->is_waiting = true;
		steps->since_ns = now_ns;
		steps->took_ns = 0;
	}
	steps->other_ns = now_ns - steps->since_ns;
	if (is_ready && steps->other_ns < share_ns(steps))
		return false;
	steps->began_ns = now_ns;
	steps->count = 0;
	return true;
}

bool lbp_steps_go_on(struct lbp_steps *steps, uint64_t now_ns)
{
	steps->count++;
	steps->since_ns = now_ns;
	steps->took_ns = now_ns - steps->began_ns;
	return steps->count < STEPS_MAX &&
	       SHARE * steps->took_ns < steps->other_ns;
}

void lbp_steps_rest(struct lbp_steps *steps)
{
	steps->is_waiting = false;
}
