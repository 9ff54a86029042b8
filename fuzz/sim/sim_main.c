/*
 * Runs the simulation over seeds, or over a fuzz input.
 *
 *	sim [--seed N] [--count N] [--steps N] [--log] [--input FILE]
 *
 * Seeds N to N + count - 1, each of so many steps; --log prints what happens.
 */
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "oracle.h"
#include "sim.h"

/* A step takes fewer bytes; what is left over is not used. */
#define BYTES_PER_STEP 4
#define INPUT_MAX      (1u << 20)

struct options {
	uint64_t seed;
	uint64_t count;
	uint64_t steps;
	const char *input;
	bool log;
};

/* Static for the handler of a failure, which has nothing else to go by. */
static struct sim sim;
static struct options options = {.seed = 1, .count = 10000, .steps = 4000};
static uint64_t current_seed;

static void explain(int number)
{
	uint64_t first =
		sim.note_len > SIM_NOTES ? sim.note_len - SIM_NOTES : 0;

	signal(number, SIG_DFL);
	if (!sim.verbose) {
		printf("the last things that happened:\n");
		for (uint64_t i = first; i < sim.note_len; i++)
			sim_print_note(&sim.notes[i % SIM_NOTES]);
	}
	if (options.input != NULL)
		printf("again: build/sim --input %s --log\n", options.input);
	else
		printf("again: build/sim --seed %" PRIu64
		       " --count 1 --steps %" PRIu64 " --log\n",
			current_seed, options.steps);
	fflush(stdout);
	raise(number);
}

/* splitmix64: one more of the generator's numbers. */
static uint64_t next_number(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static int run_seeds(void)
{
	size_t len = (size_t)options.steps * BYTES_PER_STEP + 256;
	uint8_t *data = malloc(len);

	if (data == NULL) {
		perror("sim");
		return EXIT_FAILURE;
	}
	for (uint64_t i = 0; i < options.count; i++) {
		uint64_t state;

		current_seed = options.seed + i;
		state = current_seed;
		for (size_t at = 0; at < len; at += sizeof(uint64_t)) {
			uint64_t number = next_number(&state);

			for (size_t j = 0; j < 8 && at + j < len; j++)
				data[at + j] = (uint8_t)(number >> 8 * j);
		}
		sim_run(&sim, data, len, options.steps);
	}
	free(data);
	return EXIT_SUCCESS;
}

static int run_input(void)
{
	static uint8_t data[INPUT_MAX];
	FILE *file = fopen(options.input, "rb");
	size_t len;

	if (file == NULL) {
		perror(options.input);
		return EXIT_FAILURE;
	}
	len = fread(data, 1, sizeof(data), file);
	fclose(file);
	sim_run(&sim, data, len, UINT64_MAX);
	return EXIT_SUCCESS;
}

static bool read_options(int argc, char **argv)
{
	static const struct option names[] = {
		{"seed", required_argument, NULL, 's'},
		{"count", required_argument, NULL, 'c'},
		{"steps", required_argument, NULL, 'n'},
		{"input", required_argument, NULL, 'i'},
		{"log", no_argument, NULL, 'l'}, {NULL, 0, NULL, 0}};
	int name;

	while ((name = getopt_long(argc, argv, "", names, NULL)) != -1) {
		uint64_t value = optarg ? strtoull(optarg, NULL, 10) : 0;

		if (name == 's')
			options.seed = value;
		else if (name == 'c')
			options.count = value;
		else if (name == 'n')
			options.steps = value;
		else if (name == 'i')
			options.input = optarg;
		else if (name == 'l')
			options.log = true;
		else
			return false;
	}
	return optind == argc && options.count > 0 && options.steps > 0;
}

/* Did everything happen that can? A long run must have seen it all. */
static bool saw_everything(void)
{
	bool all = true;

	for (int i = 0; i < SIM_NOTE_KINDS; i++)
		all = all && sim.stats.notes[i] > 0;
	for (int i = LBP_REASON_DONE; i <= LBP_REASON_INTERNAL; i++)
		all = all && sim.stats.reasons[i] > 0;
	return all;
}

int main(int argc, char **argv)
{
	struct timespec start, now;
	int result;

	if (!read_options(argc, argv)) {
		fprintf(stderr, "usage: sim [--seed N] [--count N] [--steps N] "
				"[--log] [--input FILE]\n");
		return 2;
	}
	sim.verbose = options.log;
	signal(SIGABRT, explain);
	signal(SIGSEGV, explain);
	clock_gettime(CLOCK_MONOTONIC, &start);
	result = options.input != NULL ? run_input() : run_seeds();
	clock_gettime(CLOCK_MONOTONIC, &now);
	sim_print_stats(&sim.stats,
		(double)(now.tv_sec - start.tv_sec) +
			(double)(now.tv_nsec - start.tv_nsec) / 1e9);
	if (sim.stats.steps >= 1000000 && !saw_everything()) {
		fprintf(stderr, "sim: something above never happened\n");
		result = EXIT_FAILURE;
	}
	if (oracle_write_counts() != 0)
		result = EXIT_FAILURE;
	return result;
}
