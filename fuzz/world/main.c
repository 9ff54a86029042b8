/*
 * The server in simulation as a program.
 *
 *	sim-server [--seed N] [--count N] [--bytes N] [--log] [--input FILE]
 */
#include <inttypes.h>
#include <stdio.h>

#include "seeded.h"
#include "world.h"

static void run(const uint8_t *data, size_t len, uint64_t length)
{
	(void)length;
	world_run(data, len);
}

static bool report(uint64_t runs, double seconds)
{
	printf("sim-server: %" PRIu64 " runs, %" PRIu64 " calls, %" PRIu64
	       " switches, %" PRIu64 " faults, %.1f s\n",
		runs, kernel_stats.calls, kernel_stats.switches,
		kernel_stats.faults, seconds);
	return true;
}

int main(int argc, char **argv)
{
	static const struct seeded simulation = {.name = "sim-server",
		.amount = "bytes",
		.count = 1000,
		.length = 4000,
		.bytes_each = 1,
		.run = run,
		.be_verbose = world_be_verbose,
		.report = report};

	return seeded_main(&simulation, argc, argv);
}
