/*
 * upstream: the servers behind the proxies of the benchmark, in one process
 * of one thread. It listens on free loopback ports, prints them on one line,
 * and ends when its standard input ends. The protocol is in exchange.h.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "exchange.h"

enum {
	LISTENERS_MAX = 1024,
	EVENTS_MAX = 64
};

enum kind {
	KIND_STDIN,
	KIND_LISTENER,
	KIND_PEER
};

struct end {
	enum kind kind;
	int fd;
	uint32_t watched;
	size_t header_len;
	uint64_t up;        /* bytes of the request */
	uint64_t down;      /* bytes of the answer */
	uint64_t up_done;   /* of those, how many have come */
	uint64_t down_done; /* and have been sent */
	unsigned char header[EXCHANGE_HEADER_BYTES];
};

static unsigned char block[BLOCK_BYTES];
static unsigned char pattern[PATTERN_ROOM];

static _Noreturn void die(const char *what)
{
	perror(what);
	exit(1);
}

static struct end *end_new(enum kind kind, int fd)
{
	struct end *end = calloc(1, sizeof(*end));

	if (!end)
		die("upstream: memory");
	end->kind = kind;
	end->fd = fd;
	return end;
}

static void watch(int epoll, struct end *end, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = end};
	int op = end->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

	if (end->watched == events)
		return;
	if (epoll_ctl(epoll, op, end->fd, &event))
		die("upstream: epoll_ctl");
	end->watched = events;
}

static void open_listener(int epoll)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) ||
		listen(fd, SOMAXCONN) ||
		getsockname(fd, (struct sockaddr *)&address, &len))
		die("upstream: listen");
	watch(epoll, end_new(KIND_LISTENER, fd), EPOLLIN);
	(void)printf(" %u", (unsigned)ntohs(address.sin_port));
}

static void accept_peers(int epoll, const struct end *listener)
{
	int fd, one = 1;

	while ((fd = accept4(listener->fd, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		(void)setsockopt(
			fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		watch(epoll, end_new(KIND_PEER, fd), EPOLLIN);
	}
	if (errno != EAGAIN && errno != ECONNABORTED)
		die("upstream: accept");
}

static size_t take_header(struct end *end, const unsigned char *at, size_t len)
{
	size_t taken = 0;

	while (end->header_len < EXCHANGE_HEADER_BYTES && taken < len)
		end->header[end->header_len++] = at[taken++];
	end->up_done = 0;
	end->down_done = 0;
	if (end->header_len == EXCHANGE_HEADER_BYTES)
		exchange_read(end->header, &end->up, &end->down);
	return taken;
}

/* False if a peer sent more than its request. */
static bool take(struct end *end, const unsigned char *at, size_t len)
{
	size_t taken = 0;

	if (end->header_len < EXCHANGE_HEADER_BYTES)
		taken = take_header(end, at, len);
	len -= taken;
	if (len > end->up - end->up_done)
		return false;
	if (memcmp(at + taken, pattern_at(pattern, end->up_done), len) != 0) {
		(void)fprintf(stderr, "upstream: a request was changed\n");
		exit(1);
	}
	end->up_done += len;
	return true;
}

static bool request_is_whole(const struct end *end)
{
	return end->header_len == EXCHANGE_HEADER_BYTES &&
	       end->up_done == end->up;
}

static bool receive(struct end *end)
{
	ssize_t n = read(end->fd, block, sizeof(block));

	if (n < 0)
		return errno == EAGAIN;
	return n > 0 && take(end, block, (size_t)n);
}

static bool send_answer(struct end *end)
{
	while (end->down_done < end->down) {
		uint64_t len = end->down - end->down_done;
		ssize_t n;

		if (len > BLOCK_BYTES)
			len = BLOCK_BYTES;
		n = send(end->fd, pattern_at(pattern, end->down_done), len,
			MSG_NOSIGNAL);
		if (n < 0)
			return errno == EAGAIN;
		end->down_done += (uint64_t)n;
	}
	end->header_len = 0;
	end->up = 0;
	end->up_done = 0;
	return true;
}

/* False when the peer has ended, cleanly or not. */
static bool serve(int epoll, struct end *end)
{
	if (!request_is_whole(end) && !receive(end))
		return false;
	if (request_is_whole(end) && !send_answer(end))
		return false;
	watch(epoll, end, request_is_whole(end) ? EPOLLOUT : EPOLLIN);
	return true;
}

static void handle(int epoll, struct end *end)
{
	switch (end->kind) {
	case KIND_STDIN:
		if (read(end->fd, block, sizeof(block)) <= 0)
			exit(0);
		break;
	case KIND_LISTENER:
		accept_peers(epoll, end);
		break;
	case KIND_PEER:
		if (!serve(epoll, end)) {
			close(end->fd);
			free(end);
		}
		break;
	}
}

int main(int argc, char **argv)
{
	struct epoll_event events[EVENTS_MAX];
	long count = argc == 2 ? strtol(argv[1], NULL, 10) : 0;
	int epoll = epoll_create1(0);

	if (count < 1 || count > LISTENERS_MAX) {
		(void)fprintf(stderr, "usage: upstream COUNT (1 to 1024)\n");
		return 2;
	}
	pattern_fill(pattern);
	(void)printf("ports");
	for (long i = 0; i < count; i++)
		open_listener(epoll);
	(void)printf("\n");
	(void)fflush(stdout);
	watch(epoll, end_new(KIND_STDIN, STDIN_FILENO), EPOLLIN);
	for (;;) {
		int n = epoll_wait(epoll, events, EVENTS_MAX, -1);

		if (n < 0 && errno != EINTR)
			die("upstream: epoll_wait");
		for (int i = 0; i < n; i++)
			handle(epoll, events[i].data.ptr);
	}
}
