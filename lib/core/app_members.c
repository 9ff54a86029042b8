#include <stdlib.h>

#include "core/app_state.h"

static int compare_members(const void *a, const void *b)
{
	uint32_t x = ((const struct lbp_app_member *)a)->client;
	uint32_t y = ((const struct lbp_app_member *)b)->client;

	return (x > y) - (x < y);
}

static struct lbp_app_member *find(
	struct lbp_app_member *list, size_t len, uint32_t client)
{
	struct lbp_app_member key = {.client = client};

	return bsearch(&key, list, len, sizeof(*list), compare_members);
}

/* Zeroed; one more than needed, for calloc of nothing may return NULL. */
static void *make_array(size_t len, size_t size)
{
	return calloc(len + 1, size);
}

static void free_budget(struct lbp_app_budget *budget)
{
	if (budget == NULL)
		return;
	free(budget->limiter.ring);
	free(budget->spare);
	free(budget);
}

static void free_budgets(const struct lbp_app *app,
	const struct lbp_app_member *members, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (app->owns == LBP_APP_OWNS_ALL || !members[i].is_shared)
			free_budget(members[i].budget);
	}
}

static void free_replaced(const struct lbp_app_change *change)
{
	for (size_t i = 0; i < change->renewal_len; i++)
		free_budget(change->renewals[i].from);
	for (size_t i = 0; i < change->left_len; i++)
		free_budget(change->left[i]);
}

void lbp_app_free_members(struct lbp_app *app)
{
	struct lbp_app_change *change = &app->change;

	if (app->owns == LBP_APP_OWNS_NONE) {
		free_replaced(change);
	} else {
		free_budgets(app, app->members, app->member_len);
		free_budgets(app, app->former, app->former_len);
	}
	free(change->renewals);
	free(change->left);
	free(app->members);
	free(app->former);
}

/* A budget with a ring; without a rate, there is none. */
static bool make_budget(struct lbp_app_member *member)
{
	struct lbp_app_budget *budget = calloc(1, sizeof(*budget));
	uint64_t *ring = NULL;

	if (budget == NULL)
		return false;
	member->budget = budget;
	if (member->limits.connections > 0) {
		ring = calloc(member->limits.connections, sizeof(*ring));
		if (ring == NULL)
			return false;
	}
	member->room = member->limits.connections;
	lbp_limiter_init(&budget->limiter, &member->limits, ring);
	return true;
}

static void list_renewal(struct lbp_app *app,
	const struct lbp_app_member *member, const struct lbp_app_member *from,
	bool was_removed)
{
	app->change.renewals[app->change.renewal_len++] =
		(struct lbp_app_renewal){.budget = member->budget,
			.from = from->budget,
			.was_removed = was_removed};
}

/*
 * A rate above all before: the ring will not do. The new budget has the larger
 * one to spare, and the commit gives it the ring that is in use.
 */
static bool raise_rate(struct lbp_app *app, struct lbp_app_member *member,
	const struct lbp_app_member *from)
{
	struct lbp_app_budget *budget;

	if (!make_budget(member))
		return false;
	budget = member->budget;
	budget->spare = budget->limiter.ring;
	budget->spare_room = budget->limiter.room;
	budget->limiter.ring = NULL;
	list_renewal(app, member, from, false);
	return true;
}

/* A client that is granted the application, now that it was from->members. */
static bool keep_member(struct lbp_app *app, struct lbp_app_member *member,
	const struct lbp_app_member *from)
{
	if (member->limits.connections > from->room)
		return raise_rate(app, member, from);
	member->budget = from->budget;
	member->room = from->room;
	member->is_shared = true;
	return true;
}

/* One that is granted it again, and may have sessions open. */
static bool return_member(struct lbp_app *app, struct lbp_app_member *member,
	const struct lbp_app_member *from)
{
	if (!make_budget(member))
		return false;
	list_renewal(app, member, from, true);
	return true;
}

static bool fill_member(struct lbp_app *app, const struct lbp_app *from,
	struct lbp_app_member *member)
{
	const struct lbp_app_member *known = NULL;
	const struct lbp_app_member *former = NULL;

	if (from != NULL) {
		known = find(from->members, from->member_len, member->client);
		former = find(from->former, from->former_len, member->client);
	}
	if (known != NULL && from->acl != NULL)
		return keep_member(app, member, known);
	if (known != NULL || former != NULL)
		return return_member(
			app, member, known != NULL ? known : former);
	return make_budget(member);
}

