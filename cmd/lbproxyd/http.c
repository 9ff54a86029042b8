/*
 * libmicrohttpd reads requests and writes answers; connections are accepted
 * here, so that there is a bound on how many there are and on how long each
 * may take. [ADM-5] to [ADM-7].
 */
#include "http.h"

#include <errno.h>
#include <microhttpd.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "address.h"
#include "clock.h"
#include "server/memory.h"

/* What the head of a request and that of its answer may take. [ADM-5]. */
#define HEAD_BYTES ((size_t)16 * 1024)

_Static_assert(HEAD_BYTES <= LBP_MEMORY_ADMIN_HEAD, "memory.h says less");

/* How long not to accept when there are no descriptors left. */
#define RETRY_NS (100 * LBP_NS_PER_MS)

struct http_conn {
	int fd;
	uint64_t since_ns;
	bool is_late; /* shut down; libmicrohttpd will notice */
};

struct http {
	pthread_t thread;
	struct http_handler handler;
	struct MHD_Daemon *daemon;
	uint64_t retry_ns; /* when to accept again */
	/* The oldest first; those that are closed leave no gap. */
	struct http_conn conns[LBP_ADMIN_CONNECTIONS];
	uint32_t conn_len;
	/* To be told to stop, libmicrohttpd's, and listen_len sockets. */
	size_t listen_len;
	struct pollfd polls[];
};

enum {
	POLL_STOP,
	POLL_DAEMON,
	POLL_LISTEN,
};

/* How often to go on, to send answers that are there, before the end. */
#define LAST_TURNS 20
/* And how long to wait for their peers each time. */
#define LAST_TURN_MS 10

static bool add_headers(struct MHD_Response *response,
	const struct http_answer *answer, bool is_control)
{
	const char *methods = is_control ? "GET, HEAD, POST" : "GET, HEAD";
	const struct {
		const char *name;
		const char *value; /* NULL: not this one */
	} headers[] = {
		{"Connection", "close"},
		{"Content-Type", answer->type},
		{"Cache-Control", "no-store"},
		{"X-Content-Type-Options", "nosniff"},
		{"Referrer-Policy", "no-referrer"},
		{"Content-Security-Policy",
			answer->policy != NULL
				? answer->policy
				: "default-src 'none'; frame-ancestors 'none'"},
		{"Allow", answer->status == MHD_HTTP_METHOD_NOT_ALLOWED
				  ? methods
				  : NULL},
	};
	size_t i;

	for (i = 0; i < sizeof(headers) / sizeof(*headers); i++) {
		if (headers[i].value != NULL &&
			MHD_add_response_header(response, headers[i].name,
				headers[i].value) != MHD_YES)
			return false;
	}
	return true;
}

static enum MHD_Result send_answer(struct MHD_Connection *connection,
	const struct http_answer *answer, bool is_control)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
		answer->len, answer->body, MHD_RESPMEM_MUST_FREE);
	enum MHD_Result ok = MHD_NO;

	if (response == NULL) {
		free(answer->body);
		return MHD_NO;
	}
	if (add_headers(response, answer, is_control))
		ok = MHD_queue_response(connection, answer->status, response);
	MHD_destroy_response(response);
	return ok;
}

static const char *of_query(struct MHD_Connection *connection, const char *name)
{
	return MHD_lookup_connection_value(
		connection, MHD_GET_ARGUMENT_KIND, name);
}

static int fd_of(struct MHD_Connection *connection)
{
	return MHD_get_connection_info(
		connection, MHD_CONNECTION_INFO_CONNECTION_FD)
		->connect_fd;
}

/* The user that connected to a unix socket. False: it is not known. */
static bool find_user(int fd, uint32_t *user)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0)
		return false;
	*user = peer.uid;
	return true;
}

/* The connection with this socket, or NULL. */
static struct http_conn *find_conn(struct http *http, int fd)
{
	uint32_t i;

	for (i = 0; i < http->conn_len; i++) {
		if (http->conns[i].fd == fd)
			return &http->conns[i];
	}
	return NULL;
}

