/* A simulation as a program: runs over seeds, or over one fuzz input. */
#ifndef LBP_FUZZ_SEEDED_H
#define LBP_FUZZ_SEEDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct seeded {
	const char *name;   /* the program's */
	const char *amount; /* the option that says how long one run is */
	/* What runs by default: so many seeds, each for so long. */
	uint64_t count;
	uint64_t length;
	/* An input has so many bytes for each of its length, and these. */
	size_t bytes_each;
	size_t bytes_more;
	/* One run; a fuzz input has the length UINT64_MAX. */
	void (*run)(const uint8_t *data, size_t len, uint64_t length);
	/* Prints what happens from now on. */
	void (*be_verbose)(void);
	/* Before the program ends for a failure; NULL: nothing to say. */
	void (*explain)(void);
	/* After the last run; false: something is not as it should be. */
	bool (*report)(uint64_t runs, double seconds);
};

/*
 * main of such a program; simulation must outlive it. Its options are --seed N
 * (1 if it is not given), --count N, the one for the amount, --log and --input
 * FILE; a failure prints those that show it again.
 */
int seeded_main(const struct seeded *simulation, int argc, char **argv);

#endif
