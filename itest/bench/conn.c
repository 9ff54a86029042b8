#include "conn.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <openssl/err.h>

enum result {
	RESULT_DONE,
	RESULT_WAIT
};

_Noreturn void die(const char *what)
{
	(void)fprintf(stderr, "load: %s: %s\n", what,
		errno ? strerror(errno) : "no system error");
	ERR_print_errors_fp(stderr);
	exit(1);
}

static void watch(struct conn *conn, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.ptr = conn};
	int op = conn->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

	if (conn->watched == events)
		return;
	if (epoll_ctl(conn->load->epoll, op, conn->fd, &event))
		die("epoll_ctl");
	conn->watched = events;
}

/* Whether it was the socket, of a connection without TLS, that has to wait. */
static enum result want_plain(
	struct conn *conn, uint32_t events, const char *what)
{
	if (errno != EAGAIN)
		die(what);
	watch(conn, events);
	return RESULT_WAIT;
}

static enum result want(struct conn *conn, int ret, const char *what)
{
	switch (SSL_get_error(conn->ssl, ret)) {
	case SSL_ERROR_WANT_READ:
		watch(conn, EPOLLIN);
		return RESULT_WAIT;
	case SSL_ERROR_WANT_WRITE:
		watch(conn, EPOLLOUT);
		return RESULT_WAIT;
	default:
		die(what);
	}
}

static void open_socket(struct conn *conn)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	int one = 1;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	address.sin_port = htons(conn->load->plan.port);
	conn->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (conn->fd < 0 || setsockopt(conn->fd, IPPROTO_TCP, TCP_NODELAY, &one,
				    sizeof(one)))
		die("socket");
	if (connect(conn->fd, (struct sockaddr *)&address, sizeof(address)) &&
		errno != EINPROGRESS)
		die("connect");
}

static void open_conn(struct conn *conn)
{
	struct load *load = conn->load;

	open_socket(conn);
	if (load->plan.tls == 0)
		return;
	conn->ssl = SSL_new(load->ctx);
	if (!conn->ssl || !SSL_set_fd(conn->ssl, conn->fd))
		die("SSL_new");
	SSL_set_connect_state(conn->ssl);
	SSL_set_app_data(conn->ssl, conn);
	if (load->plan.mode == MODE_RESUME && conn->session &&
		!SSL_set_session(conn->ssl, conn->session))
		die("SSL_set_session");
}

static void close_conn(struct conn *conn)
{
	SSL_free(conn->ssl);
	close(conn->fd);
	conn->ssl = NULL;
	conn->watched = 0;
}

static enum result do_handshake(struct conn *conn)
{
	int ret;

	if (conn->ssl == NULL)
		return RESULT_DONE;
	ret = SSL_do_handshake(conn->ssl);
	if (ret != 1)
		return want(conn, ret, "handshake");
	conn->load->resumed += SSL_session_reused(conn->ssl) ? 1 : 0;
	return RESULT_DONE;
}

/* Sends what it can of some bytes, which are counted. */
static enum result send_some(
	struct conn *conn, const unsigned char *bytes, size_t len)
{
	ssize_t sent;
	size_t n;
	int ret;

	if (conn->ssl == NULL) {
		sent = send(conn->fd, bytes, len, MSG_NOSIGNAL);
		if (sent < 0)
			return want_plain(conn, EPOLLOUT, "send");
		n = (size_t)sent;
	} else {
		ret = SSL_write_ex(conn->ssl, bytes, len, &n);
		if (ret != 1)
			return want(conn, ret, "write");
	}
	conn->done_bytes += n;
	return RESULT_DONE;
}

/* The header goes with the first of what follows it. */
static enum result do_send(struct conn *conn)
{
	struct load *load = conn->load;
	uint64_t total = EXCHANGE_HEADER_BYTES + load->phase.up;

	while (conn->done_bytes < total) {
		uint64_t len = total - conn->done_bytes;
		uint64_t done = conn->done_bytes;
		const unsigned char *bytes = load->request + done;

		if (done >= EXCHANGE_HEADER_BYTES)
			bytes = pattern_at(
				load->request + EXCHANGE_HEADER_BYTES,
				done - EXCHANGE_HEADER_BYTES);
		if (len > BLOCK_BYTES)
			len = BLOCK_BYTES;
		if (send_some(conn, bytes, len) == RESULT_WAIT)
			return RESULT_WAIT;
	}
	return RESULT_DONE;
}

