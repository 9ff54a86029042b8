/* What an application is made of. For app*.c, server/policy.c, tests. */
#ifndef LBP_APP_STATE_H
#define LBP_APP_STATE_H

#include "app.h"
#include "core/balancer.h"
#include "core/health_state.h"
#include "timers.h"

/* One number of an upstream, and what has it. */
struct lbp_app_place {
	struct lbp_timer timer; /* first: a taken timer is its place */
	struct lbp_health health;
	char *name;  /* owned; NULL: nothing has this number */
	void *user;  /* the caller's */
	bool serves; /* false: removed, but not given back by all */
	bool stays;  /* in a successor: the application has it already */
};

struct lbp_app_member {
	uint32_t client; /* its number in the acl */
	bool may_enter;  /* false: removed, but not left by all */
	struct lbp_limiter limiter;
};

struct lbp_app {
	char *id;
	const struct lbp_acl *acl; /* NULL: retired */
	uint32_t number;
	struct lbp_health_options health;
	struct lbp_balancer balancer;
	struct lbp_balancer_slot *slots;
	uint16_t *heap;
	struct lbp_app_place *places; /* one for each slot */
	struct lbp_timers timers;
	struct lbp_heap_node **timer_heap;
	struct lbp_app_member *members; /* member_len, by client */
	size_t member_len;
	uint64_t *rings; /* of all limiters, one after the other */
};

/* Arms the timer of an upstream's next check, if there is to be one. */
void lbp_app_arm_check(struct lbp_app *app, uint32_t upstream);

/* Compares the clients of two members, for bsearch and qsort. */
int lbp_app_compare_members(const void *a, const void *b);

#endif
