#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "poller.h"

#define BATCH 256

struct poller_epoll {
	struct poller base;
	int fd;
	struct epoll_event events[BATCH];
};

static int set(struct poller *base, struct watch *watch, unsigned want)
{
	struct poller_epoll *poller = (struct poller_epoll *)base;
	struct epoll_event event = {.data.ptr = watch};
	int op = watch->is_watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

	/* Errors are reported unasked; once, as the handler may ignore them. */
	if (want == 0)
		event.events = EPOLLET;
	if (want & POLLER_READ)
		event.events |= EPOLLIN;
	if (want & POLLER_WRITE)
		event.events |= EPOLLOUT;
	return epoll_ctl(poller->fd, op, watch->fd, &event);
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

static int wait_for(struct poller *base, int timeout_ms)
{
	struct poller_epoll *poller = (struct poller_epoll *)base;
	int n = epoll_wait(poller->fd, poller->events, BATCH, timeout_ms);
	int i;

	if (n < 0)
		return errno == EINTR ? 0 : -1;
	for (i = 0; i < n; i++) {
		struct watch *watch = poller->events[i].data.ptr;
		unsigned ready = readiness(poller->events[i].events);

		/* An earlier handler may have stopped this watch. */
		ready &= watch->want | POLLER_ERROR;
		if (ready != 0 && watch->is_watched)
			watch->ready(watch, ready);
	}
	return n;
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
