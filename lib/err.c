#include "err.h"

const char *lbp_err_text(enum lbp_err err)
{
	switch (err) {
#define LBP_ERR_CASE(code, text)                                               \
	case code:                                                             \
		return text;
		LBP_ERR_MAP(LBP_ERR_CASE)
#undef LBP_ERR_CASE
	}
	return "unknown error";
}
