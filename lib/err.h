/*
 * Error codes of the library, each with its static text.
 *
 * Functions that can fail return an enum lbp_err: LBP_OK (zero) or the
 * reason. Unless a function's comment says otherwise, a failed call leaves
 * every object as it was.
 */
#ifndef LBP_ERR_H
#define LBP_ERR_H

#include "base.h"

LBP_BEGIN_DECLS

#define LBP_ERR_MAP(X)                                                         \
	X(LBP_OK, "success")                                                   \
	X(LBP_ERR_NOMEM, "out of memory")                                      \
	X(LBP_ERR_SYNTAX, "the text does not follow its grammar")              \
	X(LBP_ERR_RANGE, "the value is out of range")                          \
	X(LBP_ERR_CONFIG, "the configuration has errors")                      \
	X(LBP_ERR_UNKNOWN_CLIENT, "no client has these names")                 \
	X(LBP_ERR_NOT_ALLOWED, "this client may not use this application")     \
	X(LBP_ERR_CONCURRENT, "too many sessions open at once")                \
	X(LBP_ERR_RATE, "too many sessions admitted in the window")            \
	X(LBP_ERR_NO_UPSTREAM, "no upstream is left to try")                   \
	X(LBP_ERR_STATE, "the call is not legal in this state")                \
	X(LBP_ERR_NULL, "an argument that has to be there is NULL")

#define LBP_ERR_ENUM(code, text) code,
enum lbp_err {
	LBP_ERR_MAP(LBP_ERR_ENUM)
};
#undef LBP_ERR_ENUM

/* The static English text of a code; never NULL, owned by the library. */
const char *lbp_err_text(enum lbp_err err);

LBP_END_DECLS

#endif
