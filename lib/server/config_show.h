/*
 * The configuration that is in effect, as TOML: each value, given or not, with
 * a comment that says where it comes from. Source: SPEC.md [CFG-110] to
 * [CFG-115].
 */
#ifndef LBP_CONFIG_SHOW_H
#define LBP_CONFIG_SHOW_H

#include "err.h"
#include "server/config.h"

/* A file that a configuration was read from. */
struct lbp_config_source {
	const char *name; /* its path, as comments are to say it */
	const char *text; /* len bytes */
	size_t len;
};

/*
 * Calls put with each piece of the text, which is printable ASCII in lines;
 * pieces are valid during the call. sources are the files of the
 * configuration, by the numbers that places have. LBP_ERR_NOMEM: the text is
 * incomplete.
 */
LBP_MUST_CHECK enum lbp_err lbp_config_show(const struct lbp_config *config,
	const struct lbp_config_source *sources,
	void (*put)(void *user, const char *text, size_t text_len), void *user);

#endif
