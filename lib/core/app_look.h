/*
 * What is counted in an application, for whoever wants to show it. Looking
 * changes nothing. For the server's pure half and cmd. Source: SPEC.md
 * [APP-28], [APP-29], [APP-32].
 */
#ifndef LBP_APP_LOOK_H
#define LBP_APP_LOOK_H

#include "app.h"

/* Would a session that is admitted now get an upstream, and why not? */
enum lbp_choice {
	LBP_CHOICE_NEXT,       /* it would */
	LBP_CHOICE_REMOVED,    /* by a reload */
	LBP_CHOICE_NO_ADDRESS, /* its name has none */
	LBP_CHOICE_DOWN,
	LBP_CHOICE_DRAINING,
	LBP_CHOICE_FULL,   /* it is at its bound */
	LBP_CHOICE_BACKUP, /* another one is left that is none */
	LBP_CHOICE_LOAD,   /* it has more open for its weight than the next */
	LBP_CHOICE_TURN    /* as much, and was chosen after it */
};

struct lbp_upstream_look {
	const char *name; /* the application's, until the next commit */
	void *user;
	uint32_t weight;
	uint32_t max_connections; /* 0: no bound */
	uint32_t open;            /* connections, those being dialed included */
	bool is_backup;
	bool is_up;
	bool has_address;
	bool serves; /* false: removed, with something open */
	bool is_draining;
	enum lbp_choice choice;
	uint64_t dial_failures; /* since it was added */
	uint64_t check_failures;
};

/*
 * Looks at the upstream with this number. False: none has it, and *look does
 * not change.
 */
bool lbp_app_look_upstream(const struct lbp_app *app, uint32_t upstream,
	struct lbp_upstream_look *look);

struct lbp_client_look {
	uint32_t client; /* its number */
	struct lbp_limits limits;
	uint32_t open; /* sessions */
	uint32_t
		admitted; /* within the window that ends now, as far as known */
	/* Until the rate lets one more in; 0: it does now. The cap may not. */
	uint64_t wait_ns;
};

/*
 * Looks at clients who may use the application, in the order of their numbers
 * from first on, at now_ns of the clock of lbp_app_admit. Returns how many were
 * written to looks, at most max.
 */
uint32_t lbp_app_look_clients(const struct lbp_app *app, uint32_t first,
	uint64_t now_ns, struct lbp_client_look *looks, uint32_t max);

#endif
