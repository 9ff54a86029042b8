/*
 * What a client is known by: one name of one of several kinds. A certificate
 * may have several; whoever knows the client by other means gives its id or
 * its number. Source: SPEC.md [ACL-*].
 */
#ifndef LBP_NAME_H
#define LBP_NAME_H

#include <stdint.h>
#include <string.h>

#include "base.h"
#include "serial.h"

LBP_BEGIN_DECLS

enum lbp_name_kind {
	LBP_NAME_SERIAL, /* of a certificate whose issuer is trusted */
	LBP_NAME_ID,     /* of the client itself */
	LBP_NAME_NUMBER, /* likewise; needs no listing */
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

static inline struct lbp_name lbp_name_of_serial(
	const struct lbp_serial *serial)
{
	struct lbp_name name;

	memset(&name, 0, sizeof(name));
	name.kind = LBP_NAME_SERIAL;
	name.serial = *serial;
	return name;
}

/* The text stays the caller's, and must live as long as the name. */
static inline struct lbp_name lbp_name_of_id(const char *id)
{
	struct lbp_name name;

	memset(&name, 0, sizeof(name));
	name.kind = LBP_NAME_ID;
	name.id = id;
	return name;
}

static inline struct lbp_name lbp_name_of_number(uint32_t number)
{
	struct lbp_name name;

	memset(&name, 0, sizeof(name));
	name.kind = LBP_NAME_NUMBER;
	name.number = number;
	return name;
}

LBP_END_DECLS

#endif
