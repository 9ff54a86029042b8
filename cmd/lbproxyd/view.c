#include "view.h"

#include <stdlib.h>

struct view *view_new(const struct served_change *served)
{
	struct view *view = calloc(1, sizeof(*view));

	if (view == NULL)
		return NULL;
	atomic_init(&view->holders, 1);
	view->apps = calloc(served->app_len + 1, sizeof(struct served_app *));
	if (view->apps == NULL) {
		view_release(view);
		return NULL;
	}
	while (view->len < served->app_len) {
		view->apps[view->len] =
			served_app_hold(served->apps[view->len]);
		view->len++;
	}
	return view;
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
	free(view->apps);
	free(view);
}

static bool is_ready(struct served_app *app)
{
	bool ready;

	pthread_mutex_lock(&app->lock);
	ready = lbp_app_is_ready(app->app);
	pthread_mutex_unlock(&app->lock);
	return ready;
}

const char *view_waits_for(const struct view *view)
{
	size_t i;

	for (i = 0; i < view->len; i++) {
		if (!is_ready(view->apps[i]))
			return lbp_app_id(view->apps[i]->app);
	}
	return NULL;
}
