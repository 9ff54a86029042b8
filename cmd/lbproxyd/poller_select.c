#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/select.h>

#include "clock.h"
#include "poller.h"
#include "server/memory.h"

/*
 * select reports an error only on descriptors watched for reading or writing.
 * The few that are watched for neither are checked this often. [SRV-81].
 */
#define LOOK_MS 100

/* How long to wait where the kernel has no memory for the sets. [SRV-21]. */
#define RETRY_MS 20

struct poller_select {
	struct poller base;
	struct watch *watches[FD_SETSIZE]; /* by descriptor */
	int fd_end;                        /* no watched descriptor above */
	fd_set reads;
	fd_set writes;
	fd_set ready_reads; /* of the current wait */
	fd_set ready_writes;
	unsigned quiet_len; /* watched for errors only */
	uint64_t look_ns;   /* when to check those; 0: not set */
	struct pollfd quiet[FD_SETSIZE];
};

_Static_assert(sizeof(struct poller_select) <= LBP_MEMORY_POLLER,
	"memory.h says less");

static bool is_quiet(const struct watch *watch)
{
	return watch->is_watched && watch->want == 0;
}

/* Sets the watch of a descriptor; NULL: it has none. */
static void set_watch(struct poller_select *poller, int fd, struct watch *watch)
{
	poller->watches[fd] = watch;
	if (watch != NULL && fd >= poller->fd_end)
		poller->fd_end = fd + 1;
	for (; poller->fd_end > 0; poller->fd_end--) {
		if (poller->watches[poller->fd_end - 1] != NULL)
			break;
	}
}

static void ask_for(struct poller_select *poller, int fd, unsigned want)
{
	FD_CLR(fd, &poller->reads);
	FD_CLR(fd, &poller->writes);
	if (want & POLLER_READ)
		FD_SET(fd, &poller->reads);
	if (want & POLLER_WRITE)
		FD_SET(fd, &poller->writes);
	/* Pending results are those of a descriptor that is gone. */
	if (want == 0) {
		FD_CLR(fd, &poller->ready_reads);
		FD_CLR(fd, &poller->ready_writes);
	}
}

static int set(struct poller *base, struct watch *watch, unsigned want)
{
	struct poller_select *poller = (struct poller_select *)base;

	if (watch->fd >= FD_SETSIZE) {
		errno = EMFILE;
		return -1;
	}
	poller->quiet_len -= is_quiet(watch);
	poller->quiet_len += want == 0;
	ask_for(poller, watch->fd, want);
	set_watch(poller, watch->fd, watch);
	return 0;
}

static void stop(struct poller *base, struct watch *watch)
{
	struct poller_select *poller = (struct poller_select *)base;

	poller->quiet_len -= is_quiet(watch);
	ask_for(poller, watch->fd, 0);
	set_watch(poller, watch->fd, NULL);
}

/* Checks those that are watched for errors only. */
static void look(struct poller_select *poller)
{
	struct pollfd *quiet = poller->quiet;
	nfds_t n = 0;
	nfds_t i;
	int fd;

	for (fd = 0; fd < poller->fd_end; fd++) {
		if (poller->watches[fd] != NULL &&
			is_quiet(poller->watches[fd]))
			quiet[n++] = (struct pollfd){.fd = fd};
	}
	if (poll(quiet, n, 0) <= 0)
		return;
	for (i = 0; i < n; i++) {
		struct watch *watch = poller->watches[quiet[i].fd];

		/* An earlier handler may have stopped this watch. */
		if (quiet[i].revents & POLLERR && watch != NULL &&
			is_quiet(watch))
			watch->ready(watch, POLLER_ERROR);
	}
}

/* With quiet watches, the wait lasts at most until the next check. */
static int until_look(struct poller_select *poller, int timeout_ms)
{
	uint64_t now_ns = clock_now_ns();
	uint64_t left_ms;

	if (poller->look_ns == 0)
		poller->look_ns = now_ns + LOOK_MS * LBP_NS_PER_MS;
	if (now_ns >= poller->look_ns)
		return 0;
	left_ms = (poller->look_ns - now_ns - 1) / LBP_NS_PER_MS + 1;
	/* Forever is longer than that. */
	return (uint64_t)timeout_ms < left_ms ? timeout_ms : (int)left_ms;
}

static void tell(struct poller_select *poller, int end)
{
	int fd;

	for (fd = 0; fd < end; fd++) {
		struct watch *watch = poller->watches[fd];
		unsigned ready = 0;

		if (FD_ISSET(fd, &poller->ready_reads))
			ready |= POLLER_READ;
		if (FD_ISSET(fd, &poller->ready_writes))
			ready |= POLLER_WRITE;
		/* An earlier handler may have stopped this watch. */
		if (watch != NULL && (ready &= watch->want) != 0)
			watch->ready(watch, ready);
	}
}

/* What a failure of select means. */
static int give_up(void)
{
	int error = errno;

	if (error == ENOMEM)
		(void)poll(NULL, 0, RETRY_MS);
	return error == EINTR || error == ENOMEM ? 0 : -1;
}

static int wait_for(struct poller *base, int timeout_ms)
{
	struct poller_select *poller = (struct poller_select *)base;
	struct timeval timeout;
	int end = poller->fd_end;
	int n;

	if (poller->quiet_len > 0)
		timeout_ms = until_look(poller, timeout_ms);
	timeout.tv_sec = timeout_ms / 1000;
	timeout.tv_usec = (timeout_ms % 1000) * 1000;
	poller->ready_reads = poller->reads;
	poller->ready_writes = poller->writes;
	n = select(end, &poller->ready_reads, &poller->ready_writes, NULL,
		timeout_ms < 0 ? NULL : &timeout);
	if (n < 0)
		return give_up();
	if (n > 0)
		tell(poller, end);
	if (poller->look_ns != 0 && clock_now_ns() >= poller->look_ns) {
		poller->look_ns = 0;
		look(poller);
	}
	return n;
}

static void free_select(struct poller *base)
{
	free(base);
}

static const struct poller_ops ops = {set, stop, stop, wait_for, free_select};

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
