/*
 * A worker's last rejects, of strangers and of clients apart, so that whoever
 * floods the one hides nothing of the other. The worker adds, others copy.
 */
#ifndef REJECTS_H
#define REJECTS_H

#include <pthread.h>

#include "address.h"
#include "reason.h"
#include "serial.h"
#include "server/config.h"

/* Of each kind. */
#define REJECTS_KEPT 16

struct reject {
	uint64_t at_ms; /* since 1970 */
	enum lbp_reason reason;
	union address peer;
	bool is_stranger;
	bool has_serial;
	struct lbp_serial serial;
	char app[LBP_ID_MAX + 1];
	char client[LBP_ID_MAX + 1]; /* empty: unknown */
};

struct rejects {
	pthread_mutex_t lock; /* held for a copy, never longer */
	struct reject items[2][REJECTS_KEPT];
	uint64_t counts[2]; /* that were ever added; strangers' is 1 */
};

/* Adds one, in the place of the oldest of its kind. */
void rejects_add(struct rejects *rejects, const struct reject *reject);

/*
 * Copies those there are to out, which has room for 2 * REJECTS_KEPT, and
 * returns how many. Any thread may call this.
 */
size_t rejects_copy(struct rejects *rejects, struct reject *out);

#endif
