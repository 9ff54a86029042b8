/*
 * Runs the server in worlds drawn from seeds, or from a fuzz input.
 *
 *	sim-server [--seed N] [--count N] [--bytes N] [--log] [--input FILE]
 *
 * Seeds N to N + count - 1, each with so many bytes to draw from; --log prints
 * what happens.
 */
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "oracle.h"
#include "world.h"

#define INPUT_MAX (1u << 20)

struct options {
	uint64_t seed;
	uint64_t count;
	uint64_t bytes;
	const char *input;
	bool log;
};

/* Static for the handler of a failure, which has nothing else to go by. */
static struct options options = {.seed = 1, .count = 1000, .bytes = 4000};
static uint64_t current_seed;
static struct timespec began;

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - began.tv_sec) +
	       (double)(now.tv_nsec - began.tv_nsec) / 1e9;
}

static void explain(int number)
{
	signal(number, SIG_DFL);
	fflush(stdout);
	if (options.input != NULL)
		fprintf(stderr, "again: build/sim-server --input %s --log\n",
			options.input);
	else
		fprintf(stderr,
			"after %.1f s; again: build/sim-server --seed %" PRIu64
			" --count 1 --bytes %" PRIu64 " --log\n",
			seconds(), current_seed, options.bytes);
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

static void run_seeds(void)
{
	uint8_t *data = malloc(options.bytes + sizeof(uint64_t));

	if (data == NULL)
		abort();
	for (uint64_t i = 0; i < options.count; i++) {
		uint64_t state;

		current_seed = options.seed + i;
		state = current_seed;
		for (size_t at = 0; at < options.bytes; at += 8) {
			uint64_t number = next_number(&state);

			for (size_t j = 0; j < 8; j++)
				data[at + j] = (uint8_t)(number >> 8 * j);
		}
		world_run(data, options.bytes);
	}
	free(data);
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
	world_run(data, len);
	return EXIT_SUCCESS;
}

static bool read_options(int argc, char **argv)
{
	static const struct option names[] = {
		{"seed", required_argument, NULL, 's'},
		{"count", required_argument, NULL, 'c'},
		{"bytes", required_argument, NULL, 'n'},
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
			options.bytes = value;
		else if (name == 'i')
			options.input = optarg;
		else if (name == 'l')
			options.log = true;
		else
			return false;
	}
	return optind == argc && options.count > 0 && options.bytes > 0;
}

int main(int argc, char **argv)
{
	int result = EXIT_SUCCESS;

	if (!read_options(argc, argv)) {
		fprintf(stderr, "usage: sim-server [--seed N] [--count N] "
				"[--bytes N] [--log] [--input FILE]\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	world_tell(options.log);
	signal(SIGABRT, explain);
	signal(SIGSEGV, explain);
	clock_gettime(CLOCK_MONOTONIC, &began);
	if (options.input != NULL)
		result = run_input();
	else
		run_seeds();
	printf("sim-server: %" PRIu64 " runs, %" PRIu64 " calls, %" PRIu64
	       " switches, %" PRIu64 " faults, %.1f s\n",
		options.input != NULL ? 1 : options.count, kernel_stats.calls,
		kernel_stats.switches, kernel_stats.faults, seconds());
	if (oracle_write_counts() != 0)
		result = EXIT_FAILURE;
	return result;
}
