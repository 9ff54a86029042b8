#include "core/health_state.h"

#include "core/later.h"

void lbp_health_init(struct lbp_health *health,
	const struct lbp_health_options *options, uint64_t now_ns, uint32_t i,
	uint32_t n)
{
	/* interval * i / n exactly, without the product that may not fit */
	uint64_t whole = options->interval_ns / n * i;
	uint64_t part = options->interval_ns % n * i / n;

	*health = (struct lbp_health){
		.up = true, .due_ns = lbp_later(now_ns, whole + part)};
}

void lbp_health_inherit(struct lbp_health *health,
	const struct lbp_health_options *options, const struct lbp_health *from,
	bool keep_times)
{
	health->checking = from->checking;
	if (keep_times)
		health->due_ns = from->due_ns;
	health->lost = from->lost;
	if (from->lost)
		health->up = false;
	if (!options->enabled)
		return;
	health->up = from->up;
	health->run = from->run;
}

static enum lbp_health_change flip(struct lbp_health *health)
{
	health->run = 0;
	health->up = !health->up;
	return health->up ? LBP_HEALTH_UP : LBP_HEALTH_DOWN;
}

/* One more result that may flip the state once `needed` come in a row. */
static enum lbp_health_change count(struct lbp_health *health, uint32_t needed)
{
	health->run++;
	return health->run >= needed ? flip(health) : LBP_HEALTH_SAME;
}

enum lbp_health_change lbp_health_dialed(struct lbp_health *health,
	const struct lbp_health_options *options, bool ok)
{
	if (!options->enabled)
		return LBP_HEALTH_SAME;
	if (health->up && !ok)
		return count(health, options->fall);
	if (health->up || !ok)
		health->run = 0;
	return LBP_HEALTH_SAME;
}

enum lbp_health_change lbp_health_set_address(
	struct lbp_health *health, bool has_address)
{
	if (health->lost != has_address)
		return LBP_HEALTH_SAME;
	health->lost = !has_address;
	if (health->up != has_address)
		return flip(health);
	health->run = 0;
	return LBP_HEALTH_SAME;
}

uint64_t lbp_health_due(const struct lbp_health *health,
	const struct lbp_health_options *options)
{
	return options->enabled && !health->checking ? health->due_ns
						     : LBP_NEVER;
}

bool lbp_health_take(struct lbp_health *health,
	const struct lbp_health_options *options, uint64_t now_ns)
{
	uint64_t due_ns = lbp_health_due(health, options);
	uint64_t since_ns;

	if (due_ns == LBP_NEVER || now_ns < due_ns)
		return false;
	since_ns = (now_ns - due_ns) % options->interval_ns;
	health->due_ns = lbp_later(now_ns - since_ns, options->interval_ns);
	health->checking = true;
	return true;
}

enum lbp_health_change lbp_health_checked(struct lbp_health *health,
	const struct lbp_health_options *options, bool ok)
{
	if (!health->checking)
		return LBP_HEALTH_SAME;
	health->checking = false;
	if (options->enabled && !health->lost && !health->up && ok)
		return count(health, options->rise);
	return lbp_health_dialed(health, options, ok);
}

void lbp_health_check_dropped(struct lbp_health *health)
{
	health->checking = false;
}
