#include "view.h"

#include <stdlib.h>
#include <string.h>

static bool copy_apps(struct view *view, const struct served_change *served)
{
	view->apps = calloc(served->app_len + 1, sizeof(struct served_app *));
	if (view->apps == NULL)
		return false;
	while (view->len < served->app_len) {
		view->apps[view->len] =
			served_app_hold(served->apps[view->len]);
		view->len++;
	}
	return true;
}

/* Their keys are static, their files the configuration's. */
static bool copy_expiring(struct view *view, const struct notices *notices)
{
	size_t len = notices->expiring_len;
	size_t i;

	view->expiring = calloc(len + 1, sizeof(*view->expiring));
	view->files = calloc(len + 1, sizeof(char *));
	if (view->expiring == NULL || view->files == NULL)
		return false;
	for (i = 0; i < len; i++)
		view->expiring[i] = notices->expiring[i];
	len = lbp_expiring_sort(view->expiring, len);
	for (i = 0; i < len; i++) {
		view->files[i] = strdup(view->expiring[i].file);
		if (view->files[i] == NULL)
			return false;
		view->expiring[i].file = view->files[i];
		view->expiring_len++;
	}
	return true;
}

struct view *view_new(const struct served_change *served,
	const struct snapshot *snapshot, uint64_t generation)
{
	struct view *view = calloc(1, sizeof(*view));

	if (view == NULL)
		return NULL;
	atomic_init(&view->holders, 1);
	view->generation = generation;
	if (copy_apps(view, served) && copy_expiring(view, &snapshot->notices))
		return view;
	view_release(view);
	return NULL;
}

struct view *view_hold(struct view *view)
{
	atomic_fetch_add_explicit(&view->holders, 1, memory_order_relaxed);
	return view;
}

void view_release(struct view *view)
{
	size_t i;

	if (view == NULL || atomic_fetch_sub(&view->holders, 1) > 1)
		return;
	for (i = 0; i < view->len; i++)
		served_app_release(view->apps[i]);
	for (i = 0; i < view->expiring_len; i++)
		free(view->files[i]);
	free(view->files);
	free(view->expiring);
	free(view->apps);
	free(view);
}

const char *view_waits_for(const struct view *view)
{
	size_t i;

	for (i = 0; i < view->len; i++) {
		if (!served_app_is_ready(view->apps[i]))
			return view->apps[i]->id;
	}
	return NULL;
}
