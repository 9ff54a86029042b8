/* epoll, select and poll. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "calls.h"
#include "inside.h"

#define ITEMS_MAX  FDS_MAX
#define EPOLLS_MAX 16

struct item {
	int fd;
	uint32_t events;
	epoll_data_t data;
	bool has_edge; /* EPOLLET: something came that was not told yet */
	unsigned edge;
	unsigned reports; /* since it was told what to report */
};

struct epoll {
	bool is_used;
	struct item items[ITEMS_MAX];
	unsigned len;
	unsigned next; /* who is looked at first */
};

static struct epoll epolls[EPOLLS_MAX];

static bool has_event(const void *object);

unsigned kernel_readiness(int fd)
{
	const struct file *file = kernel_file(fd);

	switch (file->kind) {
	case FILE_EVENT:
		return (file->count > 0 ? POLLIN : 0u) | POLLOUT;
	case FILE_SOCKET:
		return net_readiness(file->sock);
	case FILE_LOG:
		return log_readiness();
	case FILE_EPOLL:
		return has_event(file->epoll) ? POLLIN : 0u;
	default:
		return POLLIN | POLLOUT;
	}
}

/* --- epoll --- */

int kernel_epoll_create1(int flags)
{
	unsigned i;
	int fd;

	(void)flags;
	if (kernel_fails(FAULT(EMFILE, ENFILE, ENOMEM)))
		return -1;
	fd = kernel_new_fd(FILE_EPOLL);
	if (fd < 0)
		return -1;
	for (i = 0; i < EPOLLS_MAX && epolls[i].is_used; i++)
		continue;
	if (i == EPOLLS_MAX)
		abort();
	epolls[i].is_used = true;
	epolls[i].len = epolls[i].next = 0;
	kernel.files[fd].epoll = &epolls[i];
	return fd;
}

void kernel_poll_forget(int fd)
{
	if (kernel.files[fd].epoll != NULL)
		kernel.files[fd].epoll->is_used = false;
	for (unsigned e = 0; e < EPOLLS_MAX; e++) {
		struct epoll *epoll = &epolls[e];

		for (unsigned i = 0; epoll->is_used && i < epoll->len; i++) {
			if (epoll->items[i].fd != fd)
				continue;
			/* Somebody else may have it open, too. */
			ORACLE("ACT-6", !net_listens(fd),
				"listener %d is closed and watched", fd);
			epoll->items[i--] = epoll->items[--epoll->len];
		}
	}
}

static struct epoll *get_epoll(int fd)
{
	struct file *file = kernel_file(fd);

	ORACLE("SRV-54", file->kind == FILE_EPOLL, "fd %d is no epoll", fd);
	return file->epoll;
}

int kernel_epoll_ctl(int number, int what, int fd, struct epoll_event *event)
{
	struct epoll *epoll = get_epoll(number);
	struct item *item = epoll->items;
	struct item *end = epoll->items + epoll->len;
	int error = what == EPOLL_CTL_ADD ? FAULT(ENOMEM, ENOSPC) : 0;

	(void)kernel_file(fd);
	if (kernel_fails(error))
		return -1;
	while (item < end && item->fd != fd)
		item++;
	ORACLE("SRV-54", (what == EPOLL_CTL_ADD) == (item == end),
		"fd %d is watched twice, or not", fd);
	if (what == EPOLL_CTL_DEL) {
		*item = epoll->items[--epoll->len];
		return 0;
	}
	/* Other than a pause in reading, which is mostly a short one. */
	ORACLE("SRV-343",
		item == end || item->reports > 1 ||
			(item->events & EPOLLIN) == 0 ||
			((item->events ^ event->events) & EPOLLOUT) != 0 ||
			(event->events & EPOLLIN) != 0,
		"fd %d is not to be read after %u reports", fd, item->reports);
	epoll->len += item == end;
	*item = (struct item){.fd = fd,
		.events = event->events,
		.data = event->data,
		.has_edge = true,
		.edge = kernel.files[fd].edge};
	return 0;
}

static unsigned item_readiness(struct item *item)
{
	unsigned ready = kernel_readiness(item->fd);

	if (item->edge != kernel.files[item->fd].edge) {
		item->edge = kernel.files[item->fd].edge;
		item->has_edge = true;
	}
	ready &= item->events | EPOLLERR | EPOLLHUP;
	return (item->events & EPOLLET) != 0 && !item->has_edge ? 0 : ready;
}

