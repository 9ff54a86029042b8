/*
 * Lines about strangers, judged by a plain log of all that happened.
 *
 * Input: operations, each a byte and what it takes; the byte modulo 5 says:
 * - 0, 1: attempts, a byte plus 1 of them, of one source, a byte, and one of
 *   four kinds, a byte
 * - 2: attempts of one of four kinds, a byte, one of each source in a row, a
 *   byte plus 1 of them, from the source at a byte
 * - 3: time passes, a byte times 16 ms
 * - 4: sums are taken, a byte modulo 8 of them at most; if the byte is 128 or
 *   more, the last one is given back
 */
#include <string.h>

#include "bytes.h"
#include "health.h"
#include "oracle.h"
#include "server/suppress.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define SOURCES    512
#define KINDS      4
#define OPERATIONS 24

/* What is known of one pair. */
struct pair {
	uint32_t window;     /* the last one with an attempt */
	uint32_t lines;      /* in it */
	uint64_t attempts;   /* in it */
	uint64_t suppressed; /* in all windows */
	uint64_t told;
};

static struct run {
	struct lbp_suppress suppress;
	uint64_t now_ns;
	uint64_t end_ns; /* of the window */
	uint32_t window; /* its number */
	uint32_t pairs;  /* with an attempt in it */
	uint32_t kept;   /* from earlier ones, at most */
	uint32_t lines;  /* in it */
	uint64_t suppressed[KINDS];
	uint64_t told[KINDS];
	uint64_t counted; /* in this window; no sum has it yet */
} run;

static struct pair pairs[SOURCES][KINDS];

static const uint32_t kinds[KINDS] = {0, 1, 29, LBP_SUPPRESS_KINDS - 1};

static struct lbp_source source_of(unsigned n)
{
	const uint8_t ipv4[4] = {192, 0, (uint8_t)(n >> 8), (uint8_t)n};
	uint8_t ipv6[16] = {0x20, 0x01, 0x0d, 0xb8};

	ipv6[6] = (uint8_t)(n >> 8);
	ipv6[7] = (uint8_t)n;
	return n % 2 == 0 ? lbp_source_ipv4(ipv4) : lbp_source_ipv6(ipv6);
}

/* [SUP-1]. */
static void look_at_window(void)
{
	if (run.now_ns < run.end_ns)
		return;
	run.end_ns = run.now_ns + LBP_SUPPRESS_WINDOW_NS;
	run.window++;
	run.pairs = 0;
	run.lines = 0;
	run.counted = 0;
	/* One may have been taken at once. */
	run.kept = run.suppress.due + 1;
}

/* Sums of earlier windows that nobody took keep their pairs. */
static bool may_be_full(void)
{
	return run.pairs + run.kept > LBP_SUPPRESS_PAIRS;
}

static void attempt(unsigned n, unsigned kind)
{
	struct pair *pair = &pairs[n][kind];
	struct lbp_source source = source_of(n);
	bool admitted = lbp_suppress_admit(
		&run.suppress, &source, kinds[kind], run.now_ns);

	look_at_window();
	if (pair->window != run.window) {
		pair->window = run.window;
		pair->lines = 0;
		pair->attempts = 0;
		run.pairs++;
	}
	pair->attempts++;
	if (admitted) {
		pair->lines++;
		run.lines++;
	} else {
		pair->suppressed++;
		run.suppressed[kind]++;
		run.counted++;
	}
	ORACLE("SUP-2", pair->lines <= LBP_SUPPRESS_LINES,
		"%u lines in one window", pair->lines);
	ORACLE("SUP-2",
		may_be_full() ||
			admitted == (pair->attempts <= LBP_SUPPRESS_LINES),
		"attempt %llu of source %u and kind %u",
		(unsigned long long)pair->attempts, n, kind);
	ORACLE("SUP-3",
		run.lines <= LBP_SUPPRESS_LINES *
				     (LBP_SUPPRESS_PAIRS + LBP_SUPPRESS_KINDS),
		"%u lines in one window", run.lines);
}

/* KINDS: none of them. */
static unsigned kind_of(const struct lbp_suppress_sum *sum)
{
	unsigned kind = 0;

	while (kind < KINDS && kinds[kind] != sum->kind)
		kind++;
	return kind;
}

