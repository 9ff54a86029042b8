/*
 * How the work of lib grows with what it is given: each case is carried out
 * at one size and at four times that size, and the branches taken are counted
 * (lib is built with -fsanitize-coverage=trace-pc), so that the figures are
 * the same on each run and each machine. What is O(n log n) takes less than
 * five times as many; what has a product of two sizes in it takes sixteen.
 */
#include <stdio.h>
#include <stdlib.h>

#include "oracle.h"
#include "server/config.h"
#include "server/policy.h"
#include "server/sources.h"

#define TIMES_MAX 6

void __sanitizer_cov_trace_pc(void);

static uint64_t steps;

void __sanitizer_cov_trace_pc(void)
{
	steps++;
}

struct shape {
	unsigned apps;
	unsigned clients;
	unsigned grants; /* of each client */
};

static char *write_text(const struct shape *shape, size_t *len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, len);

	if (out == NULL)
		abort();
	fprintf(out, "[tls]\ncertificate = 'c'\nprivate_key = 'k'\n"
		     "client_ca = 'a'\n");
	for (unsigned i = 0; i < shape->apps; i++)
		fprintf(out,
			"[[app]]\nid = 'a%u'\nlisten = ['h%u:1']\n"
			"[[app.upstream]]\nurl = 'tcp://h:1'\n",
			i, i);
	for (unsigned c = 0; c < shape->clients; c++) {
		fprintf(out, "[[client]]\nid = 'c%u'\nserials = ['%x']\n", c,
			c + 1);
		fprintf(out, "apps = [");
		for (unsigned g = 0; g < shape->grants; g++)
			fprintf(out, "'a%u', ", (c + g) % shape->apps);
		fprintf(out, "]\nlimits.a%u.concurrent = 1\n", c % shape->apps);
	}
	if (fclose(out) != 0)
		abort();
	return text;
}

/* The steps of each part, for one configuration. */
struct work {
	uint64_t parse;
	uint64_t make;
	uint64_t reload;
};

static struct work configure(const struct shape *shape)
{
	struct lbp_config_errors errors;
	struct lbp_policy policy, next;
	struct lbp_config *config;
	struct work work;
	size_t len;
	char *text = write_text(shape, &len);

	steps = 0;
	if (lbp_config_parse(text, len, &config, &errors) != LBP_OK)
		abort();
	work.parse = steps;
	steps = 0;
	if (lbp_policy_init(&policy, config, 0) != LBP_OK)
		abort();
	work.make = steps;
	steps = 0;
	if (lbp_policy_next(&next, &policy, config, 0) != LBP_OK)
		abort();
	lbp_policy_adopt(&policy, &next);
	work.reload = steps;
	lbp_policy_release(&next);
	lbp_policy_release(&policy);
	lbp_config_free(config);
	free(text);
	return work;
}

static double times(const char *what, uint64_t small, uint64_t large)
{
	double ratio = (double)large / (double)small;

	printf("scaling: %-32s %10llu to %10llu steps: %.1f times\n", what,
		(unsigned long long)small, (unsigned long long)large, ratio);
	return ratio;
}

static void check_configurations(void)
{
	static const struct {
		const char *name;
		struct shape small;
		struct shape large;
	} cases[] = {
		{"apps and clients", {200, 200, 4}, {800, 800, 4}},
		{"many grants of few apps", {20, 1000, 20}, {20, 4000, 20}},
		{"few clients of many apps", {200, 20, 200}, {800, 20, 800}},
		{"apps alone", {250, 1, 1}, {1000, 1, 1}},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct work small = configure(&cases[i].small);
		struct work large = configure(&cases[i].large);

		printf("scaling: %s\n", cases[i].name);
		ORACLE("CFG-15",
			times("  reading", small.parse, large.parse) <
				TIMES_MAX,
			"%s", cases[i].name);
		ORACLE("POL-7",
			times("  making", small.make, large.make) < TIMES_MAX,
			"%s", cases[i].name);
		ORACLE("POL-7",
			times("  reload", small.reload, large.reload) <
				TIMES_MAX,
			"%s", cases[i].name);
	}
}

/* Twice as many handshakes as places, of a source for each four. */
static uint64_t handshakes(uint32_t cap)
{
	static const uint64_t seed[2] = {1, 2};
	struct lbp_ticket ticket, evicted;
	struct lbp_sources *sources;

	if (lbp_sources_new(&sources, cap, seed) != LBP_OK)
		abort();
	steps = 0;
	for (uint32_t i = 0; i < 2 * cap; i++) {
		struct lbp_source source = {i * i % cap / 4, 0};

		lbp_sources_enter(sources, &source, &ticket, &evicted);
		if (i % 3 == 0)
			(void)lbp_sources_leave(sources, ticket);
	}
	lbp_sources_free(sources);
	return steps;
}

int main(void)
{
	check_configurations();
	ORACLE("SRC-7",
		times("handshakes", handshakes(1024), handshakes(4096)) <
			TIMES_MAX,
		"handshakes");
	return 0;
}
