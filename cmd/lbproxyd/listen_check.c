/* Listeners that conflict. [CFG-40]. */
#include <stdlib.h>
#include <string.h>

#include "listen.h"

/* An address that a key of the configuration claims. */
struct claim {
	const union address *address;
	const struct lbp_config_address *from;
	const char *key;
};

static int compare_numbers(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

/* The port is at the same place in both families. */
static int compare_groups(const struct claim *a, const struct claim *b)
{
	int order = compare_numbers(
		a->address->sa.sa_family, b->address->sa.sa_family);

	return order != 0 ? order
			  : compare_numbers(a->address->in.sin_port,
				    b->address->in.sin_port);
}

static const void *host_bytes(const union address *address, size_t *len)
{
	bool is_v4 = address->sa.sa_family == AF_INET;

	*len = is_v4 ? sizeof(address->in.sin_addr)
		     : sizeof(address->in6.sin6_addr);
	return is_v4 ? (const void *)&address->in.sin_addr
		     : (const void *)&address->in6.sin6_addr;
}

/* For one family; the wildcard address sorts first. */
static int compare_hosts(const union address *a, const union address *b)
{
	size_t len;
	const void *bytes = host_bytes(a, &len);

	return memcmp(bytes, host_bytes(b, &len), len);
}

static bool is_for_all(const union address *address)
{
	static const union address none;
	size_t len;
	const void *bytes = host_bytes(address, &len);

	return memcmp(bytes, &none, len) == 0;
}

static int compare_places(const struct claim *a, const struct claim *b)
{
	int order = compare_numbers(a->from->pos.line, b->from->pos.line);

	return order != 0 ? order
			  : compare_numbers(
				    a->from->pos.column, b->from->pos.column);
}

static int compare_claims(const void *x, const void *y)
{
	const struct claim *a = x;
	const struct claim *b = y;
	int order = compare_groups(a, b);

	if (order == 0)
		order = compare_hosts(a->address, b->address);
	return order != 0 ? order : compare_places(a, b);
}

/* Reports two conflicting claims, at the place of the later one. */
static void report(
	const struct claim *a, const struct claim *b, struct problems *problems)
{
	const struct claim *first = compare_places(a, b) < 0 ? a : b;
	const struct claim *second = first == a ? b : a;
	char taken[ADDRESS_TEXT_MAX];
	char text[ADDRESS_TEXT_MAX];

	problem(problems, second->from->pos,
		"%s: '%s' is %s, but %s is already listened on (line %u); "
		"accepted: addresses that do not conflict",
		second->key, second->from->host,
		address_text(second->address, text),
		address_text(first->address, taken), first->from->pos.line);
}

static void check(
	const struct claim *claims, size_t len, struct problems *problems)
{
	const struct claim *group = claims;
	size_t i;

	for (i = 1; i < len; i++) {
		const struct claim *claim = &claims[i];

		if (compare_groups(group, claim) != 0)
			group = claim;
		else if (compare_hosts(claim[-1].address, claim->address) == 0)
			report(&claim[-1], claim, problems);
		else if (is_for_all(group->address))
			report(group, claim, problems);
	}
}

/* Counts the claims of the listed addresses, and writes them to claims. */
static size_t claim(struct claim *claims, const struct addresses *addresses,
	const struct lbp_config_address *from, const char *key)
{
	size_t i;

	for (i = 0; claims != NULL && i < addresses->len; i++)
		claims[i] = (struct claim){&addresses->items[i], from, key};
	return addresses->len;
}

/* The same for all listeners and the admin port; claims may be NULL. */
static size_t claim_all(struct claim *claims, const struct snapshot *snapshot)
{
	const struct lbp_config *config = snapshot->config;
	size_t len =
		claim(claims, &snapshot->admin, &config->admin, "server.admin");
	size_t a, i;

	for (a = 0; a < config->app_len; a++) {
		const struct snapshot_app *app = &snapshot->apps[a];

		for (i = 0; i < app->config->listen_len; i++)
			len += claim(claims == NULL ? NULL : claims + len,
				&app->listen[i], &app->config->listen[i],
				"app.listen");
	}
	return len;
}

bool listen_check(const struct snapshot *snapshot, struct problems *problems)
{
	size_t len = claim_all(NULL, snapshot);
	struct claim *claims = calloc(len + 1, sizeof(*claims));

	if (claims == NULL)
		return false;
	claim_all(claims, snapshot);
	qsort(claims, len, sizeof(*claims), compare_claims);
	check(claims, len, problems);
	free(claims);
	return true;
}