static enum result receive_some(struct conn *conn, size_t len)
{
	struct load *load = conn->load;
	ssize_t received;
	size_t n;
	int ret;

	if (conn->ssl == NULL) {
		received = recv(conn->fd, load->sink, len, 0);
		if (received < 0)
			return want_plain(conn, EPOLLIN, "receive");
		if (received == 0)
			die("an early end");
		n = (size_t)received;
	} else {
		ret = SSL_read_ex(conn->ssl, load->sink, len, &n);
		if (ret != 1)
			return want(conn, ret, "read");
	}
	if (memcmp(load->sink,
		    pattern_at(load->request + EXCHANGE_HEADER_BYTES,
			    conn->done_bytes),
		    n) != 0)
		die("an answer was changed");
	conn->done_bytes += n;
	return RESULT_DONE;
}

static enum result do_receive(struct conn *conn)
{
	struct load *load = conn->load;

	while (conn->done_bytes < load->phase.down) {
		uint64_t len = load->phase.down - conn->done_bytes;

		if (len > sizeof(load->sink))
			len = sizeof(load->sink);
		if (receive_some(conn, len) == RESULT_WAIT)
			return RESULT_WAIT;
	}
	return RESULT_DONE;
}

static enum result do_close_plain(struct conn *conn)
{
	ssize_t received;

	(void)shutdown(conn->fd, SHUT_WR);
	received = recv(conn->fd, conn->load->sink, 1, 0);
	if (received > 0)
		die("bytes that nobody asked for");
	if (received < 0 && errno == EAGAIN)
		return want_plain(conn, EPOLLIN, "close");
	close_conn(conn);
	return RESULT_DONE;
}

/* Clean on our side; some proxies end without a close_notify of their own. */
static enum result do_close(struct conn *conn)
{
	size_t n;
	int ret;

	if (conn->ssl == NULL)
		return do_close_plain(conn);
	if (!(SSL_get_shutdown(conn->ssl) & SSL_SENT_SHUTDOWN)) {
		ret = SSL_shutdown(conn->ssl);
		if (ret < 0)
			return want(conn, ret, "shutdown");
	}
	ret = SSL_read_ex(conn->ssl, conn->load->sink, 1, &n);
	switch (SSL_get_error(conn->ssl, ret)) {
	case SSL_ERROR_WANT_READ:
		watch(conn, EPOLLIN);
		return RESULT_WAIT;
	case SSL_ERROR_ZERO_RETURN:
	case SSL_ERROR_SSL:
	case SSL_ERROR_SYSCALL:
		ERR_clear_error();
		close_conn(conn);
		return RESULT_DONE;
	default:
		die("bytes that nobody asked for");
	}
}

static enum result do_step(struct conn *conn)
{
	ERR_clear_error();
	errno = 0;
	switch (conn->step) {
	case STEP_HANDSHAKE:
		return do_handshake(conn);
	case STEP_SEND:
		return do_send(conn);
	case STEP_RECEIVE:
		return do_receive(conn);
	case STEP_CLOSE:
		return do_close(conn);
	case STEP_NONE:
		break;
	}
	die("an event out of turn, such as an early end");
}

uint64_t now_ns(void)
{
	struct timespec at;

	(void)clock_gettime(CLOCK_MONOTONIC, &at);
	return (uint64_t)at.tv_sec * 1000000000U + (uint64_t)at.tv_nsec;
}

void conn_start(struct conn *conn)
{
	conn->began_ns = now_ns();
	conn->step = conn->load->phase.first;
	conn->done_bytes = 0;
	conn->load->started++;
	if (conn->step == STEP_HANDSHAKE)
		open_conn(conn);
}

/* The connection that has more to do at once; NULL if none has. */
static struct conn *next_step(struct conn *conn)
{
	struct load *load = conn->load;
	bool held = load->phase.last == STEP_RECEIVE;

	conn->done_bytes = 0;
	if (conn->step != load->phase.last) {
		conn->step++;
		return conn;
	}
	conn->step = STEP_NONE;
	if (load->phase.first == STEP_SEND)
		load->times_ns[load->finished] = now_ns() - conn->began_ns;
	load->finished++;
	if (held)
		watch(conn, EPOLLIN);
	if (load->started == load->phase.total)
		return NULL;
	if (held && load->phase.first == STEP_HANDSHAKE)
		conn = &load->conns[load->started];
	conn_start(conn);
	return conn;
}

void conn_drive(struct conn *conn)
{
	while (conn && do_step(conn) == RESULT_DONE)
		conn = next_step(conn);
}
