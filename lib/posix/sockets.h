/*
 * Plain TCP for sessions: two non-blocking sockets each, and the duties of a
 * session carried out on them, for whoever has a poll loop. All of it is
 * inline, in the program that includes it: the library itself calls nothing
 * that has an effect. A program with TLS, or with another poller, writes its
 * own, and may begin with this.
 *
 * Not part of lbproxy.h: it needs POSIX.
 */
#ifndef LBP_SOCKETS_H
#define LBP_SOCKETS_H

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../relay.h"
#include "../session.h"

LBP_BEGIN_DECLS

/* What each direction of a session holds at most. */
#define LBP_SOCKETS_BUFFER (16 * 1024)

struct lbp_sockets;

/* What sessions have in common. It must outlive them. */
struct lbp_door {
	/* The user of each upstream is its address: a struct sockaddr_in, or
	 * sockaddr_in6, as a struct sockaddr *. */
	struct lbp_app *app;
	const struct lbp_session_timeouts *timeouts;
	/* The reason of a session stands. */
	void (*report)(const struct lbp_sockets *sockets);
};

/* A session and its sockets, which it closes. Start it with zeros. */
struct lbp_sockets {
	struct lbp_session *session; /* NULL: none */
	const struct lbp_door *door;
	int fds[2];   /* by enum lbp_side; -1: none */
	bool yielded; /* there is more to relay */
};

/* Whose fault an error of a call is: the peer's unless it is plainly ours. */
static inline enum lbp_io lbp_sockets_error(int error)
{
	if (error == EAGAIN || error == EINTR || error == EINPROGRESS)
		return LBP_IO_WAIT;
	return error == ENOMEM || error == ENOBUFS ? LBP_IO_FAILED
						   : LBP_IO_RESET;
}

/* --- struct lbp_relay_io, whose user is a struct lbp_sockets --- */

static inline enum lbp_io lbp_sockets_read(
	void *user, enum lbp_side from, void *buf, size_t len, size_t *n)
{
	const struct lbp_sockets *sockets = (const struct lbp_sockets *)user;
	ssize_t rc = recv(sockets->fds[from], buf, len, 0);

	if (rc < 0)
		return lbp_sockets_error(errno);
	*n = (size_t)rc;
	return rc > 0 ? LBP_IO_OK : LBP_IO_END;
}

static inline enum lbp_io lbp_sockets_write(
	void *user, enum lbp_side to, const void *buf, size_t len, size_t *n)
{
	const struct lbp_sockets *sockets = (const struct lbp_sockets *)user;
	ssize_t rc = send(sockets->fds[to], buf, len, MSG_NOSIGNAL);

	if (rc < 0)
		return lbp_sockets_error(errno);
	*n = (size_t)rc;
	return LBP_IO_OK;
}

static inline enum lbp_io lbp_sockets_end(void *user, enum lbp_side to)
{
	const struct lbp_sockets *sockets = (const struct lbp_sockets *)user;

	return shutdown(sockets->fds[to], SHUT_WR) == 0
		       ? LBP_IO_OK
		       : lbp_sockets_error(errno);
}

static inline uint8_t *lbp_sockets_take_buffer(void *user)
{
	(void)user;
	return (uint8_t *)malloc(LBP_SOCKETS_BUFFER);
}

static inline void lbp_sockets_give_buffer(void *user, uint8_t *buffer)
{
	(void)user;
	free(buffer);
}

/* --- its duties --- */

/* Closes the socket of a side, if there is one; the peer may see a reset. */
static inline void lbp_sockets_close(
	struct lbp_sockets *sockets, enum lbp_side side, bool reset)
{
	const struct linger at_once = {1, 0};

	if (sockets->fds[side] < 0)
		return;
	if (reset)
		(void)setsockopt(sockets->fds[side], SOL_SOCKET, SO_LINGER,
			&at_once, sizeof(at_once));
	(void)close(sockets->fds[side]);
	sockets->fds[side] = -1;
}

