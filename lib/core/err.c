#include "err.h"

#include <stddef.h>

const char *lbp_err_text(enum lbp_err err)
{
	static const char *const texts[] = {
#define LBP_ERR_ITEM(code, text) [code] = (text),
		LBP_ERR_MAP(LBP_ERR_ITEM)
#undef LBP_ERR_ITEM
	};

	return (size_t)err < sizeof(texts) / sizeof(texts[0]) ? texts[err]
							      : "unknown error";
}
