#include "core/app_look.h"

#include "core/app_state.h"

/* The number of the upstream that a session would get; LBP_NONE: none. */
static uint32_t next_of(const struct lbp_pool *pool)
{
	const struct lbp_balancer *from =
		pool->first.heap_len > 0 ? &pool->first : &pool->backup;

	return from->heap_len > 0 ? from->heap[0] : LBP_NONE;
}

/* Of an eligible one that is not the next. */
static enum lbp_choice compare(
	const struct lbp_app *app, uint32_t upstream, uint32_t next)
{
	const struct lbp_balancer_slot *slots = app->slots;
	uint64_t open = lbp_pool_open(&app->pool, upstream);
	uint64_t least = lbp_pool_open(&app->pool, next);

	if (app->pool_members[upstream].is_backup !=
		app->pool_members[next].is_backup)
		return LBP_CHOICE_BACKUP;
	return open * slots[next].weight > least * slots[upstream].weight
		       ? LBP_CHOICE_LOAD
		       : LBP_CHOICE_TURN;
}

static enum lbp_choice choice_of(const struct lbp_app *app, uint32_t upstream)
{
	const struct lbp_app_place *place = &app->places[upstream];
	const struct lbp_pool_member *member = &app->pool_members[upstream];
	uint32_t next = next_of(&app->pool);

	if (!place->serves)
		return LBP_CHOICE_REMOVED;
	if (place->health.lost)
		return LBP_CHOICE_NO_ADDRESS;
	if (!place->health.up)
		return LBP_CHOICE_DOWN;
	if (place->is_draining)
		return LBP_CHOICE_DRAINING;
	if (upstream == next)
		return LBP_CHOICE_NEXT;
	if (member->max_connections != 0 &&
		lbp_pool_open(&app->pool, upstream) >= member->max_connections)
		return LBP_CHOICE_FULL;
	return compare(app, upstream, next);
}

bool lbp_app_look_upstream(const struct lbp_app *app, uint32_t upstream,
	struct lbp_upstream_look *look)
{
	const struct lbp_app_place *place;
	const struct lbp_pool_member *member;

	if (upstream >= app->pool.len || app->places[upstream].name == NULL)
		return false;
	place = &app->places[upstream];
	member = &app->pool_members[upstream];
	*look = (struct lbp_upstream_look){
		.name = place->name,
		.user = place->user,
		.weight = app->slots[upstream].weight,
		.max_connections = member->max_connections,
		.open = lbp_pool_open(&app->pool, upstream),
		.is_backup = member->is_backup,
		.is_up = place->serves && place->health.up,
		.has_address = !place->health.lost,
		.serves = place->serves,
		.is_draining = place->is_draining,
		.choice = choice_of(app, upstream),
		.dial_failures = place->dial_failures,
		.check_failures = place->check_failures,
	};
	return true;
}

/* Of the ring's len times, which ascend, the one at this place. */
static uint64_t time_at(const struct lbp_limiter *limiter, uint32_t place)
{
	uint64_t at = (uint64_t)limiter->head + place;

	return limiter->ring[at < limiter->len ? at : at - limiter->len];
}

/* How many of them are within the window that ends now. */
static uint32_t count_admitted(
	const struct lbp_limiter *limiter, uint64_t window_ns, uint64_t now_ns)
{
	uint32_t low = 0;
	uint32_t high = limiter->len;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (now_ns - time_at(limiter, middle) < window_ns)
			high = middle;
		else
			low = middle + 1;
	}
	return limiter->len - low;
}

static uint64_t wait_for_rate(const struct lbp_limiter *limiter,
	const struct lbp_limits *limits, uint64_t now_ns)
{
	uint64_t since_ns;

	if (limits->connections == 0 || limiter->len < limits->connections)
		return 0;
	since_ns =
		now_ns - time_at(limiter, limiter->len - limits->connections);
	return since_ns < limits->window_ns ? limits->window_ns - since_ns : 0;
}

static void look_at(const struct lbp_app_member *member, uint64_t now_ns,
	struct lbp_client_look *look)
{
	const struct lbp_limiter *limiter = &member->budget->limiter;

	/* As an admission has it. */
	if (now_ns < limiter->last_ns)
		now_ns = limiter->last_ns;
	*look = (struct lbp_client_look){
		.client = member->client,
		.limits = member->limits,
		.open = limiter->open,
		.admitted = count_admitted(
			limiter, member->limits.window_ns, now_ns),
		.wait_ns = wait_for_rate(limiter, &member->limits, now_ns),
	};
}

/* The place of the first member whose client's number is not below this. */
static size_t find_from(const struct lbp_app *app, uint32_t client)
{
	size_t low = 0;
	size_t high = app->member_len;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (app->members[middle].client < client)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

uint32_t lbp_app_look_clients(const struct lbp_app *app, uint32_t first,
	uint64_t now_ns, struct lbp_client_look *looks, uint32_t max)
{
	size_t at = find_from(app, first);
	uint32_t len = 0;

	while (len < max && at < app->member_len)
		look_at(&app->members[at++], now_ns, &looks[len++]);
	return len;
}
