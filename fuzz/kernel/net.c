/* Sockets, from both ends, and the resolver. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

#include "calls.h"
#include "inside.h"

/* The first local port of connections of the server's own. */
#define FIRST_PORT 40000

static struct sock *new_sock(void)
{
	struct sock *sock = calloc(1, sizeof(*sock));

	if (sock == NULL)
		abort();
	sock->in = malloc(kernel.plan.buffer);
	sock->out = malloc(kernel.plan.buffer);
	if (sock->in == NULL || sock->out == NULL)
		abort();
	sock->fd = -1;
	sock->all_next = kernel.socks;
	kernel.socks = sock;
	sock->live_next = kernel.live;
	kernel.live = sock;
	return sock;
}

void net_forget(void)
{
	struct sock *next;

	for (struct sock *sock = kernel.socks; sock != NULL; sock = next) {
		next = sock->all_next;
		free(sock->in);
		free(sock->out);
		free(sock);
	}
	kernel.socks = NULL;
	kernel.live = NULL;
}

/* Something about a socket changed that pollers look at. */
static void changed(struct sock *sock)
{
	if (sock->fd >= 0)
		kernel.files[sock->fd].edge++;
}

static struct sock *get(int fd)
{
	struct file *file = kernel_file(fd);

	ORACLE("SRV-54", file->kind == FILE_SOCKET, "fd %d is no socket", fd);
	return file->sock;
}

/* The far end hears of a reset, and what was under way to it is lost. */
static void reset_far(struct sock *sock)
{
	sock->sent_reset = true;
	sock->out_len = 0;
	sock->out_end = false;
}

static bool can_write(const struct sock *sock)
{
	return sock->out_end || sock->out_len < kernel.plan.buffer;
}

/* As tcp_poll says. */
unsigned net_readiness(const struct sock *sock)
{
	unsigned ready = sock->error != 0 ? POLLERR : 0;

	switch (sock->state) {
	case SOCK_NEW:
		return ready | POLLHUP | POLLOUT;
	case SOCK_CONNECTING:
		return ready;
	case SOCK_LISTENING:
		return sock->first != NULL ? ready | POLLIN : ready;
	case SOCK_DEAD:
		return ready | POLLIN | POLLOUT | POLLHUP;
	case SOCK_OPEN:
		break;
	}
	if (sock->in_len > 0 || sock->in_end)
		ready |= POLLIN;
	if (can_write(sock))
		ready |= POLLOUT;
	if (sock->in_end && sock->out_end)
		ready |= POLLHUP;
	return ready;
}

bool net_listens(int fd)
{
	const struct file *file = &kernel.files[fd];

	return file->kind == FILE_SOCKET && file->sock->state == SOCK_LISTENING;
}

void net_close(struct sock *sock)
{
	struct sock *next;

	sock->is_closed = true;
	sock->fd = -1;
	for (struct sock *one = sock->first; one != NULL; one = next) {
		next = one->next;
		one->is_queued = false;
		one->is_closed = true;
		reset_far(one);
	}
	sock->first = NULL;
	if (sock->state != SOCK_OPEN)
		return;
	/* What was not read would be lost without the far end knowing it. */
	if (sock->resets || sock->in_len > 0)
		reset_far(sock);
	else
		sock->out_end = true;
}

/* --- calls of the server --- */

int kernel_socket(int family, int type, int protocol)
{
	int fd;

	(void)type, (void)protocol;
	if (kernel_fails(FAULT(EMFILE, ENFILE, ENOBUFS, ENOMEM, EACCES)))
		return -1;
	if (family != AF_INET)
		abort();
	fd = kernel_new_fd(FILE_SOCKET);
	if (fd < 0)
		return -1;
	kernel.files[fd].sock = new_sock();
	kernel.files[fd].sock->fd = fd;
	return fd;
}

int kernel_bind(int fd, const struct sockaddr *address, socklen_t len)
{
	if (len != sizeof(struct sockaddr_in))
		abort();
	if (kernel_fails(FAULT(EADDRINUSE, EACCES, EADDRNOTAVAIL)))
		return -1;
	memcpy(&get(fd)->own, address, sizeof(struct sockaddr_in));
	return 0;
}

