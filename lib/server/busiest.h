/*
 * The busiest of many clients, as many as there is room for. Source: SPEC.md
 * [ADM-14].
 */
#ifndef LBP_BUSIEST_H
#define LBP_BUSIEST_H

#include "core/app_look.h"

struct lbp_busiest {
	uint64_t *uses; /* the caller's, of cap entries */
	uint32_t cap;
	uint32_t len;
	uint32_t least;    /* private: the place of the least of cap */
	uint64_t left_out; /* that are in use, too */
};

/* Starts with nothing, over room that must outlive it. */
void lbp_busiest_init(
	struct lbp_busiest *busiest, uint64_t *uses, uint32_t cap);

/*
 * Returns how busy a client is: those that the rate refuses now come first,
 * then those with more sessions, then those with more admissions; 0: it has
 * none of either.
 */
uint64_t lbp_busiest_use(const struct lbp_client_look *look);

/*
 * Offers a client. Returns its place, below cap, which may be that of a less
 * busy one that is left out for it: the first place of the least busy;
 * LBP_NONE: there is none for it.
 */
uint32_t lbp_busiest_offer(struct lbp_busiest *busiest, uint64_t use);

#endif
