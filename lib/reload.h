/*
 * Reloading: an application that serves keeps its address and takes over new
 * options in two steps:
 *
 *   prepare   builds the next application beside the current one. It may take
 *             its time, and if it fails nothing has changed. Only one reload
 *             may be in progress.
 *   commit    swaps the contents of the two, under the lock. It cannot fail,
 *             and it is short: it visits the upstreams, and of the clients only
 *             those that were removed, that come back, or whose rate is higher
 *             than ever before. The current application now has the new options
 *             and keeps its own counts; the next one is left with what is no
 *             longer needed, and is freed.
 *
 * 1. Addresses stay. Sessions keep their application, and lbp_app_id returns
 *    the same pointer. Clients and upstreams may have changed, so every
 *    session must be stepped with LBP_EVENT_RELOADED.
 * 2. Names keep their numbers. An upstream is known again by its name. It
 *    keeps its number, its open connections, its health, and when it was last
 *    chosen. Clients are numbered by the access list: the next one must give
 *    each client that stays the number that it had, and none that of a
 *    removed client of which lbp_app_sessions are open.
 * 3. What was removed keeps its number while it is in use. No new session gets
 *    it, but open sessions give it back as usual. The next commit after that
 *    frees the number for another name.
 * 4. What the options point to must outlive the commit that replaces it: the
 *    access list, and the users of upstreams. A removed upstream keeps its
 *    user as long as its number. After a commit, the upstreams that
 *    lbp_app_upstream_name still finds in the next application are those whose
 *    users have been replaced or removed.
 *
 * An application that is removed altogether is retired, and freed after its
 * last session. Source: [APP-8] to [APP-13], [APP-21] to [APP-27].
 */
#ifndef LBP_RELOAD_H
#define LBP_RELOAD_H

#include "app.h"

LBP_BEGIN_DECLS

/*
 * Prepares a reload: makes the application that app is to become, and stores it
 * in *out; pass it to lbp_app_commit, or to lbp_app_free to give up. It shares
 * the counts of clients with app, so nothing else may be done with it. app
 * does not change, and other threads may use it meanwhile; if it is NULL this
 * is lbp_app_new. Fails as lbp_app_new does, and with
 * LBP_ERR_MANY_UPSTREAMS if the new upstreams and the numbers that app has in
 * use exceed LBP_UPSTREAMS_MAX. Source: [APP-8], [APP-21].
 */
LBP_MUST_CHECK enum lbp_err lbp_app_prepare(struct lbp_app **out,
	const struct lbp_app *app, const struct lbp_app_options *options,
	uint64_t now_ns);

/*
 * Commits a reload: app becomes next, which lbp_app_prepare made for it. Free
 * next with lbp_app_free. Source: [APP-8] to [APP-11], [APP-22] to [APP-25],
 * [APP-27].
 */
void lbp_app_commit(struct lbp_app *app, struct lbp_app *next);

/*
 * Retires an application that was removed: from now on it admits nobody and
 * chooses no upstream. What is open is given back as usual. Source: [APP-12].
 */
void lbp_app_retire(struct lbp_app *app);

/* Returns how many sessions of a client are open. Source: [APP-26]. */
uint32_t lbp_app_sessions(const struct lbp_app *app, uint32_t client);

LBP_END_DECLS

#endif
