/*
 * The access list: which client a name belongs to, which applications that
 * client may use, and within what limits.
 *
 * A list never changes, so any number of threads may share it. Looking up a
 * name, or a client of an application, takes O(log n). Source: SPEC.md
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

/* A name of a client, of any kind but a number; clients count from 0. */
struct lbp_acl_name {
	struct lbp_name name;
	uint32_t client;
};

/*
 * A client may use an application within these limits; applications are
 * numbered from 0.
 */
struct lbp_acl_grant {
	uint32_t client;
	uint32_t app;
	struct lbp_limits limits; /* all zero: no limit */
	uint64_t reserved;
};

/* Initialize it with lbp_acl_options_init. */
struct lbp_acl_options {
	size_t size;
	const struct lbp_acl_name *names; /* copied, with the texts in them */
	size_t name_len;
	const struct lbp_acl_grant *grants; /* in any order; copied */
	size_t grant_len;
	uint32_t client_len; /* how many clients there are */
	uint32_t app_len;    /* how many applications */
};

/* Sets every option to its default: no names, no grants. */
static inline void lbp_acl_options_init(struct lbp_acl_options *options)
{
	memset(options, 0, sizeof(*options));
	options->size = sizeof(*options);
}

struct lbp_acl;

/*
 * Makes an access list and stores it in *out; the caller frees it with
 * lbp_acl_free. On error *out is NULL:
 *   LBP_ERR_NOMEM
 *   LBP_ERR_NULL           out, options, a list or the text of a name is NULL
 *   LBP_ERR_OPTIONS        options was not initialized
 *   LBP_ERR_CLIENT_NUMBER  a client's number is not below client_len
 *   LBP_ERR_APP_NUMBER     an application's number is not below app_len
 *   LBP_ERR_NAME_KIND      a name is a number, or of an unknown kind
 *   LBP_ERR_NAME_SERIAL    a serial is not in canonical form
 *   LBP_ERR_NAME_TWICE     a name is listed twice, for one client or two
 *   LBP_ERR_NAME_WILDCARD  a DNS name has a '*'
 *   LBP_ERR_GRANT_TWICE    a client is granted an application twice
 *   LBP_ERR_WINDOW         limits have a rate but no window
 * Source: [ACL-1], [ACL-5], [ACL-9], [ACL-12].
 */
LBP_MUST_CHECK enum lbp_err lbp_acl_new(
	struct lbp_acl **out, const struct lbp_acl_options *options);

/* Frees an access list; NULL is allowed. */
void lbp_acl_free(struct lbp_acl *acl);

/*
 * Finds the client that has these names and stores its number in *client.
 * LBP_ERR_UNKNOWN_CLIENT: no client has any of them. LBP_ERR_AMBIGUOUS: they
 * belong to different clients. LBP_ERR_NULL: an argument is NULL. On error
 * *client does not change. Source: [ACL-2], [ACL-6], [ACL-7], [ACL-10] to
 * [ACL-12].
 */
LBP_MUST_CHECK enum lbp_err lbp_acl_identify(const struct lbp_acl *acl,
	const struct lbp_name *names, size_t name_len, uint32_t *client);

/*
 * Returns LBP_OK if the client may use the application, else
 * LBP_ERR_NOT_ALLOWED, also for a number that does not exist. LBP_ERR_NULL: acl
 * is NULL. Source: [ACL-3], [ACL-4].
 */
LBP_MUST_CHECK enum lbp_err lbp_acl_authorize(
	const struct lbp_acl *acl, uint32_t client, uint32_t app);

/*
 * Returns the grants of an application, ordered by client, and stores their
 * count in *len. They belong to the list. NULL, with *len 0: there is no such
 * application. Source: [ACL-8].
 */
const struct lbp_acl_grant *lbp_acl_grants(
	const struct lbp_acl *acl, uint32_t app, size_t *len);

LBP_END_DECLS

#endif
