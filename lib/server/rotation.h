/*
 * When files that are looked at now and then have a new content that is worth
 * a try. A content is a number that stands for that of all files together.
 * Source: SPEC.md [WAT-*].
 */
#ifndef LBP_ROTATION_H
#define LBP_ROTATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All fields are private. */
struct lbp_rotation {
	uint64_t taken; /* the content in use */
	uint64_t seen;  /* that of the last look */
	uint64_t tried; /* the last one that was tried; at first that in use */
};

/* The content of no files. */
#define LBP_ROTATION_NOTHING UINT64_C(0xcbf29ce484222325)

/*
 * The content of some files and one more, whose len bytes are text; NULL: it
 * cannot be read. Source: [WAT-1].
 */
uint64_t lbp_rotation_add(uint64_t content, const void *text, size_t len);

/* Begins with a content that is in use. */
void lbp_rotation_init(struct lbp_rotation *rotation, uint64_t taken);

/*
 * Says what a look has found. True: it is to be tried; lbp_rotation_init then
 * says that it is in use. It is not asked for again. Source: [WAT-2] to
 * [WAT-4].
 */
bool lbp_rotation_look(struct lbp_rotation *rotation, uint64_t content);

#endif
