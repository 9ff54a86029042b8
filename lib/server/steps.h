/*
 * When a thread takes the steps of TLS handshakes, beside everything else that
 * it does. One takes as long as twenty small relays, and there may always be
 * more: so all else comes first, for four times as long, but not for ever, as
 * after a step in which the machine stood still. Source: SPEC.md [SRV-43],
 * [SRV-340], [SRV-341].
 */
#ifndef LBP_STEPS_H
#define LBP_STEPS_H

#include <stdbool.h>
#include <stdint.h>

/*
 * All zero: no step waits. Fields are private. All times are of the same
 * monotonic clock, in nanoseconds.
 */
struct lbp_steps {
	bool is_waiting;
	uint32_t count;    /* of steps since the last wait for descriptors */
	uint64_t since_ns; /* the end of the last step, or the first wait */
	uint64_t other_ns; /* what all else took before the first of them */
	uint64_t began_ns; /* the first of them */
	uint64_t took_ns;  /* they, together */
};

/*
 * After a wait for descriptors, if a step waits to be taken: returns true if
 * that is to be now, and false if there is to be another wait before. Something
 * else is_ready if there were ready descriptors, or there is more to be done
 * that does not wait for any.
 */
bool lbp_steps_begin(struct lbp_steps *steps, bool is_ready, uint64_t now_ns);

/*
 * After a step: returns true if the next one may follow before another wait for
 * descriptors.
 */
bool lbp_steps_go_on(struct lbp_steps *steps, uint64_t now_ns);

/* After that: no step waits any more. */
void lbp_steps_rest(struct lbp_steps *steps);

#endif
