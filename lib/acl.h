/*
 * The access list: certificate serial -> client -> applications.
 *
 * Immutable once made, so any number of threads may ask it. Lookups are
 * O(log n) in the number of serials. Source: SPEC.md [ACL-*].
 */
#ifndef LBP_ACL_H
#define LBP_ACL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "serial.h"

LBP_BEGIN_DECLS

/* "client c has this serial"; clients are numbered from 0. */
struct lbp_acl_serial {
	struct lbp_serial serial;
	uint32_t client;
};

/* "client c may use application a"; applications are numbered from 0. */
struct lbp_acl_grant {
	uint32_t client;
	uint32_t app;
};

struct lbp_acl;

/*
 * Makes an access list in *out, which the caller ends with lbp_acl_free; the
 * arrays are copied. client_len and app_len say how many there are.
 * LBP_ERR_RANGE: a client or app number out of range, or one serial given
 * twice (with one client or two). LBP_ERR_NOMEM. On error *out is NULL.
 * Source: [ACL-1], [ACL-5].
 */
LBP_MUST_CHECK enum lbp_err lbp_acl_new(struct lbp_acl **out,
	const struct lbp_acl_serial *serials, size_t serial_len,
	const struct lbp_acl_grant *grants, size_t grant_len,
	uint32_t client_len, uint32_t app_len);

/* Ends an access list; NULL is allowed. */
void lbp_acl_free(struct lbp_acl *acl);

/*
 * Who is this? The number of the client goes to *client.
 * LBP_ERR_UNKNOWN_CLIENT: nobody lists the serial; *client is as before.
 * Source: [ACL-2].
 */
LBP_MUST_CHECK enum lbp_err lbp_acl_identify(const struct lbp_acl *acl,
	const struct lbp_serial *serial, uint32_t *client);

/*
 * May this client use this application? LBP_OK or LBP_ERR_NOT_ALLOWED; a
 * number out of range is not allowed. Source: [ACL-3], [ACL-4].
 */
LBP_MUST_CHECK enum lbp_err lbp_acl_authorize(
	const struct lbp_acl *acl, uint32_t client, uint32_t app);

LBP_END_DECLS

#endif
