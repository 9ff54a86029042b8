/*
 * The id of a session, by which operators name it: "3-1729" is the connection
 * number 1729 of worker 3. Source: SPEC.md [CTL-11].
 */
#ifndef LBP_SESSION_ID_H
#define LBP_SESSION_ID_H

#include <stdbool.h>
#include <stdint.h>

struct lbp_session_id {
	uint32_t worker;
	uint64_t number; /* from 1 on; of its worker's connections */
};

/* Room for its text, and the final NUL. */
#define LBP_SESSION_ID_MAX 32

/* Writes it to buf, which has LBP_SESSION_ID_MAX bytes; returns buf. */
const char *lbp_session_id_format(const struct lbp_session_id *id, char *buf);

/* Reads an id as it is written. False: it is none, and *id is unchanged. */
bool lbp_session_id_parse(const char *text, struct lbp_session_id *id);

#endif