int kernel_listen(int fd, int backlog)
{
	struct sock *sock = get(fd);

	if (kernel_fails(FAULT(EADDRINUSE)))
		return -1;
	sock->state = SOCK_LISTENING;
	sock->backlog = backlog < 8 ? (unsigned)backlog : 8;
	return 0;
}

static struct sock *dequeue(struct sock *listener)
{
	struct sock *sock = listener->first;

	listener->first = sock->next;
	listener->queued--;
	sock->is_queued = false;
	return sock;
}

int kernel_accept4(int fd, struct sockaddr *address, socklen_t *len, int flags)
{
	struct sock *listener = get(fd);
	struct sock *sock;
	int error;
	int got;

	(void)flags;
	kernel_point();
	if (listener->first == NULL) {
		errno = EAGAIN;
		return -1;
	}
	error = FAULT(EMFILE, ENFILE, ENOBUFS, ENOMEM, ECONNABORTED, EINTR,
		EPERM, EPROTO, ENETDOWN, EHOSTUNREACH);
	if (error == ECONNABORTED || error == EPROTO || error == ENETDOWN ||
		error == EHOSTUNREACH) {
		sock = dequeue(listener);
		sock->is_closed = true;
		reset_far(sock);
	}
	if (error != 0) {
		errno = error;
		return -1;
	}
	got = kernel_new_fd(FILE_SOCKET);
	if (got < 0)
		return -1;
	sock = dequeue(listener);
	sock->fd = got;
	kernel.files[got].sock = sock;
	memcpy(address, &sock->peer, sizeof(sock->peer));
	*len = sizeof(sock->peer);
	kernel.world->accepted(sock);
	return got;
}

int kernel_connect(int fd, const struct sockaddr *address, socklen_t len)
{
	struct sock *sock = get(fd);
	int error = FAULT(EADDRNOTAVAIL, EADDRINUSE, EAGAIN, ENOBUFS, ENOMEM,
		EPERM, ENETDOWN, EAFNOSUPPORT);

	(void)len;
	if (kernel_fails(kernel.no_ports ? EADDRNOTAVAIL : error))
		return -1;
	ORACLE("SRV-92", sock->state == SOCK_NEW, "it connects twice");
	memcpy(&sock->peer, address, sizeof(sock->peer));
	sock->own = sock->peer;
	inet_pton(AF_INET, "10.9.0.1", &sock->own.sin_addr);
	sock->own.sin_port =
		htons((uint16_t)(FIRST_PORT + kernel.ports++ % 20000));
	sock->state = SOCK_CONNECTING;
	kernel.world->connects(sock, &sock->peer);
	/* An answer that is there at once is the call's result. */
	if (sock->state == SOCK_OPEN)
		return 0;
	errno = EINPROGRESS;
	if (sock->state == SOCK_CONNECTING)
		return -1;
	errno = sock->error;
	sock->error = 0;
	return -1;
}

static int tell_address(
	const struct sockaddr_in *own, struct sockaddr *address, socklen_t *len)
{
	if (kernel_fails(FAULT(ENOBUFS)))
		return -1;
	memcpy(address, own, sizeof(*own));
	*len = sizeof(*own);
	return 0;
}

int kernel_getsockname(int fd, struct sockaddr *address, socklen_t *len)
{
	return tell_address(&get(fd)->own, address, len);
}

int kernel_getpeername(int fd, struct sockaddr *address, socklen_t *len)
{
	struct sock *sock = get(fd);

	if (sock->state != SOCK_OPEN) {
		errno = ENOTCONN;
		return -1;
	}
	return tell_address(&sock->peer, address, len);
}

/* What is not taken, its window is closed for, unless it has vanished. */
static int tell_tcp_info(const struct sock *sock, void *value)
{
	struct tcp_info info = {.tcpi_state = 1};

	if (sock->has_vanished) {
		info.tcpi_unacked = sock->out_len > 0;
		info.tcpi_last_ack_recv =
			(uint32_t)((kernel.now_ns - sock->vanished_ns) /
				   KERNEL_MS);
	}
	memcpy(value, &info, sizeof(info));
	return 0;
}

