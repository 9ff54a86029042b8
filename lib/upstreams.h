/*
 * The upstreams of an application, of which it chooses the one with the least
 * connections. Not thread-safe, as app.h says. Source: SPEC.md [APP-*],
 * [BAL-*].
 */
#ifndef LBP_UPSTREAMS_H
#define LBP_UPSTREAMS_H

#include <stdbool.h>
#include <stdint.h>

#include "base.h"
#include "err.h"
#include "health.h"

LBP_BEGIN_DECLS

struct lbp_app;

/* Returns how many upstream numbers there are, those not in use included. */
uint32_t lbp_app_upstreams(const struct lbp_app *app);

/*
 * Returns the name of an upstream; NULL if no upstream has this number. It
 * belongs to the application until the next commit.
 */
const char *lbp_app_upstream_name(const struct lbp_app *app, uint32_t upstream);

/*
 * Returns the user of an upstream, from the options; NULL if no upstream has
 * this number. Source: [APP-13].
 */
void *lbp_app_upstream_user(const struct lbp_app *app, uint32_t upstream);

/*
 * Chooses the eligible upstream with the least connections for its weight,
 * counts a connection on it, and stores its number in *upstream. tried is a
 * set of LBP_UPSTREAMS_MAX upstreams to leave out (see tried.h), or NULL.
 * LBP_ERR_NO_UPSTREAM: none is left. LBP_ERR_NULL: app or upstream is NULL. On
 * error *upstream does not change. Source: [BAL-1] to [BAL-4], [BAL-10],
 * [BAL-11].
 */
LBP_MUST_CHECK enum lbp_err lbp_app_choose(
	struct lbp_app *app, const uint8_t *tried, uint32_t *upstream);

/*
 * Records whether a dial of the chosen upstream succeeded, and returns how that
 * changed its health. A failed dial gives its connection back. Source: [APP-4].
 */
enum lbp_health_change lbp_app_dialed(
	struct lbp_app *app, uint32_t upstream, bool ok);

/*
 * Gives a connection back, or a dial that was abandoned. LBP_ERR_STATE: none is
 * open. LBP_ERR_RANGE: there is no such upstream. LBP_ERR_NULL: app is NULL.
 */
enum lbp_err lbp_app_release(struct lbp_app *app, uint32_t upstream);

/*
 * Drains an upstream, or ends that: while it drains it is not chosen, and all
 * else goes on, over reloads too. LBP_ERR_RANGE: no upstream that serves has
 * this number. LBP_ERR_NULL: app is NULL. Source: [APP-30], [APP-31].
 */
enum lbp_err lbp_app_set_draining(
	struct lbp_app *app, uint32_t upstream, bool is_draining);

/*
 * Returns true if at least one upstream is up and not draining, at its bound or
 * not, and be it a backup. Source: [APP-7].
 */
bool lbp_app_is_ready(const struct lbp_app *app);

/* Returns the connections of an upstream, those being dialed included. */
uint32_t lbp_app_open(const struct lbp_app *app, uint32_t upstream);

LBP_END_DECLS

#endif
