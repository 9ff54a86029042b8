/* What an application is made of. For app*.c, server/policy.c, tests. */
#ifndef LBP_APP_STATE_H
#define LBP_APP_STATE_H

#include "app.h"
#include "core/health_state.h"
#include "core/pool.h"
#include "timers.h"

/* One number of an upstream, and what has it. */
struct lbp_app_place {
	struct lbp_timer timer; /* first: a taken timer is its place */
	struct lbp_health health;
	char *name; /* owned; NULL: nothing has this number */
	void *user; /* the caller's */
	uint64_t dial_failures;
	uint64_t check_failures;
	bool serves; /* false: removed, but not given back by all */
	bool is_draining;
	bool stays; /* in a successor: the application has it already */
};

/*
 * What is counted of a client. It changes under the lock alone, and reloads
 * pass it on by its address, so that a commit neither copies nor visits what
 * does not change.
 */
struct lbp_app_budget {
	struct lbp_limiter limiter; /* its ring is owned, too */
	/* Owned: a larger ring that the next admission moves to, of spare_room
	 * entries; or the smaller one that it has moved from. */
	uint64_t *spare;
	uint32_t spare_room;
};

struct lbp_app_member {
	uint32_t client; /* its number in the acl */
	uint32_t room;   /* what its ring has room for, or its spare one */
	struct lbp_limits limits;
	struct lbp_app_budget *budget;
	bool is_shared; /* the budget is of the application before */
};

/* A budget that takes the place of another one when a reload commits. */
struct lbp_app_renewal {
	struct lbp_app_budget *budget;
	struct lbp_app_budget *from;
	bool was_removed; /* the client: its admissions are forgotten */
};

/*
 * What a commit has to visit. After it, it belongs to what was replaced, which
 * owns the budgets that the renewals are from, and those in left.
 */
struct lbp_app_change {
	struct lbp_app_renewal *renewals; /* renewal_len */
	size_t renewal_len;
	struct lbp_app_budget **left; /* of those removed; NULL: still in use */
	size_t left_len;
};

/* Which budgets of its members an application owns. */
enum lbp_app_owns {
	LBP_APP_OWNS_UNSHARED, /* new, or prepared */
	LBP_APP_OWNS_ALL,      /* committed */
	LBP_APP_OWNS_NONE      /* replaced */
};

struct lbp_app {
	char *id;
	const struct lbp_acl *acl; /* NULL: retired */
	uint32_t number;
	struct lbp_health_options health;
	struct lbp_pool pool;
	struct lbp_pool_member *pool_members; /* one for each number */
	struct lbp_balancer_slot *slots;      /* two */
	uint16_t *heap;                       /* two */
	struct lbp_app_place *places;         /* one for each slot */
	struct lbp_timers timers;
	struct lbp_heap_node **timer_heap;
	struct lbp_app_member *members; /* who may enter; by client */
	size_t member_len;
	struct lbp_app_member *former; /* removed, with sessions; by client */
	size_t former_len;
	enum lbp_app_owns owns;
	struct lbp_app_change change;
};

/* Lets the balancer know whether an upstream may be chosen. */
void lbp_app_settle(struct lbp_app *app, uint32_t upstream);

/* Arms the timer of an upstream's next check, if there is to be one. */
void lbp_app_arm_check(struct lbp_app *app, uint32_t upstream);

/*
 * Makes the members of an application from its grants; from is what it is
 * prepared for, or NULL. LBP_ERR_NOMEM, LBP_ERR_APP_NUMBER: what was made is
 * for lbp_app_free_members.
 */
LBP_MUST_CHECK enum lbp_err lbp_app_make_members(
	struct lbp_app *app, const struct lbp_app *from);

/* Frees the members, and the budgets that the application owns. */
void lbp_app_free_members(struct lbp_app *app);

/*
 * The budget of a client that may enter, with its limits applied; NULL if it
 * may not.
 */
struct lbp_app_budget *lbp_app_budget_to_enter(
	const struct lbp_app *app, uint32_t client);

/* The budget of a client that may enter or has sessions open; or NULL. */
struct lbp_app_budget *lbp_app_budget(
	const struct lbp_app *app, uint32_t client);

/* Lets the members of next, which was prepared for it, take over the counts. */
void lbp_app_commit_members(struct lbp_app *next);

#endif