int kernel_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	int *out = value;

	kernel_point();
	if (level == IPPROTO_TCP && name == TCP_INFO)
		return tell_tcp_info(get(fd), value);
	*len = sizeof(int);
	if (kernel_file(fd)->kind == FILE_LOG) {
		*out = (int)kernel.plan.log_room;
		return 0;
	}
	if (level != SOL_SOCKET || name != SO_ERROR)
		abort();
	*out = get(fd)->error;
	get(fd)->error = 0;
	return 0;
}

int kernel_setsockopt(
	int fd, int level, int name, const void *value, socklen_t len)
{
	struct sock *sock = get(fd);

	(void)len;
	kernel_point();
	if (level == SOL_SOCKET && name == SO_LINGER)
		sock->resets = true;
	if (level == IPPROTO_TCP && name == TCP_NODELAY)
		sock->no_delay = true;
	if (level == SOL_SOCKET && name == SO_KEEPALIVE)
		sock->keeps_alive = true;
	if (level == IPPROTO_TCP && name == TCP_KEEPIDLE)
		sock->idle_s = *(const int *)value;
	if (level == IPPROTO_TCP && name == TCP_USER_TIMEOUT)
		sock->user_timeout_ms = *(const int *)value;
	return 0;
}

/* The pending error, which is told once; 0: none. */
static int take_error(struct sock *sock)
{
	int error = sock->error;

	sock->error = 0;
	return error;
}

ssize_t kernel_recv(int fd, void *buf, size_t len, int flags)
{
	struct sock *sock = get(fd);
	int error;

	kernel_point();
	error = FAULT(EINTR, ENOMEM, FAULT_SHORT, FAULT_SHORT);
	if (error == FAULT_SHORT)
		len = kernel_part(len);
	else if (error != 0) {
		errno = error;
		return -1;
	}
	ORACLE("SRV-35", len > 0, "it reads nothing");
	if (sock->in_len > 0) {
		if (len > sock->in_len)
			len = sock->in_len;
		memcpy(buf, sock->in, len);
		if ((flags & MSG_PEEK) != 0)
			return (ssize_t)len;
		sock->in_len -= len;
		memmove(sock->in, sock->in + len, sock->in_len);
		return (ssize_t)len;
	}
	/* Linux tells of an end first, whatever came after it. */
	error = sock->in_end ? 0 : take_error(sock);
	if (error != 0) {
		errno = error;
		return -1;
	}
	if (sock->in_end || sock->state == SOCK_DEAD)
		return 0;
	errno = sock->state == SOCK_OPEN ? EAGAIN : ENOTCONN;
	return -1;
}

ssize_t kernel_send(int fd, const void *buf, size_t len, int flags)
{
	struct sock *sock;
	int error;

	if (kernel_file(fd)->kind == FILE_LOG)
		return log_write(buf, len, true);
	sock = get(fd);
	kernel_point();
	ORACLE("SRV-26", (flags & MSG_NOSIGNAL) != 0, "SIGPIPE may come");
	error = take_error(sock);
	if (error == 0 && (sock->state != SOCK_OPEN || sock->out_end))
		error = EPIPE;
	if (error != 0) {
		errno = error;
		return -1;
	}
	error = FAULT(
		EINTR, ENOBUFS, ENOMEM, FAULT_SHORT, FAULT_SHORT, FAULT_SHORT);
	if (error == FAULT_SHORT)
		len = kernel_part(len);
	else if (error != 0) {
		errno = error;
		return -1;
	}
	if (len > kernel.plan.buffer - sock->out_len)
		len = kernel.plan.buffer - sock->out_len;
	if (len == 0) {
		errno = EAGAIN;
		return -1;
	}
	if (sock->out_len == 0)
		sock->stalled_ns = kernel.now_ns;
	memcpy(sock->out + sock->out_len, buf, len);
	sock->out_len += len;
	return (ssize_t)len;
}

