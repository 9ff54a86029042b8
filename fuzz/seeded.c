#include "seeded.h"

#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "oracle.h"

#define INPUT_MAX (1u << 20)

/* Static for the handler of a failure, which has nothing else to go by. */
static const struct seeded *the;
static struct {
	uint64_t seed; /* the current one */
	uint64_t count;
	uint64_t length;
	const char *input;
	bool log;
} options;
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
	if (the->explain != NULL && !options.log)
		the->explain();
	if (options.input != NULL)
		printf("again: build/%s --input %s --log\n", the->name,
			options.input);
	else
		printf("after %.1f s; again: build/%s --seed %" PRIu64
		       " --count 1 --%s %" PRIu64 " --log\n",
			seconds(), the->name, options.seed, the->amount,
			options.length);
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

static bool run_seeds(void)
{
	size_t len = (size_t)options.length * the->bytes_each + the->bytes_more;
	uint8_t *data = malloc(len);

	if (data == NULL) {
		perror(the->name);
		return false;
	}
	for (uint64_t i = 0; i < options.count; i++, options.seed++) {
		uint64_t state = options.seed;

		for (size_t at = 0; at < len; at += sizeof(uint64_t)) {
			uint64_t number = next_number(&state);

			for (size_t j = 0; j < 8 && at + j < len; j++)
				data[at + j] = (uint8_t)(number >> 8 * j);
		}
		the->run(data, len, options.length);
	}
	free(data);
	return true;
}

static bool run_input(void)
{
	static uint8_t data[INPUT_MAX];
	FILE *file = fopen(options.input, "rb");
	size_t len;

	if (file == NULL) {
		perror(options.input);
		return false;
	}
	len = fread(data, 1, sizeof(data), file);
	fclose(file);
	options.count = 1;
	the->run(data, len, UINT64_MAX);
	return true;
}

static bool read_options(int argc, char **argv)
{
	const struct option names[] = {{"seed", required_argument, NULL, 's'},
		{"count", required_argument, NULL, 'c'},
		{the->amount, required_argument, NULL, 'n'},
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
			options.length = value;
		else if (name == 'i')
			options.input = optarg;
		else if (name == 'l')
			options.log = true;
		else
			return false;
	}
	return optind == argc && options.count > 0 && options.length > 0;
}

int seeded_main(const struct seeded *simulation, int argc, char **argv)
{
	bool ok;

	the = simulation;
	options.seed = 1;
	options.count = the->count;
	options.length = the->length;
	if (!read_options(argc, argv)) {
		fprintf(stderr,
			"usage: %s [--seed N] [--count N] [--%s N] [--log] "
			"[--input FILE]\n",
			the->name, the->amount);
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (options.log)
		the->be_verbose();
	signal(SIGABRT, explain);
	signal(SIGSEGV, explain);
	clock_gettime(CLOCK_MONOTONIC, &began);
	ok = options.input != NULL ? run_input() : run_seeds();
	ok = ok && the->report(options.count, seconds());
	return oracle_write_counts() == 0 && ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
