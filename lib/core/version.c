#include "lbproxy.h"

const char *lbp_version(void)
{
	return LBP_VERSION;
}
