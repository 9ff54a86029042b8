/*
 * The active health checks of an application: the library says when one is due,
 * its caller carries it out and reports the result. Source: SPEC.md [HLT-*].
 */
#ifndef LBP_CHECKS_H
#define LBP_CHECKS_H

#include "app.h"

LBP_BEGIN_DECLS

/* Returns when the next health check is due; LBP_NEVER: none is. [APP-6]. */
uint64_t lbp_app_check_due(const struct lbp_app *app);

/*
 * Takes the first check that is due at now_ns and stores the number of its
 * upstream in *upstream; answer it with lbp_app_checked or
 * lbp_app_check_dropped. False: none is due. Source: [APP-6].
 */
LBP_MUST_CHECK bool lbp_app_take_check(
	struct lbp_app *app, uint64_t now_ns, uint32_t *upstream);

/*
 * Records the result of a check, and returns how it changed the upstream's
 * health. Source: [APP-5].
 */
enum lbp_health_change lbp_app_checked(
	struct lbp_app *app, uint32_t upstream, bool ok);

/*
 * Drops a check that could not be carried out: it says nothing about the
 * upstream. Source: [HLT-10].
 */
void lbp_app_check_dropped(struct lbp_app *app, uint32_t upstream);

/*
 * Records that an upstream has no address, or has one again, and returns how
 * that changed its health. Source: [HLT-12].
 */
enum lbp_health_change lbp_app_set_address(
	struct lbp_app *app, uint32_t upstream, bool has_address);

LBP_END_DECLS

#endif
