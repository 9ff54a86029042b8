#include "server/hello.h"

#include "server/span.h"

/* Extensions that take work in proportion to their length. */
enum {
	EXT_GROUPS = 10,
	EXT_SIGNATURES = 13,
	EXT_SIGNATURES_CERT = 50,
};

/* Takes one extension and checks its length. */
static enum lbp_err check_extension(struct lbp_span *list)
{
	struct lbp_span data;
	size_t type;

	if (!lbp_span_number(list, 2, &type) ||
		!lbp_span_vector(list, 2, &data))
		return LBP_ERR_SYNTAX;
	if (type != EXT_GROUPS && type != EXT_SIGNATURES &&
		type != EXT_SIGNATURES_CERT)
		return LBP_OK;
	/* Names of two bytes each follow a length of two. */
	return data.len > 2 + 2 * LBP_HELLO_NAMES_MAX ? LBP_ERR_RANGE : LBP_OK;
}

enum lbp_err lbp_hello_check(const uint8_t *body, size_t len)
{
	struct lbp_span rest = {body, len};
	struct lbp_span skipped, list;
	enum lbp_err err = LBP_OK;

	if (len > LBP_HELLO_MAX)
		return LBP_ERR_RANGE;
	/* Version and random; session id, cipher suites, compression. */
	if (!lbp_span_take(&rest, 2 + 32, &skipped) ||
		!lbp_span_vector(&rest, 1, &skipped) ||
		!lbp_span_vector(&rest, 2, &skipped) ||
		!lbp_span_vector(&rest, 1, &skipped))
		return LBP_ERR_SYNTAX;
	if (rest.len == 0)
		return LBP_OK;
	if (!lbp_span_vector(&rest, 2, &list) || rest.len > 0)
		return LBP_ERR_SYNTAX;
	while (list.len > 0 && err == LBP_OK)
		err = check_extension(&list);
	return err;
}