/* Dials an upstream, in place of the one before. */
static inline enum lbp_io lbp_sockets_dial(
	struct lbp_sockets *sockets, uint32_t upstream)
{
	const struct sockaddr *to =
		(const struct sockaddr *)lbp_app_upstream_user(
			sockets->door->app, upstream);
	socklen_t len = to->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
						  : sizeof(struct sockaddr_in);
	int fd = socket(to->sa_family, SOCK_STREAM, 0);

	lbp_sockets_close(sockets, LBP_UPSTREAM, true);
	sockets->fds[LBP_UPSTREAM] = fd;
	if (fd < 0 || fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
		return LBP_IO_FAILED;
	return connect(fd, to, len) == 0 ? LBP_IO_OK : lbp_sockets_error(errno);
}

/* What became of a dial, once its socket is ready. */
static inline enum lbp_io lbp_sockets_dialed(const struct lbp_sockets *sockets)
{
	socklen_t len = sizeof(int);
	int error = 0;

	if (getsockopt(sockets->fds[LBP_UPSTREAM], SOL_SOCKET, SO_ERROR, &error,
		    &len) != 0)
		return LBP_IO_FAILED;
	return error == 0 ? LBP_IO_OK : lbp_sockets_error(error);
}

/* Carries out all duties but DIAL; after END there is no session. */
static inline void lbp_sockets_obey(
	struct lbp_sockets *sockets, const struct lbp_duties *duties)
{
	unsigned set = duties->set;

	sockets->yielded = (set & LBP_DUTY_RELAY) != 0;
	if (set & LBP_DUTY_DROP_DIAL)
		lbp_sockets_close(sockets, LBP_UPSTREAM, true);
	if (set & LBP_DUTY_LINGER)
		(void)shutdown(sockets->fds[LBP_CLIENT], SHUT_WR);
	if (set & LBP_DUTY_REPORT)
		sockets->door->report(sockets);
	if (!(set & LBP_DUTY_END))
		return;
	lbp_sockets_close(
		sockets, LBP_CLIENT, (set & LBP_DUTY_RESET_CLIENT) != 0);
	lbp_sockets_close(
		sockets, LBP_UPSTREAM, (set & LBP_DUTY_RESET_UPSTREAM) != 0);
	lbp_session_free(sockets->session);
	sockets->session = NULL;
}

/*
 * Carries out the duties that a call of the library has returned together with
 * err; dials until one dial is under way, or done, or none is left.
 */
static inline void lbp_sockets_carry_out(struct lbp_sockets *sockets,
	enum lbp_err err, struct lbp_duties *duties, uint64_t now_ns)
{
	while (err == LBP_OK) {
		lbp_sockets_obey(sockets, duties);
		if (!(duties->set & LBP_DUTY_DIAL))
			return;
		err = lbp_session_dialed(sockets->session,
			lbp_sockets_dial(sockets, duties->upstream), now_ns,
			duties);
	}
}

/*
 * Starts a session on an accepted socket, which is the session's from now on,
 * for a client of these names, which must outlive it. If that is not possible
 * the socket is closed, and there is no session.
 */
static inline void lbp_sockets_start(struct lbp_sockets *sockets,
	const struct lbp_door *door, int client, const struct lbp_name *names,
	size_t name_len, uint64_t now_ns)
{
	static const struct lbp_relay_io io = {lbp_sockets_read,
		lbp_sockets_write, lbp_sockets_end, lbp_sockets_take_buffer,
		lbp_sockets_give_buffer, LBP_SOCKETS_BUFFER, NULL, NULL};
	struct lbp_duties duties;
	enum lbp_err err = lbp_session_new(
		&sockets->session, door->app, door->timeouts, now_ns);

	sockets->door = door;
	sockets->fds[LBP_CLIENT] = client;
	sockets->fds[LBP_UPSTREAM] = -1;
	if (err != LBP_OK || fcntl(client, F_SETFL, O_NONBLOCK) != 0) {
		lbp_sockets_close(sockets, LBP_CLIENT, true);
		lbp_session_free(sockets->session);
		sockets->session = NULL;
		return;
	}
	(void)lbp_session_set_io(sockets->session, &io, sockets);
	err = lbp_session_submit(
		sockets->session, names, name_len, now_ns, &duties);
	lbp_sockets_carry_out(sockets, err, &duties, now_ns);
}

/* --- poll --- */

/*
 * What to poll for, by enum lbp_side. Returns until when: the earlier one of
 * due_ns, which is that of others, and this session's. A side that
 * is to be watched for errors only is left out: poll would tell of the end of
 * both directions for ever, and a reset is found by the next read or write.
 */
static inline uint64_t lbp_sockets_watch(const struct lbp_sockets *sockets,
	struct pollfd fds[2], uint64_t due_ns)
{
	uint64_t own_ns;

