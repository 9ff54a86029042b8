/*
 * Warnings about a configuration and the files that it names: what is allowed
 * but causes trouble, now or later. [SRV-79], [SRV-80].
 */
#ifndef NOTICE_H
#define NOTICE_H

#include <stdbool.h>
#include <stddef.h>

#include "server/config.h"
#include "server/expiry.h"
#include "server/figures.h"

struct texts;

struct notice {
	struct lbp_config_pos pos;
	char *text;               /* the message, or what expires */
	bool is_standing;         /* always applies; expiry is not set */
	struct lbp_expiry expiry; /* decides when it applies */
};

struct notices {
	const char *file;          /* the configuration's path as given */
	const struct texts *texts; /* with the paths of other files */
	struct notice *items; /* len of them, in the order they were found */
	size_t len;
	/* What expires some day, expiring_len; texts are the configuration's.
	 */
	struct lbp_expiring *expiring;
	size_t expiring_len;
};

/*
 * Adds a notice and takes over text, which came from malloc. False: out of
 * memory; text was freed.
 */
bool notices_add(struct notices *notices, const struct notice *notice);

/* Adds what expires some day; false: out of memory. */
bool notices_add_expiring(
	struct notices *notices, const struct lbp_expiring *expiring);

/*
 * Calls say for those that apply now, by the wall clock, in the order of their
 * places.
 */
void notices_for_each(struct notices *notices,
	void (*say)(void *user, struct lbp_config_pos pos, const char *message),
	void *user);

/*
 * Prints those as `FILE:LINE:COLUMN: warning: MESSAGE` on standard error, each
 * with its place below. [CFG-100].
 */
void notices_print(struct notices *notices);

void notices_release(struct notices *notices);

#endif
