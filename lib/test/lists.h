/*
 * What tests make access lists and applications from, in a line each.
 */
#ifndef LBP_TEST_LISTS_H
#define LBP_TEST_LISTS_H

#include "app.h"

#define UPSTREAM(name_, weight_)                                               \
	{                                                                      \
		.name = (name_), .weight = (weight_)                           \
	}
#define GRANT(client_, app_)                                                   \
	{                                                                      \
		.client = (client_), .app = (app_)                             \
	}

/* A client that may use the one application of a list, and how much. */
struct member {
	uint32_t client;
	struct lbp_limits limits;
};

/* A name of a client, the serial of this one octet. */
struct lbp_name name_of(uint8_t octet);

/* lbp_acl_new, with these options. */
enum lbp_err acl_from(struct lbp_acl **acl, const struct lbp_acl_name *names,
	size_t name_len, const struct lbp_acl_grant *grants, size_t grant_len,
	uint32_t client_len, uint32_t app_len);

/* A list for one application, number 0; NULL: there is none. */
struct lbp_acl *acl_of(const struct lbp_acl_name *names, size_t name_len,
	const struct member *members, size_t member_len, uint32_t client_len);

#endif
