/*
 * The watchdog: asks the acceptor and all workers whether they still carry out
 * orders, by one through each mailbox, and calls alive when all have. It is the
 * main thread's. [SVC-5], [SVC-6].
 */
#ifndef WATCHDOG_H
#define WATCHDOG_H

#include "crew.h"
#include "server/watchdog.h"

struct pulse;

struct watchdog {
	struct crew *crew;
	struct lbp_watchdog rule;
	uint64_t period_ns; /* 0: it asks nobody */
	struct alarm tick;
	struct pulse *pulses; /* one for each worker, and the acceptor's */
	void (*alive)(struct watchdog *watchdog);
};

/*
 * Makes one for a crew, which must outlive it; it asks nobody yet. alive must
 * be set afterwards.
 */
void watchdog_init(struct watchdog *watchdog, struct crew *crew);

/* No thread of the crew may still run. */
void watchdog_release(struct watchdog *watchdog);

/*
 * Asks from now on, once in each period; the crew must run. False: out of
 * memory.
 */
bool watchdog_start(struct watchdog *watchdog, uint64_t period_ns);

#endif
