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
	X(LBP_ERR_UNKNOWN_CLIENT, "no client has these names")                 \
	X(LBP_ERR_NOT_ALLOWED, "this client may not use this application")     \
	X(LBP_ERR_CONCURRENT, "too many sessions open at once")                \
	X(LBP_ERR_RATE, "too many sessions admitted in the window")            \
	X(LBP_ERR_NO_UPSTREAM, "no upstream is left to try")                   \
	X(LBP_ERR_STATE, "the call is not legal in this state")                \
	X(LBP_ERR_NULL, "an argument that has to be there is NULL")            \
	X(LBP_ERR_OPTIONS, "the options were not set by their init function")  \
	X(LBP_ERR_CLIENT_NUMBER, "the number of a client is out of range")     \
	X(LBP_ERR_APP_NUMBER, "the number of an application is out of range")  \
	X(LBP_ERR_NAME_KIND, "a name of this kind cannot be listed")           \
	X(LBP_ERR_NAME_SERIAL, "a serial number is not in canonical form")     \
	X(LBP_ERR_NAME_TWICE, "a name is given twice")                         \
	X(LBP_ERR_GRANT_TWICE, "a client is granted an application twice")     \
	X(LBP_ERR_WINDOW, "a rate needs a window of time")                     \
	X(LBP_ERR_FEW_UPSTREAMS, "an application needs an upstream")           \
	X(LBP_ERR_MANY_UPSTREAMS, "an application has too many upstreams")     \
	X(LBP_ERR_WEIGHT, "the weight of an upstream is out of range")         \
	X(LBP_ERR_INTERVAL, "the interval of health checks is out of range")   \
	X(LBP_ERR_RISE, "rise must be at least 1")                             \
	X(LBP_ERR_FALL, "fall must be at least 1")                             \
	X(LBP_ERR_AMBIGUOUS, "these names are of different clients")           \
	X(LBP_ERR_NAME_WILDCARD, "a wildcard cannot be listed as a DNS name")

#define LBP_ERR_ENUM(code, text) code,
enum lbp_err {
	LBP_ERR_MAP(LBP_ERR_ENUM)
};
#undef LBP_ERR_ENUM

/* The static English text of a code; never NULL, owned by the library. */
const char *lbp_err_text(enum lbp_err err);

LBP_END_DECLS

#endif
