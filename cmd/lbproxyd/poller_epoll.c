#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "poller.h"
#include "server/memory.h"

#define BATCH 256

struct poller_epoll {
	struct poller base;
	int fd;
	struct epoll_event events[BATCH];
};

_Static_assert(
	sizeof(struct poller_epoll) <= LBP_MEMORY_POLLER, "memory.h says less");

static int tell(struct poller_epoll *poller, struct watch *watch, unsigned want)
{
	struct epoll_event event = {.data.ptr = watch};
	int op = watch->is_watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

	/* Errors are reported unasked; once, as the handler may ignore them. */
	if (want == 0)
		event.events = EPOLLET;
	if (want & POLLER_READ)
		event.events |= EPOLLIN;
	if (want & POLLER_WRITE)
		event.events |= EPOLLOUT;
	if (epoll_ctl(poller->fd, op, watch->fd, &event) != 0)
		return -1;
	watch->told = want;
	watch->is_unheard = false;
	return 0;
}

/*
 * Who does not want to read for a moment mostly wants to again before long:
 * the kernel is only told once it keeps reporting. But one can nearly always
 * write. [SRV-343].
 */
static int set(struct poller *base, struct watch *watch, unsigned want)
{
	if (watch->is_watched && (want | POLLER_READ) == watch->told)
		return 0;
	return tell((struct poller_epoll *)base, watch, want);
}

/* It was reported, and nobody wants to hear of it. */
static void hush(struct poller_epoll *poller, struct watch *watch)
{
	if (watch->is_unheard)
		(void)tell(poller, watch, watch->want);
	else
		watch->is_unheard = true;
}

static void stop(struct poller *base, struct watch *watch)
{
	struct poller_epoll *poller = (struct poller_epoll *)base;

	epoll_ctl(poller->fd, EPOLL_CTL_DEL, watch->fd, NULL);
}

static void forget(struct poller *base, struct watch *watch)
{
	/* Closing the descriptor removes it. */
	(void)base;
	(void)watch;
}

static unsigned readiness(uint32_t events)
{
	unsigned ready = 0;

	if (events & EPOLLIN)
		ready |= POLLER_READ;
	if (events & EPOLLOUT)
		ready |= POLLER_WRITE;
	if (events & (EPOLLERR | EPOLLHUP))
		ready |= POLLER_READ | POLLER_WRITE;
	if (events & EPOLLERR)
		ready |= POLLER_ERROR;
	return ready;
}

/* Returns true if there was something to do. */
static bool report(
	struct poller_epoll *poller, struct watch *watch, unsigned ready)
{
	/* An earlier handler may have stopped this watch. */
	if (!watch->is_watched)
		return false;
	if ((ready & watch->told & ~watch->want) != 0)
		hush(poller, watch);
	else
		watch->is_unheard = false;
	ready &= watch->want | POLLER_ERROR;
	if (ready != 0)
		watch->ready(watch, ready);
	return ready != 0;
}

static int wait_for(struct poller *base, int timeout_ms)
{
	struct poller_epoll *poller = (struct poller_epoll *)base;
	int n = epoll_wait(poller->fd, poller->events, BATCH, timeout_ms);
	int told = 0;
	int i;

	if (n < 0)
		return errno == EINTR ? 0 : -1;
	for (i = 0; i < n; i++)
		told += report(poller, poller->events[i].data.ptr,
			readiness(poller->events[i].events));
	return told;
}

static void free_epoll(struct poller *base)
{
	struct poller_epoll *poller = (struct poller_epoll *)base;

	close(poller->fd);
	free(poller);
}

static const struct poller_ops ops = {set, stop, forget, wait_for, free_epoll};

struct poller *poller_epoll_new(void)
{
	struct poller_epoll *poller = calloc(1, sizeof(*poller));

	if (poller == NULL)
		return NULL;
	poller->base.ops = &ops;
	poller->fd = epoll_create1(EPOLL_CLOEXEC);
	if (poller->fd < 0) {
		free(poller);
		return NULL;
	}
	return &poller->base;
}

int poller_epoll_fd(const struct poller *poller)
{
	return ((const struct poller_epoll *)poller)->fd;
}
