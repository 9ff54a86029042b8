/*
 * Names of clients, of several kinds. A certificate may have more than one;
 * a caller that knows its clients by other means gives an id or a number.
 * Source: SPEC.md [ACL-*].
 */
#ifndef LBP_NAME_H
#define LBP_NAME_H

#include <stdint.h>

#include "base.h"
#include "serial.h"

LBP_BEGIN_DECLS

enum lbp_name_kind {
	LBP_NAME_SERIAL, /* of a certificate from the trusted issuer */
	LBP_NAME_ID,     /* the client's id */
	LBP_NAME_NUMBER, /* the client's number, which need not be listed */
};

struct lbp_name {
	enum lbp_name_kind kind;
	union {
		struct lbp_serial serial; /* in canonical form */
		const char *id;           /* NUL-terminated */
		uint32_t number;
		uint64_t reserved[6]; /* room for kinds to come */
	};
};

/* Returns the name that is this serial. */
struct lbp_name lbp_name_of_serial(const struct lbp_serial *serial);

/* Returns the name that is this id, which is not copied and must outlive it. */
struct lbp_name lbp_name_of_id(const char *id);

/* Returns the name that is this number. */
struct lbp_name lbp_name_of_number(uint32_t number);

LBP_END_DECLS

#endif
