/*
 * The access list: names -> client -> applications.
 *
 * Immutable once made, so any number of threads may ask it. Looking a name up
 * takes O(log n) in the number of names. Source: SPEC.md [ACL-*].
 */
#ifndef LBP_ACL_H
#define LBP_ACL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
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

/* "client c may use application a"; applications are numbered from 0. */
struct lbp_acl_grant {
	uint32_t client;
	uint32_t app;
};

struct lbp_acl;

/*
 * Makes an access list in *out, which the caller frees with lbp_acl_free; the
 * arrays and the ids in them are copied. client_len and app_len say how many
 * there are. LBP_ERR_RANGE: a client or app number out of range, a name that is
 * none or of a kind that is not listed, or one name given twice (with one
 * client or two). LBP_ERR_NOMEM. On error *out is NULL.
 * Source: [ACL-1], [ACL-5].
 */
LBP_MUST_CHECK enum lbp_err lbp_acl_new(struct lbp_acl **out,
	const struct lbp_acl_name *names, size_t name_len,
	const struct lbp_acl_grant *grants, size_t grant_len,
	uint32_t client_len, uint32_t app_len);

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

LBP_END_DECLS

#endif
