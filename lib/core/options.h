/* How options are read that another version of the headers may have made. */
#ifndef LBP_OPTIONS_H
#define LBP_OPTIONS_H

#include <string.h>

#include "err.h"

/*
 * Copies options, which begin with their size, over the defaults in *own,
 * which has own_size bytes: what the caller's headers do not have yet keeps
 * its default, and what ours do not have yet is left out. LBP_ERR_NULL: there
 * are none. LBP_ERR_OPTIONS: nobody has set the size. Source: [ERR-5].
 */
static inline enum lbp_err lbp_options_copy(
	void *own, size_t own_size, const void *options)
{
	size_t size;

	if (options == NULL)
		return LBP_ERR_NULL;
	memcpy(&size, options, sizeof(size));
	if (size < sizeof(size))
		return LBP_ERR_OPTIONS;
	memcpy(own, options, size < own_size ? size : own_size);
	return LBP_OK;
}

#endif
