/*
 * The whole server over a made-up kernel: see kernel/kernel.h and
 * world/world.h, which says how an input is read.
 */
#include "world/world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	world_run(data, len);
	return 0;
}
