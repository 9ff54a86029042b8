/*
 * One application behind one door: who may use it (acl), how much (limiter),
 * which upstream is next (balancer over health). Source: SPEC.md [APP-*].
 *
 * An application is not thread-safe: whoever shares one holds a lock around
 * each call, except lbp_app_new and lbp_app_prepare, which allocate all memory,
 * and lbp_app_free.
 *
 * Reloading. What serves stays where it is and takes over what it is to
 * become, in two halves, each a pair of calls for an application and, in the
 * server, for all of its policy:
 *
 *   prepare   makes the next one beside the one that serves, which stays as it
 *             is: it may take its time, and fail without having changed
 *             anything. One reload at a time.
 *   commit    swaps the two under the locks, and cannot fail. What serves now
 *             has the new options and inherits the old one's counts; the next
 *             one now has the old options, and is freed.
 *
 * 1. Addresses stay. Sessions refer to the same application before and after,
 *    and so does its id; whatever else they were told of it may have changed,
 *    so each of them steps LBP_EVENT_RELOADED.
 * 2. Names keep their numbers: an upstream that is there before and after,
 *    by its name, has the same number, and inherits its open connections, its
 *    health, and when it was last chosen. So do clients, whose numbers are
 *    those of the access list.
 * 3. What was removed keeps its number until nothing is open on it any more:
 *    it is neither chosen nor admitted, but can be given back. The commit
 *    after that frees the number for another one.
 * 4. What the next one refers to (its access list, the upstreams' user
 *    pointers) must live on after the commit; what the old one referred to
 *    need not, once the commit is done, but for the users of upstreams that
 *    keep their number by rule 3. After the commit, lbp_app_upstream_user of
 *    the next one says which users are free to go: those of its upstreams that
 *    have a name still.
 * An application that was removed as a whole is retired, and freed after its
 * last session. Source: [APP-8] to [APP-13], [APP-21] to [APP-25].
 */
#ifndef LBP_APP_H
#define LBP_APP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "acl.h"
#include "err.h"
#include "health.h"
#include "limiter.h"

LBP_BEGIN_DECLS

/* An upstream, which a reload knows again by its name. */
struct lbp_upstream {
	const char *name; /* copied */
	uint32_t weight;  /* 1 to LBP_WEIGHT_MAX */
	void *user;       /* the caller's own, an address for example */
	uint64_t reserved[2];
};

/* Start them with lbp_app_options_init. */
struct lbp_app_options {
	size_t size;
	const char *id; /* copied */
	/* Who may use it, and how much: the grants of application `number`.
	 * Must outlive the application, or what is committed to it next. */
	const struct lbp_acl *acl;
	uint32_t number;
	/* By their numbers, from 0. */
	const struct lbp_upstream *upstreams;
	size_t upstream_len; /* 1 to LBP_UPSTREAMS_MAX */
	struct lbp_health_options health;
};

/* No upstreams yet, and health as lbp_health_options_init has it. */
static inline void lbp_app_options_init(struct lbp_app_options *options)
{
	memset(options, 0, sizeof(*options));
	options->size = sizeof(*options);
	lbp_health_options_init(&options->health);
}

struct lbp_app;

/*
 * Makes an application in *out, which the caller frees with lbp_app_free.
 * now_ns is the time from which health checks are spread. On error *out is
 * NULL:
 *   LBP_ERR_NOMEM
 *   LBP_ERR_NULL            no options, id, acl, upstreams or upstream's name
 *   LBP_ERR_OPTIONS         lbp_app_options_init did not start them
 *   LBP_ERR_APP_NUMBER      the access list has no application of this number
 *   LBP_ERR_FEW_UPSTREAMS   none
 *   LBP_ERR_MANY_UPSTREAMS  more than LBP_UPSTREAMS_MAX
 *   LBP_ERR_NAME_TWICE      two upstreams of one name
 *   LBP_ERR_WEIGHT          not 1 to LBP_WEIGHT_MAX
 *   LBP_ERR_INTERVAL, LBP_ERR_RISE, LBP_ERR_FALL
 *                           out of range, with health enabled
 * Source: [APP-1], [APP-20].
 */
LBP_MUST_CHECK enum lbp_err lbp_app_new(struct lbp_app **out,
	const struct lbp_app_options *options, uint64_t now_ns);

/*
 * The first half of a reload: makes in *out what app is to become, with
 * nothing open. app, which may be NULL, stays as it is; other threads may use
 * it meanwhile. *out goes to lbp_app_commit, or to lbp_app_free if nothing is
 * to come of it. Fails as lbp_app_new does; LBP_ERR_MANY_UPSTREAMS also if the
 * upstreams and those that app has or keeps need more than LBP_UPSTREAMS_MAX
 * numbers. Source: [APP-8].
 */
LBP_MUST_CHECK enum lbp_err lbp_app_prepare(struct lbp_app **out,
	const struct lbp_app *app, const struct lbp_app_options *options,
	uint64_t now_ns);

/*
 * The second half: app becomes next, which lbp_app_prepare made for it. next
 * then has what is not needed any more and goes to lbp_app_free. This cannot
 * fail. Source: [APP-8] to [APP-11].
 */
void lbp_app_commit(struct lbp_app *app, struct lbp_app *next);

/*
 * Admits nobody and chooses no upstream from now on: the application was
 * removed. What is open is given back as before. Source: [APP-12].
 */
void lbp_app_retire(struct lbp_app *app);

/*
 * Frees an application; no session may still refer to it. NULL is allowed.
 */
void lbp_app_free(struct lbp_app *app);

/* Its id, owned by the application; the same address over reloads. */
const char *lbp_app_id(const struct lbp_app *app);

/* How many numbers of upstreams there are. */
uint32_t lbp_app_upstreams(const struct lbp_app *app);

/*
 * The name of the upstream that has a number, the application's until the next
 * commit; NULL if none has it.
 */
const char *lbp_app_upstream_name(const struct lbp_app *app, uint32_t upstream);

/*
 * What its options had as user; NULL if no upstream has this number. Source:
 * [APP-13].
 */
void *lbp_app_upstream_user(const struct lbp_app *app, uint32_t upstream);

/*
 * Who has these names, and may they use this application? The number of the
 * client goes to *client, also with LBP_ERR_NOT_ALLOWED, unless the
 * application is retired. LBP_ERR_UNKNOWN_CLIENT: *client is as before; see
 * lbp_acl_identify. Source: [ACL-2], [ACL-3], [APP-12].
 */
LBP_MUST_CHECK enum lbp_err lbp_app_identify(const struct lbp_app *app,
	const struct lbp_name *names, size_t name_len, uint32_t *client);

/*
 * Admits one session of a client at now_ns; lbp_app_leave gives its place back.
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
