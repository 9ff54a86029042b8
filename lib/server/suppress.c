#include "server/suppress.h"

#include "base.h"
#include "core/later.h"

void lbp_suppress_init(struct lbp_suppress *suppress)
{
	*suppress = (struct lbp_suppress){0};
}

static bool is_pair(const struct lbp_suppress_pair *pair,
	const struct lbp_source *source, uint32_t kind)
{
	return pair->source.high == source->high &&
	       pair->source.low == source->low && pair->kind == kind;
}

static struct lbp_suppress_pair *others(
	struct lbp_suppress *suppress, uint32_t kind)
{
	return &suppress->pairs[LBP_SUPPRESS_PAIRS + kind];
}

/* Finds or adds a pair; without room, returns that of all others. */
static struct lbp_suppress_pair *find(struct lbp_suppress *suppress,
	const struct lbp_source *source, uint32_t kind)
{
	struct lbp_suppress_pair *pair;

	for (uint32_t i = 0; i < suppress->len; i++) {
		if (is_pair(&suppress->pairs[i], source, kind))
			return &suppress->pairs[i];
	}
	if (suppress->len == LBP_SUPPRESS_PAIRS)
		return others(suppress, kind);
	pair = &suppress->pairs[suppress->len++];
	*pair = (struct lbp_suppress_pair){.source = *source, .kind = kind};
	return pair;
}

static void add_due(struct lbp_suppress *suppress,
	struct lbp_suppress_pair *pair, uint64_t count)
{
	suppress->due += pair->due == 0 && count > 0;
	pair->due += count;
}

static void end_window(
	struct lbp_suppress *suppress, struct lbp_suppress_pair *pair)
{
	add_due(suppress, pair, pair->count);
	pair->count = 0;
	pair->lines = 0;
}

/* Starts a window; pairs with nothing due are dropped. */
static void begin_window(struct lbp_suppress *suppress, uint64_t now_ns)
{
	uint32_t i = 0;

	while (i < suppress->len) {
		struct lbp_suppress_pair *pair = &suppress->pairs[i];

		end_window(suppress, pair);
		if (pair->due > 0) {
			i++;
			continue;
		}
		*pair = suppress->pairs[--suppress->len];
		suppress->pairs[suppress->len] = (struct lbp_suppress_pair){0};
	}
	for (i = 0; i < LBP_SUPPRESS_KINDS; i++)
		end_window(suppress, others(suppress, i));
	suppress->counts = false;
	suppress->end_ns = lbp_later(now_ns, LBP_SUPPRESS_WINDOW_NS);
}

bool lbp_suppress_admit(struct lbp_suppress *suppress,
	const struct lbp_source *source, uint32_t kind, uint64_t now_ns)
{
	struct lbp_suppress_pair *pair;

	if (now_ns >= suppress->end_ns)
		begin_window(suppress, now_ns);
	pair = find(suppress, source, kind);
	if (pair->lines < LBP_SUPPRESS_LINES) {
		pair->lines++;
		return true;
	}
	pair->count++;
	suppress->counts = true;
	return false;
}

uint64_t lbp_suppress_due(const struct lbp_suppress *suppress)
{
	if (suppress->due > 0)
		return 0;
	return suppress->counts ? suppress->end_ns : LBP_NEVER;
}

/* Takes what is due of pair i. */
static void take(
	struct lbp_suppress *suppress, uint32_t i, struct lbp_suppress_sum *sum)
{
	struct lbp_suppress_pair *pair = &suppress->pairs[i];

	sum->others = i >= LBP_SUPPRESS_PAIRS;
	sum->source = pair->source;
	sum->kind = sum->others ? i - LBP_SUPPRESS_PAIRS : pair->kind;
	sum->count = pair->due;
	pair->due = 0;
	suppress->due--;
}

bool lbp_suppress_take(struct lbp_suppress *suppress, uint64_t now_ns,
	struct lbp_suppress_sum *sum)
{
	uint32_t i = 0;

	if (suppress->counts && now_ns >= suppress->end_ns)
		begin_window(suppress, now_ns);
	if (suppress->due == 0)
		return false;
	while (suppress->pairs[i].due == 0)
		i++;
	take(suppress, i, sum);
	return true;
}

void lbp_suppress_give_back(
	struct lbp_suppress *suppress, const struct lbp_suppress_sum *sum)
{
	struct lbp_suppress_pair *pair =
		sum->others ? others(suppress, sum->kind)
			    : find(suppress, &sum->source, sum->kind);

	add_due(suppress, pair, sum->count);
}

static bool is_known_twice(const struct lbp_suppress *suppress, uint32_t i)
{
	const struct lbp_suppress_pair *pair = &suppress->pairs[i];

	while (i-- > 0) {
		if (is_pair(&suppress->pairs[i], &pair->source, pair->kind))
			return true;
	}
	return false;
}

bool lbp_suppress_validate(const struct lbp_suppress *suppress)
{
	uint32_t due = 0;
	bool counts = false;

	if (suppress->len > LBP_SUPPRESS_PAIRS)
		return false;
	for (uint32_t i = 0; i < LBP_SUPPRESS_PAIRS + LBP_SUPPRESS_KINDS; i++) {
		const struct lbp_suppress_pair *pair = &suppress->pairs[i];
		bool is_keyed = i < suppress->len;

		if (pair->lines > LBP_SUPPRESS_LINES ||
			(pair->count > 0 && pair->lines < LBP_SUPPRESS_LINES) ||
			(is_keyed && is_known_twice(suppress, i)))
			return false;
		due += pair->due > 0;
		counts = counts || pair->count > 0;
	}
	return due == suppress->due && counts == suppress->counts;
}