	for (int i = 0; i < 2; i++) {
		unsigned watch = 0;

		if (sockets->session != NULL)
			watch = lbp_session_watch(
				sockets->session, (enum lbp_side)i);
		fds[i].events =
			(short)((watch & LBP_WATCH_READ ? POLLIN : 0) |
				(watch & LBP_WATCH_WRITE ? POLLOUT : 0));
		fds[i].fd = fds[i].events != 0 ? sockets->fds[i] : -1;
		fds[i].revents = 0;
	}
	if (sockets->session == NULL)
		return due_ns;
	own_ns = sockets->yielded ? 0 : lbp_session_deadline(sockets->session);
	return own_ns < due_ns ? own_ns : due_ns;
}

/* The timeout of a poll that is to end at due_ns, in ms. */
static inline int lbp_sockets_ms(uint64_t due_ns, uint64_t now_ns)
{
	uint64_t ms;

	if (due_ns <= now_ns)
		return 0;
	ms = (due_ns - now_ns - 1) / LBP_NS_PER_MS + 1;
	return ms < INT_MAX ? (int)ms : due_ns == LBP_NEVER ? -1 : INT_MAX;
}

static inline unsigned lbp_sockets_readiness(const struct pollfd *fd)
{
	unsigned ready = 0;

	if (fd->revents & POLLIN)
		ready |= LBP_WATCH_READ;
	if (fd->revents & POLLOUT)
		ready |= LBP_WATCH_WRITE;
	if (fd->revents & POLLERR)
		ready |= LBP_WATCH_ERROR;
	return ready;
}

/* One turn, after poll, for what it said of lbp_sockets_watch's. */
static inline void lbp_sockets_turn(struct lbp_sockets *sockets,
	const struct pollfd fds[2], uint64_t now_ns)
{
	struct lbp_session *session = sockets->session;
	struct lbp_duties duties;

	if (session == NULL)
		return;
	if (lbp_session_state(session) == LBP_SESSION_DIALING &&
		fds[LBP_UPSTREAM].revents != 0)
		lbp_sockets_carry_out(sockets,
			lbp_session_dialed(session, lbp_sockets_dialed(sockets),
				now_ns, &duties),
			&duties, now_ns);
	else if (now_ns >= lbp_session_deadline(session))
		lbp_sockets_carry_out(sockets,
			lbp_session_tick(session, now_ns, &duties), &duties,
			now_ns);
	if (sockets->session == NULL)
		return;
	lbp_session_ready(
		session, LBP_CLIENT, lbp_sockets_readiness(&fds[LBP_CLIENT]));
	lbp_session_ready(session, LBP_UPSTREAM,
		lbp_sockets_readiness(&fds[LBP_UPSTREAM]));
	lbp_sockets_carry_out(sockets,
		lbp_session_relay(session, now_ns, &duties), &duties, now_ns);
}

LBP_END_DECLS

#endif
