#include "poller.h"

#include <stddef.h>

struct poller *poller_new(enum lbp_event_loop kind)
{
	return kind == LBP_EVENT_LOOP_EPOLL ? poller_epoll_new()
					    : poller_select_new();
}

void poller_free(struct poller *poller)
{
	if (poller != NULL)
		poller->ops->free(poller);
}

int poller_set(struct poller *poller, struct watch *watch, unsigned want)
{
	int rc;

	if (watch->is_watched && watch->want == want)
		return 0;
	rc = poller->ops->set(poller, watch, want);
	if (rc == 0) {
		watch->want = want;
		watch->is_watched = true;
	}
	return rc;
}

/* What it takes, the first call has taken. */
void poller_change(struct poller *poller, struct watch *watch, unsigned want)
{
	(void)poller_set(poller, watch, want);
}

void poller_stop(struct poller *poller, struct watch *watch)
{
	if (!watch->is_watched)
		return;
	poller->ops->stop(poller, watch);
	watch->want = 0;
	watch->is_watched = false;
}

void poller_forget(struct poller *poller, struct watch *watch)
{
	if (!watch->is_watched)
		return;
	poller->ops->forget(poller, watch);
	watch->want = 0;
	watch->is_watched = false;
}

int poller_wait(struct poller *poller, int timeout_ms)
{
	return poller->ops->wait(poller, timeout_ms);
}
