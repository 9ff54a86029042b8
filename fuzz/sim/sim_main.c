/*
 * The simulation as a program.
 *
 *	sim [--seed N] [--count N] [--steps N] [--log] [--input FILE]
 */
#include <stdio.h>

#include "seeded.h"
#include "sim.h"

static struct sim sim;

static void run(const uint8_t *data, size_t len, uint64_t steps)
{
	sim_run(&sim, data, len, steps);
}

static void be_verbose(void)
{
	sim.verbose = true;
}

static void explain(void)
{
	uint64_t first =
		sim.note_len > SIM_NOTES ? sim.note_len - SIM_NOTES : 0;

	printf("the last things that happened:\n");
	for (uint64_t i = first; i < sim.note_len; i++)
		sim_print_note(&sim.notes[i % SIM_NOTES]);
}

/* Did everything happen that can? A long run must have seen it all. */
static bool saw_everything(void)
{
	bool all = true;

	for (int i = 0; i < SIM_NOTE_KINDS; i++)
		all = all && sim.stats.notes[i] > 0;
	/* Its clients have one name each, which cannot be ambiguous. */
	for (int i = LBP_REASON_DONE; i < LBP_REASONS; i++)
		all = all &&
		      (sim.stats.reasons[i] > 0 || i == LBP_REASON_AMBIGUOUS);
	return all;
}

static bool report(uint64_t runs, double seconds)
{
	(void)runs;
	sim_print_stats(&sim.stats, seconds);
	if (sim.stats.steps < 1000000 || saw_everything())
		return true;
	fprintf(stderr, "sim: something above never happened\n");
	return false;
}

int main(int argc, char **argv)
{
	/* A step takes fewer than 4 bytes; what is left over is not used. */
	static const struct seeded simulation = {.name = "sim",
		.amount = "steps",
		.count = 10000,
		.length = 4000,
		.bytes_each = 4,
		.bytes_more = 256,
		.run = run,
		.be_verbose = be_verbose,
		.explain = explain,
		.report = report};

	return seeded_main(&simulation, argc, argv);
}
