/*
 * The access list: names -> client -> applications and limits.
 *
 * Immutable once made, so any number of threads may ask it. Looking up a name,
 * or a client among those of an application, takes O(log n). Source: SPEC.md
 * [ACL-*].
 */
#ifndef LBP_ACL_H
#define LBP_ACL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "err.h"
#include "limiter.h"
#include "name.h"

LBP_BEGIN_DECLS

/*
 * "client c has this name", which is a serial or an id; clients are numbered
 * from 0.
 */
struct lbp_acl_name {
	struct lbp_name name;
	uint32_t client;
};

/*
 * "client c may use application a, within these limits"; applications are
 * numbered from 0.
 */
struct lbp_acl_grant {
	uint32_t client;
	uint32_t app;
	struct lbp_limits limits; /* all 0: none */
	uint64_t reserved;
};

/* Start them with lbp_acl_options_init. */
struct lbp_acl_options {
	size_t size;
	const struct lbp_acl_name *names; /* copied, with the ids in them */
	size_t name_len;
	const struct lbp_acl_grant *grants; /* in any order; copied */
	size_t grant_len;
	uint32_t client_len; /* how many clients there are */
	uint32_t app_len;    /* how many applications */
};

/* Empty lists. */
static inline void lbp_acl_options_init(struct lbp_acl_options *options)
{
	memset(options, 0, sizeof(*options));
	options->size = sizeof(*options);
}

struct lbp_acl;

/*
 * Makes an access list in *out, which the caller frees with lbp_acl_free. On
 * error *out is NULL:
 *   LBP_ERR_NOMEM
 *   LBP_ERR_NULL           no options, no list, or no text of an id
 *   LBP_ERR_OPTIONS        lbp_acl_options_init did not start them
 *   LBP_ERR_CLIENT_NUMBER  of a name or a grant, client_len or more
 *   LBP_ERR_APP_NUMBER     of a grant, app_len or more
 *   LBP_ERR_NAME_KIND      neither a serial nor an id
 *   LBP_ERR_NAME_SERIAL    a serial that is not in canonical form
 *   LBP_ERR_NAME_TWICE     the same name again, of whichever client
 *   LBP_ERR_GRANT_TWICE    the same client and application again
 *   LBP_ERR_WINDOW         limits with a rate and no window
 * Source: [ACL-1], [ACL-5], [ACL-9].
 */
LBP_MUST_CHECK enum lbp_err lbp_acl_new(
	struct lbp_acl **out, const struct lbp_acl_options *options);

/* Frees an access list; NULL is allowed. */
void lbp_acl_free(struct lbp_acl *acl);

/*
 * Who has these names? The number of the client goes to *client.
 * LBP_ERR_UNKNOWN_CLIENT: none of them is anybody's, or they are names of two
 * clients; *client is as before. Source: [ACL-2], [ACL-6], [ACL-7].
 */
LBP_MUST_CHECK enum lbp_err lbp_acl_identify(const struct lbp_acl *acl,
	const struct lbp_name *names, size_t name_len, uint32_t *client);

/*
 * May this client use this application? LBP_OK or LBP_ERR_NOT_ALLOWED; a
 * number out of range is not allowed. Source: [ACL-3], [ACL-4].
 */
LBP_MUST_CHECK enum lbp_err lbp_acl_authorize(
	const struct lbp_acl *acl, uint32_t client, uint32_t app);

/*
 * The grants of one application, in the order of the clients' numbers; the
 * list's own. How many there are goes to *len. NULL, and 0: there is no such
 * application. Source: [ACL-8].
 */
const struct lbp_acl_grant *lbp_acl_grants(
	const struct lbp_acl *acl, uint32_t app, size_t *len);

LBP_END_DECLS

#endif