/* What a command took is not the fault of its peer. */
static void answer_control(struct http *http, int fd,
	const struct lbp_admin_wish *wish, struct http_answer *answer)
{
	struct http_conn *conn = find_conn(http, fd);
	struct http_peer peer = {0};

	(void)find_user(fd, &peer.user);
	http->handler.answer(http->handler.user, wish, &peer, answer);
	if (conn != NULL)
		conn->since_ns = clock_now_ns();
}

static void answer_wish(struct http *http, int fd,
	const struct lbp_admin_wish *wish, struct http_answer *answer)
{
	const struct http_peer nobody = {0};

	if (http->handler.is_control)
		answer_control(http, fd, wish, answer);
	else
		http->handler.answer(http->handler.user, wish, &nobody, answer);
}

/* Called once the head is there; a body is not waited for. */
static enum MHD_Result requested(void *user, struct MHD_Connection *connection,
	const char *url, const char *method, const char *version,
	const char *upload, size_t *upload_len, void **state)
{
	struct http *http = user;
	const struct lbp_admin_request request = {
		.method = method,
		.path = url,
		.clients = of_query(connection, "clients"),
		.host = MHD_lookup_connection_value(
			connection, MHD_HEADER_KIND, "Host"),
		.is_local = http->handler.is_local,
		.is_control = http->handler.is_control,
		.app = of_query(connection, "app"),
		.upstream = of_query(connection, "upstream"),
		.session = of_query(connection, "session"),
		.client = of_query(connection, "client"),
	};
	struct lbp_admin_wish wish;
	struct http_answer answer = {.type = "text/plain; charset=utf-8"};

	(void)version;
	(void)upload;
	(void)upload_len;
	(void)state;
	answer.status = lbp_admin_route(&request, &wish);
	if (answer.status == MHD_HTTP_OK)
		answer_wish(http, fd_of(connection), &wish, &answer);
	return send_answer(connection, &answer, http->handler.is_control);
}

/* It may have been forgotten before. */
static void forget(struct http *http, int fd)
{
	struct http_conn *conn = find_conn(http, fd);

	if (conn == NULL)
		return;
	for (http->conn_len--; conn < http->conns + http->conn_len; conn++)
		*conn = conn[1];
}

/* Called before the socket of a connection is closed. */
static void notified(void *user, struct MHD_Connection *connection,
	void **state, enum MHD_ConnectionNotificationCode what)
{
	(void)state;
	if (what == MHD_CONNECTION_NOTIFY_CLOSED)
		forget(user, fd_of(connection));
}

/* [CTL-4]. The file's mode keeps others out, unless somebody changed it. */
static bool may_enter(const struct http *http, int fd)
{
	uint32_t user;

	return !http->handler.is_control ||
	       (find_user(fd, &user) && lbp_admin_may_control(user, geteuid()));
}

/* The oldest that was not shut down; NULL: there is none. */
static struct http_conn *oldest(struct http *http)
{
	uint32_t i;

	for (i = 0; i < http->conn_len; i++) {
		if (!http->conns[i].is_late)
			return &http->conns[i];
	}
	return NULL;
}

static uint64_t close_due(struct http *http)
{
	const struct http_conn *conn = oldest(http);

	return conn == NULL
		       ? LBP_NEVER
		       : lbp_admin_close_due(http->conn_len, conn->since_ns);
}

static void close_late(struct http *http)
{
	while (close_due(http) <= clock_now_ns()) {
		struct http_conn *conn = oldest(http);

		conn->is_late = true;
		(void)shutdown(conn->fd, SHUT_RDWR);
	}
}

static void accept_one(struct http *http, int listen_fd)
{
	union address peer;
	socklen_t len = sizeof(peer);
	int fd;

	fd = accept4(listen_fd, &peer.sa, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0) {
		if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
			http->retry_ns = clock_now_ns() + RETRY_NS;
		return;
	}
	if (!may_enter(http, fd)) {
		close(fd);
		return;
	}
	http->conns[http->conn_len++] =
		(struct http_conn){.fd = fd, .since_ns = clock_now_ns()};
	/* It closes the socket if it fails. */
	if (MHD_add_connection(http->daemon, fd, &peer.sa, len) != MHD_YES)
		forget(http, fd);
}

