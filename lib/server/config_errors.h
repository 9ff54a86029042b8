/*
 * Collecting what is wrong with a configuration, and that memory ran out.
 * Private to lbp_config_*.
 */
#ifndef LBP_CONFIG_ERRORS_H
#define LBP_CONFIG_ERRORS_H

#include <stddef.h>

#include "server/config.h"
#include "server/config_arena.h"
#include "server/config_message.h"
#include "server/toml.h"

struct lbp_config_reader;

/*
 * Allocates as lbp_config_arena_alloc does. NULL: out of memory, which the
 * reader remembers.
 */
void *lbp_config_alloc(struct lbp_config_reader *reader,
	struct lbp_config_arena **arena, size_t count, size_t size);

/* Records an error at a place; the message is copied. */
void lbp_config_add_error(struct lbp_config_reader *reader,
	struct lbp_config_pos pos, const struct lbp_config_message *message);

/*
 * Moves all errors, sorted by place, to *errors, which then owns them, and
 * returns LBP_ERR_SYNTAX. LBP_OK: there are none. LBP_ERR_NOMEM: memory ran
 * out, now or earlier; *errors is unchanged.
 */
LBP_MUST_CHECK enum lbp_err lbp_config_take_errors(
	struct lbp_config_reader *reader, struct lbp_config_errors *errors);

/* Converts a place in the text that is being read. */
struct lbp_config_pos lbp_config_pos(
	const struct lbp_config_reader *reader, struct lbp_toml_pos pos);

#endif