static bool has_event(const void *object)
{
	struct epoll *epoll = (struct epoll *)(uintptr_t)object;

	for (unsigned i = 0; i < epoll->len; i++) {
		if (item_readiness(&epoll->items[i]) != 0)
			return true;
	}
	return false;
}

static uint64_t until(int timeout_ms)
{
	return timeout_ms < 0
		       ? KERNEL_NEVER
		       : kernel.now_ns + (uint64_t)timeout_ms * KERNEL_MS;
}

int kernel_epoll_wait(
	int number, struct epoll_event *events, int max, int timeout_ms)
{
	struct epoll *epoll = get_epoll(number);
	int error = FAULT(EINTR);
	int n = 0;

	if (error == 0) {
		(void)kernel_block(has_event, epoll, until(timeout_ms));
		if (kernel_interrupted() && !has_event(epoll))
			error = EINTR;
	}
	errno = error;
	if (error != 0)
		return -1;
	/* Others are looked at first the next time. */
	epoll->next++;
	for (unsigned i = 0; i < epoll->len && n < max; i++) {
		struct item *item =
			&epoll->items[(epoll->next + i) % epoll->len];
		unsigned ready = item_readiness(item);

		if (ready == 0)
			continue;
		item->has_edge = false;
		item->reports++;
		events[n++] = (struct epoll_event){ready, item->data};
	}
	return n;
}

/* --- select and poll --- */

struct selection {
	int end;
	const fd_set *reads;
	const fd_set *writes;
};

static bool is_readable(int fd)
{
	return (kernel_readiness(fd) & (POLLIN | POLLHUP | POLLERR)) != 0;
}

static bool is_writable(int fd)
{
	return (kernel_readiness(fd) & (POLLOUT | POLLERR)) != 0;
}

static bool is_selected(const void *object)
{
	const struct selection *selection = object;

	for (int fd = 0; fd < selection->end; fd++) {
		if ((FD_ISSET(fd, selection->reads) && is_readable(fd)) ||
			(FD_ISSET(fd, selection->writes) && is_writable(fd)))
			return true;
	}
	return false;
}

int kernel_select(int end, fd_set *reads, fd_set *writes, fd_set *errors,
	struct timeval *timeout)
{
	struct selection selection = {end, reads, writes};
	uint64_t until_ns = KERNEL_NEVER;
	int error = FAULT(EINTR);
	int n = 0;

	(void)errors;
	if (timeout != NULL)
		until_ns = kernel.now_ns +
			   (uint64_t)timeout->tv_sec * KERNEL_S +
			   (uint64_t)timeout->tv_usec * 1000;
	if (error == 0) {
		(void)kernel_block(is_selected, &selection, until_ns);
		if (kernel_interrupted() && !is_selected(&selection))
			error = EINTR;
	}
	errno = error;
	if (error != 0)
		return -1;
	for (int fd = 0; fd < end; fd++) {
		if (FD_ISSET(fd, reads) && !is_readable(fd))
			FD_CLR(fd, reads);
		if (FD_ISSET(fd, writes) && !is_writable(fd))
			FD_CLR(fd, writes);
		n += FD_ISSET(fd, reads) + FD_ISSET(fd, writes);
	}
	return n;
}

struct polling {
	struct pollfd *fds;
	nfds_t n;
};

static bool is_polled(const void *object)
{
	const struct polling *polling = object;

	for (nfds_t i = 0; i < polling->n; i++) {
		const struct pollfd *fd = &polling->fds[i];

		if ((kernel_readiness(fd->fd) &
			    ((unsigned)fd->events | POLLERR | POLLHUP)) != 0)
			return true;
	}
	return false;
}

int kernel_poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
	struct polling polling = {fds, n};
	/* With no time to wait, nothing interrupts it. */
	int error = timeout_ms == 0 ? FAULT(ENOMEM) : FAULT(EINTR, ENOMEM);
	int ready = 0;

	kernel_point();
	errno = error;
	if (error != 0) {
		for (nfds_t i = 0; i < n; i++)
			log_refuse(fds[i].fd);
		return -1;
	}
	if (timeout_ms != 0)
		(void)kernel_block(is_polled, &polling, until(timeout_ms));
	for (nfds_t i = 0; i < n; i++) {
		unsigned got = kernel_readiness(fds[i].fd) &
			       ((unsigned)fds[i].events | POLLERR | POLLHUP);

		fds[i].revents = (short)got;
		ready += got != 0;
	}
	return ready;
}
