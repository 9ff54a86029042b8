/* The access list of lib/acl.h once more, as the plain lists it is made of. */
#ifndef LBP_MODEL_ACL_H
#define LBP_MODEL_ACL_H

#include "acl.h"

/* Both lists belong to the caller. */
struct model_acl {
	const struct lbp_acl_name *names; /* no numbers, and no wildcards */
	size_t name_len;
	const struct lbp_acl_grant *grants;
	size_t grant_len;
	uint32_t client_len;
	uint32_t app_len;
};

/* What lbp_acl_new should say to these lists. */
enum lbp_err model_acl_judge(const struct model_acl *model);

enum lbp_err model_acl_identify(const struct model_acl *model,
	const struct lbp_name *names, size_t len, uint32_t *client);

enum lbp_err model_acl_authorize(
	const struct model_acl *model, uint32_t client, uint32_t app);

#endif
