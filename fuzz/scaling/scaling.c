/*
 * How the work of lib grows with its input: each case runs at one size and at
 * four times that size, and the basic blocks executed ("steps" in SPEC.md) are
 * counted (lib is built with -fsanitize-coverage=trace-pc), so that the figures
 * are the same on every run and every machine. What is O(n log n) takes less
 * than five times as many; what multiplies two sizes takes sixteen times.
 */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>

#include "../../cmd/lbproxyd/tls_revoked.h"
#include "core/balancer.h"
#include "oracle.h"
#include "reload.h"
#include "server/config.h"
#include "server/policy.h"
#include "server/sources.h"
#include "server/toml.h"

/* Four times as much, and the logarithm of four times as much. */
#define TIMES_MAX 5
/* The logarithm alone: of 1024 it is 1.25 times that of 256. */
#define TIMES_LOG_MAX 1.5

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
	if (lbp_policy_prepare(&next, &policy, config, 0) != LBP_OK)
		abort();
	lbp_policy_commit(&policy, &next);
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

	printf("scaling: %-32s %10llu to %10llu: %.1f times\n", what,
		(unsigned long long)small, (unsigned long long)large, ratio);
	return ratio;
}

/* The steps of reading clients in files of a hundred. */
static uint64_t include(unsigned files)
{
	static const char own[] =
		"include = ['*']\n[tls]\ncertificate = 'c'\n"
		"private_key = 'k'\nclient_ca = 'a'\n[[app]]\n"
		"id = 'a'\nlisten = ['h:1']\n"
		"upstream = [{ url = 'tcp://h:1' }]\n";
	struct lbp_config_errors errors;
	struct lbp_config_reader *reader;
	struct lbp_config *config;

	steps = 0;
	reader = lbp_config_begin("own", own, sizeof(own) - 1);
	if (reader == NULL)
		abort();
	for (unsigned f = 0; f < files; f++) {
		char *text = NULL;
		size_t len;
		FILE *out = open_memstream(&text, &len);

		if (out == NULL)
			abort();
		for (unsigned c = f * 100; c < f * 100 + 100; c++)
			fprintf(out,
				"[[client]]\nid = 'c%u'\nserials = ['%x']\n"
				"apps = ['a']\n",
				c, c + 1);
		if (fclose(out) != 0)
			abort();
		lbp_config_add(reader, 0, "file", text, len);
		free(text);
	}
	if (lbp_config_end(reader, &config, &errors) != LBP_OK)
		abort();
	lbp_config_free(config);
	return steps;
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

/* Of one application, whose clients all have so many admissions kept. */
struct crowd {
	unsigned clients;
	uint32_t connections;
	uint32_t raised_to;
};

static void list_grants(
	struct lbp_acl_grant *grants, const struct crowd *crowd, uint32_t rate)
{
	for (unsigned i = 0; i < crowd->clients; i++)
		grants[i] = (struct lbp_acl_grant){.client = i,
			.limits = {.connections = rate, .window_ns = 1}};
}

static struct lbp_acl *make_acl(const struct crowd *crowd, uint32_t rate)
{
	struct lbp_acl_grant *grants = calloc(crowd->clients, sizeof(*grants));
	struct lbp_acl_options options;
	struct lbp_acl *acl;

	if (grants == NULL)
		abort();
	list_grants(grants, crowd, rate);
	lbp_acl_options_init(&options);
	options.grants = grants;
	options.grant_len = crowd->clients;
	options.client_len = crowd->clients;
	options.app_len = 1;
	if (lbp_acl_new(&acl, &options) != LBP_OK)
		abort();
	free(grants);
	return acl;
}

static struct lbp_app *prepare(
	const struct lbp_app *from, const struct lbp_acl *acl)
{
	static const struct lbp_upstream upstream = {.name = "a", .weight = 1};
	struct lbp_app_options options;
	struct lbp_app *app;

	lbp_app_options_init(&options);
	options.id = "app";
	options.acl = acl;
	options.upstreams = &upstream;
	options.upstream_len = 1;
	if (lbp_app_prepare(&app, from, &options, 0) != LBP_OK)
		abort();
	return app;
}

/* The steps of a commit. */
static uint64_t commit(const struct crowd *crowd)
{
	struct lbp_acl *before = make_acl(crowd, crowd->connections);
	struct lbp_acl *after = make_acl(crowd, crowd->raised_to);
	struct lbp_app *app = prepare(NULL, before);
	struct lbp_app *next = prepare(app, after);
	uint64_t taken;

	for (uint32_t i = 0; i < crowd->clients * crowd->connections; i++) {
		if (lbp_app_admit(app, i % crowd->clients, i) != LBP_OK)
			abort();
	}
	steps = 0;
	lbp_app_commit(app, next);
	taken = steps;
	lbp_app_free(next);
	lbp_app_free(app);
	lbp_acl_free(before);
	lbp_acl_free(after);
	return taken;
}

static void check_commits(void)
{
	static const struct {
		const char *name;
		struct crowd small;
		struct crowd large;
		double most;
	} cases[] = {
		{"commit with clients", {1000, 9, 9}, {4000, 9, 9}, 1},
		{"commit with lower rates", {1000, 9, 8}, {4000, 9, 8}, 1},
		{"commit with higher rates", {1000, 9, 10}, {4000, 9, 10}, 4.1},
		{"commit with admissions", {99, 9, 10}, {99, 36, 40}, 1},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ORACLE("APP-27",
			times(cases[i].name, commit(&cases[i].small),
				commit(&cases[i].large)) <= cases[i].most,
			"%s", cases[i].name);
}

enum text_kind {
	KEYS,
	TABLES,
	TABLE_ARRAY,
	DOTTED,
	NESTED,
	TEXT_KINDS
};

static const char *const text_names[TEXT_KINDS] = {"keys of a table", "tables",
	"an array of tables", "dotted keys", "nested arrays"};

static void write_item(FILE *out, enum text_kind kind, unsigned i)
{
	switch (kind) {
	case KEYS:
		fprintf(out, "k%u = 'a'\n", i);
		break;
	case TABLES:
		fprintf(out, "[t%u]\na = 1\n", i);
		break;
	case TABLE_ARRAY:
		fprintf(out, "[[t]]\na = \"b\"\n");
		break;
	case DOTTED:
		fprintf(out, "a.b%u.c.d = 1.5\n", i);
		break;
	default:
		fprintf(out, "k%u = [[1, [2, [{a = [3]}, 4]]], 5]\n", i);
		break;
	}
}

static char *write_items(enum text_kind kind, unsigned count, size_t *len)
{
	char *text = NULL;
	FILE *out = open_memstream(&text, len);

	if (out == NULL)
		abort();
	for (unsigned i = 0; i < count; i++)
		write_item(out, kind, i);
	if (fclose(out) != 0)
		abort();
	return text;
}

static size_t bytes_held(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

/* The steps and the bytes that a text of so many items takes. */
static void parse_text(
	enum text_kind kind, unsigned count, uint64_t *taken, uint64_t *bytes)
{
	struct lbp_toml_error error;
	struct lbp_toml *doc;
	size_t before;
	size_t len;
	char *text = write_items(kind, count, &len);

	before = bytes_held();
	steps = 0;
	if (lbp_toml_parse(text, len, &doc, &error) != LBP_OK)
		abort();
	*taken = steps;
	*bytes = bytes_held() - before;
	lbp_toml_free(doc);
	free(text);
}

static void check_texts(void)
{
	for (unsigned kind = 0; kind < TEXT_KINDS; kind++) {
		uint64_t small, large, small_bytes, large_bytes;

		parse_text((enum text_kind)kind, 1000, &small, &small_bytes);
		parse_text((enum text_kind)kind, 4000, &large, &large_bytes);
		printf("scaling: text of %s\n", text_names[kind]);
		ORACLE("TOM-31", times("  parsing", small, large) < TIMES_MAX,
			"%s", text_names[kind]);
		ORACLE("TOM-31",
			times("  its bytes", small_bytes, large_bytes) <
				TIMES_MAX,
			"%s", text_names[kind]);
	}
}

/* A thousand choices, of which every other one is given back. */
static uint64_t choices(uint32_t upstreams, uint32_t tried_len)
{
	static struct lbp_balancer_slot slots[LBP_UPSTREAMS_MAX];
	static uint16_t heap[LBP_UPSTREAMS_MAX];
	uint8_t tried[LBP_TRIED_BYTES(LBP_UPSTREAMS_MAX)] = {0};
	struct lbp_balancer balancer;
	uint32_t chosen;

	for (uint32_t i = 0; i < upstreams; i++)
		slots[i].weight = 1 + i % 7;
	lbp_balancer_init(&balancer, slots, heap, upstreams);
	for (uint32_t i = 0; i < tried_len; i++)
		lbp_tried_add(tried, i);
	steps = 0;
	for (uint32_t i = 0; i < 1000; i++) {
		if (lbp_balancer_choose(&balancer, tried, &chosen) != LBP_OK)
			abort();
		if (i % 2 == 0)
			(void)lbp_balancer_release(&balancer, chosen);
	}
	return steps;
}

static void check_choices(void)
{
	ORACLE("BAL-5",
		times("choices of upstreams", choices(256, 0),
			choices(1024, 0)) < TIMES_LOG_MAX,
		"upstreams");
	ORACLE("BAL-9",
		times("choices past tried ones", choices(1024, 64),
			choices(1024, 256)) < TIMES_MAX,
		"tried ones");
}

/* A thousand serials looked up among so many that are revoked. */
static uint64_t look_up(size_t len)
{
	struct revoked revoked = {.len = len};
	struct lbp_serial serial = {.len = 4};

	revoked.serials = calloc(len, sizeof(*revoked.serials));
	if (revoked.serials == NULL)
		abort();
	for (size_t i = 0; i < len; i++) {
		serial.octets[0] = 1;
		serial.octets[1] = (uint8_t)(i >> 16);
		serial.octets[2] = (uint8_t)(i >> 8);
		serial.octets[3] = (uint8_t)i;
		revoked.serials[len - 1 - i] = serial;
	}
	revoked_seal(&revoked);
	steps = 0;
	for (unsigned i = 0; i < 1000; i++) {
		serial.octets[1] = (uint8_t)(i % 3);
		serial.octets[3] = (uint8_t)(i * 7);
		(void)revoked_has(&revoked, &serial);
	}
	revoked_release(&revoked);
	return steps;
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
	check_texts();
	check_configurations();
	ORACLE("CFG-15",
		times("included files", include(100), include(400)) < TIMES_MAX,
		"included files");
	check_commits();
	check_choices();
	ORACLE("SRV-104",
		times("serials in a list", look_up(25000), look_up(100000)) <
			TIMES_LOG_MAX,
		"serials");
	ORACLE("SRC-7",
		times("handshakes", handshakes(1024), handshakes(4096)) <
			TIMES_MAX,
		"handshakes");
	return 0;
}
