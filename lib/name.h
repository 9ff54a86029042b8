/*
 * Names of clients, of several kinds. A certificate may have more than one;
 * a caller that knows its clients by other means gives an id or a number.
 *
 * Names match exactly: serials by value and issuer, ids and URIs byte by byte,
 * DNS names without regard to the case of ASCII letters.
 * Source: SPEC.md [ACL-*].
 */
#ifndef LBP_NAME_H
#define LBP_NAME_H

#include <stdint.h>

#include "base.h"
#include "serial.h"

LBP_BEGIN_DECLS

enum lbp_name_kind {
	LBP_NAME_SERIAL, /* of a certificate from the one trusted issuer */
	LBP_NAME_ID,     /* the client's id */
	LBP_NAME_NUMBER, /* the client's number, which need not be listed */
	LBP_NAME_URI,    /* of a certificate, as "spiffe://corp/alice" */
	LBP_NAME_DNS,    /* of a certificate; a wildcard is nobody's */
	LBP_NAME_ISSUED, /* a serial, if there are several trusted issuers */
};

/* A serial is unique under its issuer only. */
struct lbp_issued {
	struct lbp_serial serial; /* in canonical form */
	uint64_t issuer;          /* the caller's number for it */
};

struct lbp_name {
	enum lbp_name_kind kind;
	union {
		struct lbp_serial serial; /* in canonical form */
		const char *id;           /* NUL-terminated */
		uint32_t number;
		const char *text;         /* URI, DNS; NUL-terminated */
		struct lbp_issued issued; /* issuer 0: as SERIAL */
		uint64_t reserved[6];     /* room for kinds to come */
	};
};

/* Returns the name that is this serial. */
struct lbp_name lbp_name_of_serial(const struct lbp_serial *serial);

/* Returns the name that is this id, which is not copied and must outlive it. */
struct lbp_name lbp_name_of_id(const char *id);

/* Returns the name that is this number. */
struct lbp_name lbp_name_of_number(uint32_t number);

/* Returns the name that is this URI, which is not copied and must outlive it.
 */
struct lbp_name lbp_name_of_uri(const char *uri);

/* The same for a DNS name. */
struct lbp_name lbp_name_of_dns(const char *dns);

/* Returns the name that is this serial under this issuer. */
struct lbp_name lbp_name_of_issued(
	const struct lbp_serial *serial, uint64_t issuer);

LBP_END_DECLS

#endif