int kernel_shutdown(int fd, int how)
{
	struct sock *sock = get(fd);

	(void)how;
	kernel_point();
	errno = ENOTCONN;
	if (sock->state != SOCK_OPEN)
		return -1;
	sock->out_end = true;
	changed(sock);
	return 0;
}

/* --- the far end --- */

struct sock *far_connect(
	const struct sockaddr_in *to, const struct sockaddr_in *from)
{
	struct sock *listener = kernel.live;
	struct sock *sock;
	struct sock **link;

	while (listener != NULL &&
		(listener->state != SOCK_LISTENING || listener->is_closed ||
			listener->own.sin_port != to->sin_port ||
			listener->own.sin_addr.s_addr != to->sin_addr.s_addr))
		listener = listener->live_next;
	if (listener == NULL || listener->queued == listener->backlog)
		return NULL;
	sock = new_sock();
	sock->state = SOCK_OPEN;
	sock->own = *to;
	sock->peer = *from;
	sock->is_queued = true;
	for (link = &listener->first; *link != NULL; link = &(*link)->next)
		continue;
	*link = sock;
	listener->queued++;
	changed(listener);
	return sock;
}

bool far_listens(uint16_t port)
{
	const struct sock *sock = kernel.live;

	while (sock != NULL &&
		(sock->state != SOCK_LISTENING || sock->is_closed ||
			sock->own.sin_port != htons(port)))
		sock = sock->live_next;
	return sock != NULL;
}

void far_accept(struct sock *sock)
{
	sock->state = SOCK_OPEN;
	changed(sock);
}

void far_be_itself(struct sock *sock)
{
	sock->own = sock->peer;
	far_accept(sock);
}

void far_refuse(struct sock *sock, int error)
{
	sock->state = SOCK_DEAD;
	sock->error = error;
	changed(sock);
}

size_t far_send(struct sock *sock, const void *bytes, size_t n)
{
	if (sock->has_vanished || sock->sent_reset || sock->was_reset ||
		sock->in_end)
		return 0;
	if (sock->is_closed) {
		/* Nobody is there to read it. */
		reset_far(sock);
		return 0;
	}
	if (n > kernel.plan.buffer - sock->in_len)
		n = kernel.plan.buffer - sock->in_len;
	if (n == 0)
		return 0;
	memcpy(sock->in + sock->in_len, bytes, n);
	sock->in_len += n;
	changed(sock);
	return n;
}

void far_end(struct sock *sock)
{
	if (sock->has_vanished || sock->was_reset || sock->sent_reset ||
		sock->in_end)
		return;
	sock->in_end = true;
	changed(sock);
}

/* Nothing more goes over it, and the server is told why. */
static void die(struct sock *sock, int error)
{
	sock->was_reset = true;
	if (sock->is_closed)
		return;
	/* A reset after the far end's FIN is told as EPIPE. */
	sock->error = sock->in_end && error == ECONNRESET ? EPIPE : error;
	sock->out_len = 0;
	sock->state = SOCK_DEAD;
	changed(sock);
}

void far_break(struct sock *sock, int error)
{
	if (!sock->has_vanished && !sock->was_reset && !sock->sent_reset)
		die(sock, error);
}

void far_vanish(struct sock *sock)
{
	sock->has_vanished = true;
	sock->vanished_ns = kernel.now_ns;
}

/*
 * When does TCP give up? As Linux does, also with who answers and takes
 * nothing, if TCP_USER_TIMEOUT is set.
 */
static uint64_t gives_up_ns(const struct sock *sock)
{
	uint64_t timeout_ns = (uint64_t)sock->user_timeout_ms * KERNEL_MS;
	uint64_t idle_ns = (uint64_t)sock->idle_s * KERNEL_S;

	if (sock->state != SOCK_OPEN || sock->is_closed)
		return KERNEL_NEVER;
	if (sock->has_vanished && sock->out_len == 0)
		return !sock->keeps_alive
			       ? KERNEL_NEVER
			       : sock->vanished_ns +
					 (timeout_ns > idle_ns ? timeout_ns
							       : idle_ns);
	if (timeout_ns == 0 || sock->out_len == 0)
		return KERNEL_NEVER;
	return (sock->has_vanished ? sock->vanished_ns : sock->stalled_ns) +
	       timeout_ns;
}

