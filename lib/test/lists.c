#include "lists.h"

#define MEMBERS_MAX 16

struct lbp_name name_of(uint8_t octet)
{
	const struct lbp_serial serial = {.octets = {octet}, .len = 1};

	return lbp_name_of_serial(&serial);
}

enum lbp_err acl_from(struct lbp_acl **acl, const struct lbp_acl_name *names,
	size_t name_len, const struct lbp_acl_grant *grants, size_t grant_len,
	uint32_t client_len, uint32_t app_len)
{
	struct lbp_acl_options options;

	lbp_acl_options_init(&options);
	options.names = names;
	options.name_len = name_len;
	options.grants = grants;
	options.grant_len = grant_len;
	options.client_len = client_len;
	options.app_len = app_len;
	return lbp_acl_new(acl, &options);
}

struct lbp_acl *acl_of(const struct lbp_acl_name *names, size_t name_len,
	const struct member *members, size_t member_len, uint32_t client_len)
{
	struct lbp_acl_grant grants[MEMBERS_MAX] = {{0}};
	struct lbp_acl *acl = NULL;

	for (size_t i = 0; i < member_len && i < MEMBERS_MAX; i++) {
		grants[i].client = members[i].client;
		grants[i].limits = members[i].limits;
	}
	if (member_len > MEMBERS_MAX ||
		acl_from(&acl, names, name_len, grants, member_len, client_len,
			1) != LBP_OK)
		return NULL;
	return acl;
}
