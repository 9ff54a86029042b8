#include "server/config_diff.h"

#include <stdlib.h>
#include <string.h>

struct both {
	const struct lbp_config *before;
	const struct lbp_config *after;
};

/* Things of one kind. */
struct kind {
	int (*compare)(const void *a, const void *b); /* by id, of pointers */
	bool (*is_same)(const struct both *both, const void *a, const void *b);
	/* Called for two with the same id; NULL: nothing more to do. */
	enum lbp_err (*go_on)(struct lbp_config_diff *diff,
		const struct both *both, const void *a, const void *b);
};

struct job {
	struct lbp_config_diff *diff;
	struct lbp_config_count *count;
	const struct kind *kind;
	const struct both *both;
};

/* Pointers to the items of an array, which are size bytes each. */
struct list {
	const void **items;
	size_t len;
};

static enum lbp_err list_init(struct list *list, const void *items, size_t len,
	size_t size, int (*compare)(const void *, const void *))
{
	const char *at = items;

	list->len = len;
	list->items = malloc((len + 1) * sizeof(*list->items));
	if (list->items == NULL)
		return LBP_ERR_NOMEM;
	for (size_t i = 0; i < len; i++)
		list->items[i] = at + i * size;
	qsort(list->items, len, sizeof(*list->items), compare);
	return LBP_OK;
}

static enum lbp_err compare_two(
	const struct job *job, const void *before, const void *after)
{
	job->count->changed += !job->kind->is_same(job->both, before, after);
	if (job->kind->go_on == NULL)
		return LBP_OK;
	return job->kind->go_on(job->diff, job->both, before, after);
}

/* Where the next item of two sorted lists is: before, after or in both. */
static int order_of(const struct job *job, const struct list *before, size_t b,
	const struct list *after, size_t a)
{
	if (b == before->len)
		return 1;
	if (a == after->len)
		return -1;
	return job->kind->compare(&before->items[b], &after->items[a]);
}

static enum lbp_err merge(const struct job *job, const struct list *before,
	const struct list *after)
{
	enum lbp_err err = LBP_OK;
	size_t b = 0;
	size_t a = 0;

	while (err == LBP_OK && (b < before->len || a < after->len)) {
		int order = order_of(job, before, b, after, a);

		if (order < 0)
			job->count->removed++;
		else if (order > 0)
			job->count->added++;
		else
			err = compare_two(
				job, before->items[b], after->items[a]);
		b += order <= 0;
		a += order >= 0;
	}
	return err;
}

/* Arrays of things of one kind. */
struct pair {
	const void *before;
	size_t before_len;
	const void *after;
	size_t after_len;
	size_t size;
};

static enum lbp_err count_all(const struct job *job, const struct pair *pair)
{
	int (*compare)(const void *, const void *) = job->kind->compare;
	struct list before = {0};
	struct list after = {0};
	enum lbp_err err = list_init(
		&before, pair->before, pair->before_len, pair->size, compare);

	if (err == LBP_OK)
		err = list_init(&after, pair->after, pair->after_len,
			pair->size, compare);
	if (err == LBP_OK)
		err = merge(job, &before, &after);
	free(before.items);
	free(after.items);
	return err;
}

/* --- what is the same --- */

static bool is_same_text(
	const struct lbp_config_text *a, const struct lbp_config_text *b)
{
	if (a->ptr == NULL || b->ptr == NULL)
		return a->ptr == b->ptr;
	return strcmp(a->ptr, b->ptr) == 0;
}

static bool is_same_limits(
	const struct lbp_limits *a, const struct lbp_limits *b)
{
	return a->concurrent == b->concurrent &&
	       a->connections == b->connections && a->window_ns == b->window_ns;
}

static bool is_same_health(
	const struct lbp_health_options *a, const struct lbp_health_options *b)
{
	return a->enabled == b->enabled && a->interval_ns == b->interval_ns &&
	       a->timeout_ns == b->timeout_ns && a->rise == b->rise &&
	       a->fall == b->fall;
}

static bool is_same_address(
	const struct lbp_config_address *a, const struct lbp_config_address *b)
{
	return a->port == b->port && strcmp(a->host, b->host) == 0;
}

static int compare_upstreams(const void *a, const void *b)
{
	const struct lbp_config_upstream *const *x = a;
	const struct lbp_config_upstream *const *y = b;

	return strcmp((*x)->url.ptr, (*y)->url.ptr);
}

static bool is_same_upstream(
	const struct both *both, const void *a, const void *b)
{
	const struct lbp_config_upstream *x = a;
	const struct lbp_config_upstream *y = b;

	(void)both;
	return x->weight == y->weight &&
	       x->max_connections == y->max_connections &&
	       x->backup == y->backup && is_same_text(&x->ca, &y->ca) &&
	       is_same_text(&x->server_name, &y->server_name) &&
	       is_same_text(&x->certificate, &y->certificate) &&
	       is_same_text(&x->private_key, &y->private_key);
}

static int compare_apps(const void *a, const void *b)
{
	const struct lbp_config_app *const *x = a;
	const struct lbp_config_app *const *y = b;

	return strcmp((*x)->id.ptr, (*y)->id.ptr);
}

static bool is_same_listen(
	const struct lbp_config_app *a, const struct lbp_config_app *b)
{
	if (a->listen_len != b->listen_len)
		return false;
	for (size_t i = 0; i < a->listen_len; i++) {
		if (!is_same_address(&a->listen[i], &b->listen[i]))
			return false;
	}
	return true;
}