/* The first live one from there on; those before it are unlinked. */
static struct sock *live_from(struct sock **link)
{
	while (*link != NULL &&
		((*link)->is_closed || (*link)->state == SOCK_DEAD))
		*link = (*link)->live_next;
	return *link;
}

void net_time_passed(void)
{
	struct sock **link = &kernel.live;
	struct sock *sock;

	while ((sock = live_from(link)) != NULL) {
		if (kernel.now_ns >= gives_up_ns(sock))
			die(sock, ETIMEDOUT);
		link = &sock->live_next;
	}
}

uint64_t net_next_due_ns(void)
{
	struct sock **link = &kernel.live;
	uint64_t due = KERNEL_NEVER;
	const struct sock *sock;

	while ((sock = live_from(link)) != NULL) {
		uint64_t at = gives_up_ns(sock);

		due = at < due ? at : due;
		link = &(*link)->live_next;
	}
	return due;
}

size_t far_take(struct sock *sock, void *bytes, size_t n)
{
	if (sock->has_vanished)
		return 0;
	if (n > sock->out_len)
		n = sock->out_len;
	if (n == 0)
		return 0;
	memcpy(bytes, sock->out, n);
	sock->out_len -= n;
	sock->stalled_ns = kernel.now_ns;
	memmove(sock->out, sock->out + n, sock->out_len);
	changed(sock);
	return n;
}

bool far_sees_end(const struct sock *sock)
{
	return sock->out_end && sock->out_len == 0 && !sock->sent_reset &&
	       !sock->was_reset && !sock->has_vanished;
}

bool far_end_sent(const struct sock *sock)
{
	return sock->out_end;
}

bool far_sees_reset(const struct sock *sock)
{
	return sock->sent_reset && !sock->has_vanished;
}

bool far_is_queued(const struct sock *sock)
{
	return sock->is_queued;
}

bool far_is_closed(const struct sock *sock)
{
	return sock->is_closed;
}

size_t far_unread(const struct sock *sock)
{
	return sock->in_len;
}

size_t far_room(const struct sock *sock)
{
	return sock->state == SOCK_OPEN && !sock->out_end
		       ? kernel.plan.buffer - sock->out_len
		       : 0;
}

bool far_no_delay(const struct sock *sock)
{
	return sock->no_delay;
}

bool far_is_asked(const struct sock *sock)
{
	return sock->keeps_alive && sock->idle_s > 0;
}

void *far_user(const struct sock *sock)
{
	return sock->user;
}

void far_set_user(struct sock *sock, void *user)
{
	sock->user = user;
}

/* --- names --- */

#define ADDRESSES_MAX 4

/* One block for all: the first has the others behind it. */
struct info {
	struct addrinfo info;
	struct sockaddr_in address;
};

int kernel_getaddrinfo(const char *host, const char *service,
	const struct addrinfo *hints, struct addrinfo **out)
{
	struct in_addr found[ADDRESSES_MAX];
	unsigned n = 1;
	struct info *infos;

	(void)hints;
	if (inet_pton(AF_INET, host, &found[0]) != 1) {
		/* Nobody else waits while a name is asked for. */
		kernel_point();
		n = kernel.world->resolve(host, found, ADDRESSES_MAX);
	}
	if (n == 0)
		return EAI_AGAIN;
	infos = kernel_calloc(n, sizeof(*infos));
	if (infos == NULL)
		return EAI_MEMORY;
	for (unsigned i = 0; i < n; i++) {
		struct info *info = &infos[i];

		info->address.sin_family = AF_INET;
		info->address.sin_addr = found[i];
		info->address.sin_port = htons((uint16_t)atoi(service));
		info->info.ai_family = AF_INET;
		info->info.ai_addr = (struct sockaddr *)&info->address;
		info->info.ai_addrlen = sizeof(info->address);
		info->info.ai_next = i + 1 < n ? &infos[i + 1].info : NULL;
	}
	*out = &infos->info;
	return 0;
}

void kernel_freeaddrinfo(struct addrinfo *infos)
{
	kernel_free(infos);
}
