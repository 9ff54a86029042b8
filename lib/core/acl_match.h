/* Whose names they are, and by which of them. For acl.c, app.c, session*.c. */
#ifndef LBP_ACL_MATCH_H
#define LBP_ACL_MATCH_H

#include "acl.h"
#include "app.h"

struct lbp_match {
	uint32_t client;
	const struct lbp_name *name; /* the first that is the client's */
};

/*
 * lbp_acl_identify and lbp_app_identify, which also say by which name. Where
 * those leave *client alone, these leave *match alone.
 */
LBP_MUST_CHECK enum lbp_err lbp_acl_match(const struct lbp_acl *acl,
	const struct lbp_name *names, size_t name_len, struct lbp_match *match);
LBP_MUST_CHECK enum lbp_err lbp_app_match(const struct lbp_app *app,
	const struct lbp_name *names, size_t name_len, struct lbp_match *match);

#endif