static bool is_same_timeouts(const struct lbp_config_timeouts *a,
	const struct lbp_config_timeouts *b)
{
	return a->connect_ns == b->connect_ns && a->idle_ns == b->idle_ns &&
	       a->lifetime_ns == b->lifetime_ns;
}

static bool are_same_networks(
	const struct lbp_config_app *a, const struct lbp_config_app *b)
{
	if (a->accept_proxy_len != b->accept_proxy_len)
		return false;
	for (size_t i = 0; i < a->accept_proxy_len; i++) {
		const struct lbp_network *x = &a->accept_proxy[i];
		const struct lbp_network *y = &b->accept_proxy[i];

		if (x->bits != y->bits ||
			memcmp(&x->ip, &y->ip, sizeof(x->ip)) != 0)
			return false;
	}
	return true;
}

static bool is_same_alpn(const struct lbp_alpn *a, const struct lbp_alpn *b)
{
	return a->len == b->len && memcmp(a->list, b->list, a->len) == 0;
}

static bool is_same_app(const struct both *both, const void *a, const void *b)
{
	const struct lbp_config_app *x = a;
	const struct lbp_config_app *y = b;

	(void)both;
	return x->proxy_protocol == y->proxy_protocol &&
	       are_same_networks(x, y) && is_same_alpn(&x->alpn, &y->alpn) &&
	       is_same_timeouts(&x->timeouts, &y->timeouts) &&
	       x->unclean_end == y->unclean_end &&
	       is_same_limits(&x->limits, &y->limits) &&
	       is_same_health(&x->health, &y->health) && is_same_listen(x, y);
}

static enum lbp_err count_upstreams(struct lbp_config_diff *diff,
	const struct both *both, const void *a, const void *b)
{
	static const struct kind kind = {
		compare_upstreams, is_same_upstream, NULL};
	const struct lbp_config_app *x = a;
	const struct lbp_config_app *y = b;
	const struct pair pair = {x->upstreams, x->upstream_len, y->upstreams,
		y->upstream_len, sizeof(*x->upstreams)};

	return count_all(
		&(struct job){diff, &diff->upstreams, &kind, both}, &pair);
}

static int compare_clients(const void *a, const void *b)
{
	const struct lbp_config_client *const *x = a;
	const struct lbp_config_client *const *y = b;

	return strcmp((*x)->id.ptr, (*y)->id.ptr);
}

/* Applications are numbered anew by each configuration; their ids count. */
static bool is_same_grant(const struct both *both,
	const struct lbp_config_grant *a, const struct lbp_config_grant *b)
{
	return strcmp(both->before->apps[a->app].id.ptr,
		       both->after->apps[b->app].id.ptr) == 0 &&
	       is_same_limits(&a->limits, &b->limits);
}

/* So are CAs. */
static bool are_same_serials(const struct both *both,
	const struct lbp_config_client *a, const struct lbp_config_client *b)
{
	if (a->serial_len != b->serial_len)
		return false;
	for (size_t i = 0; i < a->serial_len; i++) {
		const struct lbp_config_serial *x = &a->serials[i];
		const struct lbp_config_serial *y = &b->serials[i];

		if (lbp_serial_compare(&x->serial, &y->serial) != 0 ||
			!is_same_text(&both->before->cas[x->ca].id,
				&both->after->cas[y->ca].id))
			return false;
	}
	return true;
}

static bool are_same_texts(const struct lbp_config_text *a, size_t a_len,
	const struct lbp_config_text *b, size_t b_len)
{
	if (a_len != b_len)
		return false;
	for (size_t i = 0; i < a_len; i++) {
		if (!is_same_text(&a[i], &b[i]))
			return false;
	}
	return true;
}

static bool is_same_client(
	const struct both *both, const void *a, const void *b)
{
	const struct lbp_config_client *x = a;
	const struct lbp_config_client *y = b;

	if (x->grant_len != y->grant_len || !are_same_serials(both, x, y) ||
		!are_same_texts(x->uris, x->uri_len, y->uris, y->uri_len) ||
		!are_same_texts(x->dns, x->dns_len, y->dns, y->dns_len))
		return false;
	for (size_t i = 0; i < x->grant_len; i++) {
		if (!is_same_grant(both, &x->grants[i], &y->grants[i]))
			return false;
	}
	return true;
}

enum lbp_err lbp_config_diff(struct lbp_config_diff *diff,
	const struct lbp_config *before, const struct lbp_config *after)
{
	static const struct kind apps = {
		compare_apps, is_same_app, count_upstreams};
	static const struct kind clients = {
		compare_clients, is_same_client, NULL};
	const struct pair app_pair = {before->apps, before->app_len,
		after->apps, after->app_len, sizeof(*before->apps)};
	const struct pair client_pair = {before->clients, before->client_len,
		after->clients, after->client_len, sizeof(*before->clients)};
	const struct both both = {before, after};
	struct lbp_config_diff zero = {0};
	enum lbp_err err;

	*diff = zero;
	err = count_all(
		&(struct job){diff, &diff->apps, &apps, &both}, &app_pair);
	if (err != LBP_OK)
		return err;
	return count_all(&(struct job){diff, &diff->clients, &clients, &both},
		&client_pair);
}
