/*
 * One application behind one door: who may use it (acl), how much (limiter),
 * which upstream is next (balancer over health).
 *
 * An application is not thread-safe: whoever shares one holds a lock around
 * each call, except lbp_app_new and lbp_app_next, which allocate all memory,
 * and lbp_app_free. Source: SPEC.md [APP-*].
 *
 * Upstreams have numbers from 0, in the order of the options. They keep them
 * over a reload: an upstream that was removed has its number until nothing is
 * open on it any more, and only then another may get it.
 */
#ifndef LBP_APP_H
#define LBP_APP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "acl.h"
#include "err.h"
#include "health.h"
#include "limiter.h"

LBP_BEGIN_DECLS

/* A client that may use the application, by its number in the acl. */
struct lbp_app_client {
	uint32_t client;
	struct lbp_limits limits;
};

/* An upstream, which a reload knows again by its name. */
struct lbp_app_upstream {
	const char *name; /* copied */
	uint32_t weight;  /* 1 to LBP_WEIGHT_MAX */
};

struct lbp_app_options {
	const char *id;            /* copied */
	const struct lbp_acl *acl; /* must outlive the application, or */
	uint32_t number;           /* what it is adopted by; its number there */
	const struct lbp_app_upstream *upstreams;
	size_t upstream_len; /* 1 to LBP_UPSTREAMS_MAX */
	struct lbp_health_options health;
	const struct lbp_app_client *clients; /* in any order; copied */
	size_t client_len;
};

struct lbp_app;

/*
 * Makes an application in *out, which the caller ends with lbp_app_free.
 * now_ns is the time from which health checks are spread. LBP_ERR_RANGE: no
 * upstream or too many, a weight or a health option out of range, a rate
 * without a window, a name or a client given twice. LBP_ERR_NOMEM. On error
 * *out is NULL. Source: [APP-1].
 */
LBP_MUST_CHECK enum lbp_err lbp_app_new(struct lbp_app **out,
	const struct lbp_app_options *options, uint64_t now_ns);

/*
 * The first half of a reload: makes in *out what app, of the same id, is to
 * become, with nothing open; errors as of lbp_app_new, and LBP_ERR_RANGE also
 * if more than LBP_UPSTREAMS_MAX numbers would be needed for the upstreams and
 * for those that app has or keeps: any of them may be open until it is adopted.
 * app, which may be NULL, stays as it is and needs no lock as long as no other
 * reload adopts anything. *out goes to lbp_app_adopt or lbp_app_free. Source:
 * [APP-8].
 */
LBP_MUST_CHECK enum lbp_err lbp_app_next(struct lbp_app **out,
	const struct lbp_app *app, const struct lbp_app_options *options,
	uint64_t now_ns);

/*
 * The second half: app becomes next, which lbp_app_next made of it, and goes
 * on with all that is open, admitted and known of those that stay; sessions
 * of app go on with it. next then has what is not needed any more and goes to
 * lbp_app_free. This cannot fail. Source: [APP-8] to [APP-11].
 */
void lbp_app_adopt(struct lbp_app *app, struct lbp_app *next);

/*
 * Lets nobody in any more and chooses no upstream: the application was
 * removed. What is open is given back as before. Source: [APP-12].
 */
void lbp_app_retire(struct lbp_app *app);

/* Ends an application that no session uses any more; NULL is allowed. */
void lbp_app_free(struct lbp_app *app);

/* Its id, owned by the application; the same address over reloads. */
const char *lbp_app_id(const struct lbp_app *app);

/* How many numbers of upstreams there are. */
uint32_t lbp_app_upstreams(const struct lbp_app *app);

/*
 * The name of the upstream that has a number, the application's until the next
 * reload; or NULL.
 */
const char *lbp_app_upstream(const struct lbp_app *app, uint32_t upstream);

/*
 * Who has these names, and may they use this application? The number of the
 * client goes to *client, also with LBP_ERR_NOT_ALLOWED, unless the
 * application is retired. LBP_ERR_UNKNOWN_CLIENT: *client is as before; see
 * lbp_acl_identify. Source: [ACL-2], [ACL-3], [APP-12].
 */
LBP_MUST_CHECK enum lbp_err lbp_app_identify(const struct lbp_app *app,
	const struct lbp_name *names, size_t name_len, uint32_t *client);

/*
 * Admits one session of a client at now_ns; lbp_app_leave ends it.
 * LBP_ERR_NOT_ALLOWED, LBP_ERR_CONCURRENT, LBP_ERR_RATE: refused, nothing
 * counted. Source: [APP-2], [APP-3].
 */
LBP_MUST_CHECK enum lbp_err lbp_app_admit(
	struct lbp_app *app, uint32_t client, uint64_t now_ns);

/* Gives a session's place back; LBP_ERR_STATE: the client has none. */
enum lbp_err lbp_app_leave(struct lbp_app *app, uint32_t client);

/*
 * Chooses an upstream that is not in the set tried and counts a dial on it;
 * see lbp_balancer_choose. Source: [BAL-1] to [BAL-4].
 */
LBP_MUST_CHECK enum lbp_err lbp_app_choose(
	struct lbp_app *app, const uint8_t *tried, uint32_t *upstream);

/*
 * Records how a dial of a chosen upstream went and returns what that changed
 * in its health; a failed dial is no longer counted. Source: [APP-4].
 */
enum lbp_health_change lbp_app_dialed(
	struct lbp_app *app, uint32_t upstream, bool ok);

/* Gives back a connection, or a dial that nobody waits for any more. */
enum lbp_err lbp_app_release(struct lbp_app *app, uint32_t upstream);

/* When the next health check is due; LBP_NEVER if none. [APP-6]. */
uint64_t lbp_app_check_due(const struct lbp_app *app);

/*
 * Takes the check that was due first at now_ns; its upstream goes to
 * *upstream. True: lbp_app_checked must answer it. [APP-6].
 */
LBP_MUST_CHECK bool lbp_app_take_check(
	struct lbp_app *app, uint64_t now_ns, uint32_t *upstream);

/* Records a check's result; returns what it changed. [APP-5]. */
enum lbp_health_change lbp_app_checked(
	struct lbp_app *app, uint32_t upstream, bool ok);

/* Gives up a check that could not be carried out. [HLT-10]. */
void lbp_app_check_dropped(struct lbp_app *app, uint32_t upstream);

/* Says that an upstream has no address, or has one again. [HLT-12]. */
enum lbp_health_change lbp_app_set_address(
	struct lbp_app *app, uint32_t upstream, bool has_address);

/* Is at least one upstream eligible? [APP-7]. */
bool lbp_app_is_ready(const struct lbp_app *app);

/* Connections and dials in progress on an upstream; 0 if there is no such. */
uint32_t lbp_app_open(const struct lbp_app *app, uint32_t upstream);

LBP_END_DECLS

#endif
