#include "statics.h"

#include <getopt.h>

void statics_reset(void)
{
	reset_log();
	reset_sink();
	reset_strangers();
	optind = 0;
}
