/*
 * A load balancer for plain TCP in one poll loop. Clients are known by their
 * address: 127.0.0.1 is alice, 127.0.0.2 is bob, others are refused. A line
 * for each session says whose it was, on which upstream, and why it ended.
 *
 * usage: balance PORT IDLE_MS UPSTREAM_PORT...
 */
#include <lbproxy/lbproxy.h>
#include <lbproxy/posix/sockets.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#define CONNS     64
#define UPSTREAMS 8

struct conn {
	struct lbp_sockets sockets;
	struct lbp_name name; /* whose it is */
};

static struct conn conns[CONNS];
static struct lbp_session_timeouts timeouts = {
	0, LBP_NS_PER_S, 0, 2 * LBP_NS_PER_S};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * LBP_NS_PER_S + (uint64_t)ts.tv_nsec;
}

static struct sockaddr_in address_of(const char *port)
{
	struct sockaddr_in address;

	memset(&address, 0, sizeof(address));
	address.sin_family = AF_INET;
	address.sin_port = htons((uint16_t)atoi(port));
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return address;
}

static void report(const struct lbp_sockets *sockets)
{
	const struct lbp_session *session = sockets->session;
	const char *upstream = lbp_app_upstream_name(
		sockets->door->app, lbp_session_upstream(session));

	printf("%s %s %s\n", lbp_session_names(session, NULL)->id,
		upstream == NULL ? "-" : upstream,
		lbp_reason_text(lbp_session_reason(session)));
	fflush(stdout);
}

static struct lbp_door door = {NULL, &timeouts, report};

/* Alice may have two sessions at a time, and bob three a minute. */
static bool make_app(char **ports, size_t len)
{
	const struct lbp_acl_name names[] = {
		{lbp_name_of_id("alice"), 0}, {lbp_name_of_id("bob"), 1}};
	const struct lbp_acl_grant grants[] = {
		{0, 0, {2, 0, 0}, 0}, {1, 0, {0, 3, 60 * LBP_NS_PER_S}, 0}};
	static struct sockaddr_in addresses[UPSTREAMS];
	static struct lbp_upstream upstreams[UPSTREAMS];
	struct lbp_acl_options clients;
	struct lbp_app_options options;
	struct lbp_acl *acl;

	for (size_t i = 0; i < len; i++) {
		addresses[i] = address_of(ports[i]);
		upstreams[i].name = ports[i];
		upstreams[i].weight = 1;
		upstreams[i].user = &addresses[i];
	}
	lbp_acl_options_init(&clients);
	clients.names = names;
	clients.grants = grants;
	clients.name_len = clients.grant_len = clients.client_len = 2;
	clients.app_len = 1;
	if (lbp_acl_new(&acl, &clients) != LBP_OK)
		return false;
	lbp_app_options_init(&options);
	options.id = "balance";
	options.acl = acl;
	options.upstreams = upstreams;
	options.upstream_len = len;
	return lbp_app_new(&door.app, &options, now_ns()) == LBP_OK;
}

static int listen_on(const char *port)
{
	struct sockaddr_in address = address_of(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	int on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	return bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
			       listen(fd, CONNS) == 0
		       ? fd
		       : -1;
}

static void accept_one(int listener)
{
	static const char *const ids[] = {"a stranger", "alice", "bob"};
	struct sockaddr_in from;
	socklen_t len = sizeof(from);
	struct conn *conn = conns;
	int fd = accept(listener, (struct sockaddr *)&from, &len);
	uint32_t host;

	while (conn < conns + CONNS && conn->sockets.session != NULL)
		conn++;
	if (fd < 0 || conn == conns + CONNS) {
		close(fd);
		return;
	}
	host = ntohl(from.sin_addr.s_addr) - INADDR_LOOPBACK;
	conn->name = lbp_name_of_id(ids[host < 2 ? host + 1 : 0]);
	lbp_sockets_start(&conn->sockets, &door, fd, &conn->name, 1, now_ns());
}

int main(int argc, char **argv)
{
	struct pollfd fds[1 + 2 * CONNS] = {{-1, POLLIN, 0}};

	if (argc < 4 || argc > 3 + UPSTREAMS ||
		!make_app(argv + 3, (size_t)argc - 3))
		return 2;
	timeouts.idle_ns = (uint64_t)atoi(argv[2]) * LBP_NS_PER_MS;
	fds[0].fd = listen_on(argv[1]);
	while (fds[0].fd >= 0) {
		uint64_t due = LBP_NEVER;

		for (int i = 0; i < CONNS; i++)
			due = lbp_sockets_watch(
				&conns[i].sockets, fds + 1 + 2 * i, due);
		poll(fds, 1 + 2 * CONNS, lbp_sockets_ms(due, now_ns()));
		for (int i = 0; i < CONNS; i++)
			lbp_sockets_turn(
				&conns[i].sockets, fds + 1 + 2 * i, now_ns());
		if (fds[0].revents != 0)
			accept_one(fds[0].fd);
	}
	return 1;
}
