/*
 * An application: its clients and their limits, and its upstreams, which
 * upstreams.h chooses from. Source: SPEC.md [APP-*].
 *
 * An application is not thread-safe. If threads share one, hold a lock around
 * every call except lbp_app_new, lbp_app_prepare and lbp_app_free. reload.h
 * replaces its options while it serves; checks.h has its active checks.
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
#include "upstreams.h"

LBP_BEGIN_DECLS

struct lbp_upstream {
	const char *name; /* unique; copied */
	uint32_t weight;  /* 1 to LBP_WEIGHT_MAX */
	void *user;       /* whatever the caller needs, such as an address */
	uint32_t max_connections; /* at which it is not eligible; 0: never */
	bool is_backup; /* chosen only if nothing else is left to try */
	uint64_t reserved;
};

/* Initialize it with lbp_app_options_init. */
struct lbp_app_options {
	size_t size;
	const char *id; /* copied */
	/* Its clients and their limits: what acl grants of application number.
	 * acl is not copied. */
	const struct lbp_acl *acl;
	uint32_t number;
	const struct lbp_upstream *upstreams; /* numbered from 0; copied */
	size_t upstream_len;                  /* 1 to LBP_UPSTREAMS_MAX */
	struct lbp_health_options health;
};

/* Sets every option to its default; id, acl and upstreams have none. */
static inline void lbp_app_options_init(struct lbp_app_options *options)
{
	memset(options, 0, sizeof(*options));
	options->size = sizeof(*options);
	lbp_health_options_init(&options->health);
}

struct lbp_app;

/*
 * Makes an application and stores it in *out; the caller frees it with
 * lbp_app_free. Health checks are spread over the interval that begins at
 * now_ns. On error *out is NULL:
 *   LBP_ERR_NOMEM
 *   LBP_ERR_NULL            out, options, id, acl, upstreams or a name is NULL
 *   LBP_ERR_OPTIONS         options was not initialized
 *   LBP_ERR_APP_NUMBER      acl has no application of this number
 *   LBP_ERR_FEW_UPSTREAMS   there is no upstream
 *   LBP_ERR_MANY_UPSTREAMS  there are more than LBP_UPSTREAMS_MAX
 *   LBP_ERR_NAME_TWICE      two upstreams have the same name
 *   LBP_ERR_WEIGHT          a weight is out of range
 *   LBP_ERR_INTERVAL, LBP_ERR_RISE, LBP_ERR_FALL
 *                           checks are enabled, and this is out of range
 * Source: [APP-1], [APP-20].
 */
LBP_MUST_CHECK enum lbp_err lbp_app_new(struct lbp_app **out,
	const struct lbp_app_options *options, uint64_t now_ns);

/* Frees an application; no session may still refer to it. NULL is allowed. */
void lbp_app_free(struct lbp_app *app);

/* Returns the id. It belongs to the application, and reloads do not move it. */
const char *lbp_app_id(const struct lbp_app *app);

/*
 * Finds the client that has these names, as lbp_acl_identify does, and stores
 * its number in *client; also with LBP_ERR_NOT_ALLOWED, which says that it may
 * not use this application. A retired application answers LBP_ERR_NOT_ALLOWED
 * to everybody and leaves *client alone. Source: [ACL-2], [ACL-3], [APP-12].
 */
LBP_MUST_CHECK enum lbp_err lbp_app_identify(const struct lbp_app *app,
	const struct lbp_name *names, size_t name_len, uint32_t *client);

/*
 * Admits a session of a client at now_ns; give its place back with
 * lbp_app_leave. LBP_ERR_NOT_ALLOWED, LBP_ERR_CONCURRENT, LBP_ERR_RATE: it is
 * refused, and does not count. LBP_ERR_NULL: app is NULL. Source: [APP-2],
 * [APP-3].
 */
LBP_MUST_CHECK enum lbp_err lbp_app_admit(
	struct lbp_app *app, uint32_t client, uint64_t now_ns);

/*
 * Gives back the place of an admitted session. LBP_ERR_STATE: the client has
 * none open. LBP_ERR_NULL: app is NULL.
 */
enum lbp_err lbp_app_leave(struct lbp_app *app, uint32_t client);

LBP_END_DECLS

#endif