/* Those of a list who may not enter any more. */
static void list_former(
	struct lbp_app *app, const struct lbp_app_member *list, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		struct lbp_app_member *former = &app->former[app->former_len];

		if (find(app->members, app->member_len, list[i].client) != NULL)
			continue;
		*former = list[i];
		former->is_shared = true;
		app->former_len++;
	}
}

static enum lbp_err fill_members(struct lbp_app *app,
	const struct lbp_app *from, const struct lbp_acl_grant *grants,
	size_t len)
{
	for (size_t i = 0; i < len; i++) {
		struct lbp_app_member *member = &app->members[i];

		member->client = grants[i].client;
		member->limits = grants[i].limits;
		app->member_len++;
		if (!fill_member(app, from, member))
			return LBP_ERR_NOMEM;
	}
	if (from == NULL)
		return LBP_OK;
	list_former(app, from->members, from->member_len);
	list_former(app, from->former, from->former_len);
	qsort(app->former, app->former_len, sizeof(*app->former),
		compare_members);
	for (size_t i = 0; i < app->former_len; i++)
		app->change.left[i] = app->former[i].budget;
	app->change.left_len = app->former_len;
	return LBP_OK;
}

enum lbp_err lbp_app_make_members(
	struct lbp_app *app, const struct lbp_app *from)
{
	struct lbp_app_change *change = &app->change;
	size_t before = from == NULL ? 0 : from->member_len + from->former_len;
	size_t len;
	const struct lbp_acl_grant *grants =
		lbp_acl_grants(app->acl, app->number, &len);

	if (grants == NULL)
		return LBP_ERR_APP_NUMBER;
	app->members = make_array(len, sizeof(*app->members));
	app->former = make_array(before, sizeof(*app->former));
	change->renewals = make_array(before, sizeof(*change->renewals));
	change->left = make_array(before, sizeof(struct lbp_app_budget *));
	if (!app->members || !app->former || !change->renewals || !change->left)
		return LBP_ERR_NOMEM;
	return fill_members(app, from, grants, len);
}

/*
 * Moves to a ring that a higher rate needs. It is left to the next admission
 * because there may be much in the ring, and in those of all clients more than
 * a commit has time for.
 */
static void move_ring(struct lbp_app_budget *budget)
{
	struct lbp_limits limits = {.connections = budget->spare_room};
	struct lbp_limiter before = budget->limiter;

	lbp_limiter_init(&budget->limiter, &limits, budget->spare);
	lbp_limiter_inherit(&budget->limiter, &before);
	budget->spare = before.ring;
}

struct lbp_app_budget *lbp_app_budget_to_enter(
	const struct lbp_app *app, uint32_t client)
{
	const struct lbp_app_member *member =
		find(app->members, app->member_len, client);
	struct lbp_app_budget *budget;

	if (member == NULL || app->acl == NULL)
		return NULL;
	budget = member->budget;
	if (budget->spare_room > budget->limiter.room)
		move_ring(budget);
	lbp_limiter_set_limits(&budget->limiter, &member->limits);
	return budget;
}

struct lbp_app_budget *lbp_app_budget(
	const struct lbp_app *app, uint32_t client)
{
	const struct lbp_app_member *member =
		find(app->members, app->member_len, client);

	if (member == NULL)
		member = find(app->former, app->former_len, client);
	return member == NULL ? NULL : member->budget;
}

static void renew(const struct lbp_app_renewal *renewal)
{
	struct lbp_limiter *limiter = &renewal->budget->limiter;
	struct lbp_limiter *from = &renewal->from->limiter;

	if (!renewal->was_removed) {
		*limiter = *from;
		from->ring = NULL;
	} else if (from->open > 0) {
		limiter->open = from->open;
		limiter->last_ns = from->last_ns;
	}
}

void lbp_app_commit_members(struct lbp_app *next)
{
	struct lbp_app_change *change = &next->change;
	size_t kept = 0;

	for (size_t i = 0; i < change->renewal_len; i++)
		renew(&change->renewals[i]);
	for (size_t i = 0; i < next->former_len; i++) {
		if (change->left[i]->limiter.open == 0)
			continue;
		change->left[i] = NULL;
		next->former[kept++] = next->former[i];
	}
	next->former_len = kept;
}
