#include <errno.h>
#include <stdlib.h>
#include <sys/select.h>

#include "poller.h"

struct poller_select {
	struct poller base;
	struct watch *watches[FD_SETSIZE]; /* by descriptor */
	int fd_end;                        /* no watched descriptor above */
	fd_set reads;
	fd_set writes;
	fd_set ready_reads; /* of the wait that is going on */
	fd_set ready_writes;
};

static int set(struct poller *base, struct watch *watch, unsigned want)
{
	struct poller_select *poller = (struct poller_select *)base;

	if (watch->fd >= FD_SETSIZE) {
		errno = ERANGE;
		return -1;
	}
	FD_CLR(watch->fd, &poller->reads);
	FD_CLR(watch->fd, &poller->writes);
	if (want & POLLER_READ)
		FD_SET(watch->fd, &poller->reads);
	if (want & POLLER_WRITE)
		FD_SET(watch->fd, &poller->writes);
	/* What is still to come was said of a descriptor that is gone. */
	if (want == 0) {
		FD_CLR(watch->fd, &poller->ready_reads);
		FD_CLR(watch->fd, &poller->ready_writes);
	}
	poller->watches[watch->fd] = want == 0 ? NULL : watch;
	if (want != 0 && watch->fd >= poller->fd_end)
		poller->fd_end = watch->fd + 1;
	while (poller->fd_end > 0 &&
		poller->watches[poller->fd_end - 1] == NULL)
		poller->fd_end--;
	return 0;
}

static void forget(struct poller *base, struct watch *watch)
{
	(void)set(base, watch, 0);
}

static int wait_for(struct poller *base, int timeout_ms)
{
	struct poller_select *poller = (struct poller_select *)base;
	struct timeval timeout = {.tv_sec = timeout_ms / 1000,
		.tv_usec = (timeout_ms % 1000) * 1000};
	int end = poller->fd_end;
	int n, fd;

	poller->ready_reads = poller->reads;
	poller->ready_writes = poller->writes;
	n = select(end, &poller->ready_reads, &poller->ready_writes, NULL,
		timeout_ms < 0 ? NULL : &timeout);
	if (n < 0)
		return errno == EINTR ? 0 : -1;
	for (fd = 0; n > 0 && fd < end; fd++) {
		struct watch *watch = poller->watches[fd];
		unsigned ready = 0;

		if (FD_ISSET(fd, &poller->ready_reads))
			ready |= POLLER_READ;
		if (FD_ISSET(fd, &poller->ready_writes))
			ready |= POLLER_WRITE;
		/* A handler before this one may have lost interest. */
		if (watch != NULL && (ready &= watch->want) != 0)
			watch->ready(watch, ready);
	}
	return 0;
}

static void free_select(struct poller *base)
{
	free(base);
}

static const struct poller_ops ops = {
	.set = set, .forget = forget, .wait = wait_for, .free = free_select};

struct poller *poller_select_new(void)
{
	struct poller_select *poller = calloc(1, sizeof(*poller));

	if (poller == NULL)
		return NULL;
	poller->base.ops = &ops;
	FD_ZERO(&poller->reads);
	FD_ZERO(&poller->writes);
	return &poller->base;
}