static int timeout_ms(struct http *http, uint64_t now_ns)
{
	MHD_UNSIGNED_LONG_LONG ms = 0;

	if (MHD_get_timeout(http->daemon, &ms) != MHD_YES)
		ms = UINT64_MAX;
	return lbp_admin_wait_ms(now_ns, close_due(http), http->retry_ns, ms);
}

static void listen_if(struct http *http, bool accepts)
{
	size_t i;

	for (i = 0; i < http->listen_len; i++)
		http->polls[POLL_LISTEN + i].events = accepts ? POLLIN : 0;
}

/* Waits for something, and does it. False: to stop. */
static bool turn(struct http *http)
{
	uint64_t now = clock_now_ns();
	size_t i;

	listen_if(http,
		lbp_admin_has_room(http->conn_len) && now >= http->retry_ns);
	if (poll(http->polls, POLL_LISTEN + http->listen_len,
		    timeout_ms(http, now)) < 0)
		return true;
	if (http->polls[POLL_STOP].revents != 0)
		return false;
	/* One at a time: what came first is answered first. */
	for (i = POLL_LISTEN; i < POLL_LISTEN + http->listen_len; i++) {
		if (http->polls[i].revents != 0 &&
			lbp_admin_has_room(http->conn_len))
			accept_one(http, http->polls[i].fd);
	}
	(void)MHD_run(http->daemon);
	close_late(http);
	return true;
}

/* Whoever asked for a command is told what came of it. */
static void finish(struct http *http)
{
	int turns;

	for (turns = 0; turns < LAST_TURNS && http->conn_len > 0; turns++) {
		(void)poll(&http->polls[POLL_DAEMON], 1, LAST_TURN_MS);
		(void)MHD_run(http->daemon);
	}
}

static void *http_main(void *arg)
{
	struct http *http = arg;

	while (turn(http))
		;
	if (http->handler.is_control)
		finish(http);
	return NULL;
}

static void http_free(struct http *http)
{
	size_t i;

	if (http->daemon != NULL)
		MHD_stop_daemon(http->daemon);
	for (i = 0; i < POLL_LISTEN + http->listen_len; i++) {
		if (i != POLL_DAEMON && http->polls[i].fd >= 0)
			close(http->polls[i].fd);
	}
	free(http);
}

static struct http *http_new(
	const int *fds, size_t len, const struct http_handler *handler)
{
	struct http *http = calloc(
		1, sizeof(*http) + (POLL_LISTEN + len) * sizeof(*http->polls));
	size_t i;

	if (http == NULL)
		return NULL;
	http->handler = *handler;
	http->listen_len = len;
	for (i = 0; i < len; i++)
		http->polls[POLL_LISTEN + i].fd = fds[i];
	http->polls[POLL_STOP].fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	http->polls[POLL_STOP].events = POLLIN;
	http->polls[POLL_DAEMON].events = POLLIN;
	return http;
}

static bool start_daemon(struct http *http)
{
	http->daemon = MHD_start_daemon(
		MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET, 0, NULL, NULL,
		requested, http, MHD_OPTION_NOTIFY_CONNECTION, notified, http,
		MHD_OPTION_CONNECTION_MEMORY_LIMIT, HEAD_BYTES,
		MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)LBP_ADMIN_CONNECTIONS + 1,
		MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
	if (http->daemon == NULL)
		return false;
	http->polls[POLL_DAEMON].fd =
		MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD)
			->epoll_fd;
	return true;
}

/* With all signals blocked: the main thread gets them. */
static int start_thread(struct http *http)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&http->thread, NULL, http_main, http);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

struct http *http_start(
	const int *fds, size_t len, const struct http_handler *handler)
{
	struct http *http = http_new(fds, len, handler);
	int error = ENOMEM;
	size_t i;

	for (i = 0; http == NULL && i < len; i++)
		close(fds[i]);
	if (http != NULL && http->polls[POLL_STOP].fd < 0)
		error = errno;
	else if (http != NULL && start_daemon(http))
		error = start_thread(http);
	if (error == 0)
		return http;
	if (http != NULL)
		http_free(http);
	errno = error;
	return NULL;
}

void http_stop(struct http *http)
{
	if (http == NULL)
		return;
	/* A new counter takes this in any case. */
	(void)eventfd_write(http->polls[POLL_STOP].fd, 1);
	pthread_join(http->thread, NULL);
	http_free(http);
}