/* Which source has it? */
static struct pair *pair_of(const struct lbp_suppress_sum *sum)
{
	for (unsigned n = 0; n < SOURCES; n++) {
		struct lbp_source source = source_of(n);

		if (source.high == sum->source.high &&
			source.low == sum->source.low)
			return &pairs[n][kind_of(sum)];
	}
	return NULL;
}

static void check_sum(const struct lbp_suppress_sum *sum)
{
	struct pair *pair = sum->others ? NULL : pair_of(sum);
	unsigned kind = kind_of(sum);

	ORACLE("SUP-4",
		sum->count > 0 && kind < KINDS && (sum->others || pair != NULL),
		"a sum of nothing or nobody");
	run.told[kind] += sum->count;
	ORACLE("SUP-4", run.told[kind] <= run.suppressed[kind],
		"more than were suppressed of kind %u", sum->kind);
	if (pair == NULL)
		return;
	pair->told += sum->count;
	ORACLE("SUP-4", pair->told <= pair->suppressed,
		"more than were suppressed of one pair");
}

static void give_back(const struct lbp_suppress_sum *sum)
{
	struct pair *pair = sum->others ? NULL : pair_of(sum);

	lbp_suppress_give_back(&run.suppress, sum);
	run.kept++;
	run.told[kind_of(sum)] -= sum->count;
	if (pair != NULL)
		pair->told -= sum->count;
}

static uint64_t all(const uint64_t *counts)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < KINDS; i++)
		sum += counts[i];
	return sum;
}

/* Takes sums; there are some as long as any is not told of its time. */
static void take(unsigned most, uint64_t now_ns, bool returns)
{
	struct lbp_suppress_sum sum;

	while (most-- > 0) {
		uint64_t waits = now_ns < run.end_ns ? run.counted : 0;
		bool is_left = all(run.suppressed) - all(run.told) > waits;
		bool taken = lbp_suppress_take(&run.suppress, now_ns, &sum);

		ORACLE("SUP-4", taken == is_left,
			"a sum is early, late or lost");
		if (!taken)
			return;
		if (waits == 0 && run.counted > 0)
			look_at_window();
		check_sum(&sum);
		if (most == 0 && returns)
			give_back(&sum);
	}
}

static void check_due(void)
{
	uint64_t due = lbp_suppress_due(&run.suppress);
	uint64_t left = all(run.suppressed) - all(run.told);

	ORACLE("SUP-4",
		left == 0 ? due == LBP_NEVER
			  : due == (left > run.counted ? 0 : run.end_ns),
		"%llu are left, due at %llu", (unsigned long long)left,
		(unsigned long long)due);
}

static void operate(struct bytes *bytes)
{
	unsigned kind = bytes_below(bytes, 5);
	unsigned n, k, count;

	switch (kind) {
	case 0:
	case 1:
		n = bytes_u8(bytes);
		k = bytes_below(bytes, KINDS);
		for (count = bytes_u8(bytes) + 1U; count > 0; count--)
			attempt(n, k);
		break;
	case 2:
		k = bytes_below(bytes, KINDS);
		n = bytes_u8(bytes);
		for (count = bytes_u8(bytes) + 1U; count > 0; count--)
			attempt(n++, k);
		break;
	case 3:
		run.now_ns += bytes_u8(bytes) * UINT64_C(16000000);
		break;
	default:
		count = bytes_u8(bytes);
		take(count % 8, run.now_ns, count >= 128);
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct bytes bytes = {data, len};

	run = (struct run){.now_ns = LBP_SUPPRESS_WINDOW_NS};
	memset(pairs, 0, sizeof(pairs));
	lbp_suppress_init(&run.suppress);
	for (int i = 0; i < OPERATIONS && bytes.len > 0; i++) {
		operate(&bytes);
		ORACLE("SUP-4", lbp_suppress_validate(&run.suppress),
			"an invariant broke");
		check_due();
	}
	/* Whatever happened, all is told in the end. */
	run.now_ns = LBP_NEVER - 1;
	take(LBP_SUPPRESS_PAIRS + LBP_SUPPRESS_KINDS + 1, LBP_NEVER, false);
	ORACLE("SUP-4", all(run.suppressed) == all(run.told),
		"%llu of %llu are told", (unsigned long long)all(run.told),
		(unsigned long long)all(run.suppressed));
	return 0;
}
