/*
 * The simulation, driven by a fuzz input; see sim/sim.h. `build/sim --input
 * FILE --log` tells what happens in one.
 */
#include "sim/sim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct sim sim;

	sim_run(&sim, data, len, UINT64_MAX);
	return 0;
}
