/* The calls of sockets. */
#include <errno.h>
#include <inttypes.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "oracle.h"
#include "side.h"

ssize_t __wrap_recv(int fd, void *buf, size_t len, int flags);
ssize_t __wrap_send(int fd, const void *buf, size_t len, int flags);
int __wrap_shutdown(int fd, int how);
int __wrap_close(int fd);
int __real_close(int fd);
int __wrap_setsockopt(
	int fd, int level, int name, const void *value, socklen_t len);
int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *len);
int __wrap_ioctl(int fd, unsigned long what, ...);

/* A side with TLS is used through TLS, one without is not. */
static struct side *plain_side(int fd)
{
	struct side *side = side_of_fd(fd);

	ORACLE("SRV-15", !side->is_connecting && side->refusal == 0,
		"it is not connected");
	ORACLE("SRV-8", !side_is_tls(side), "a call of a socket that has TLS");
	return side;
}

static bool is_interrupted(void)
{
	bool is = sides.is_interrupted;

	sides.is_interrupted = false;
	errno = is ? EINTR : EAGAIN;
	return is;
}

/* The error is told once; after that a socket has but ended. */
static ssize_t fail_reset(struct side *side)
{
	side->saw_reset = true;
	errno = side->has_error ? ECONNRESET : EPIPE;
	side->has_error = false;
	sides.called = true;
	return -1;
}

/* A client that was refused is not heard any more. [SES-31] */
static ssize_t drop_some(struct side *side, size_t len)
{
	uint64_t n = side->arrived - side->taken;
	bool is_nobody = sides.conn->session->client == LBP_NONE;

	ORACLE("SES-31", !is_nobody || sides.dropped < LBP_STRANGER_DROPPED_MAX,
		"a stranger is listened to after %" PRIu64 " bytes",
		sides.dropped);
	side->pending = side->messages = 0;
	if (n > len)
		n = len;
	side->taken += n;
	sides.dropped += n;
	return n > 0 ? (ssize_t)n : 1;
}

/* The client is asked whether it is still there, or is not heard any more. */
static ssize_t look(struct side *side, size_t len, bool drop)
{
	bool is_there = side->arrived > side->taken + side->pending ||
			side->messages > 0 ||
			/* close_notify is a record like others. */
			(!drop && side->has_ended && !side->is_truncated);

	ORACLE("SRV-13", side == sides.side && len > 0,
		"this is not the client");
	if (side->has_error && !is_there)
		return fail_reset(side);
	if (is_interrupted())
		return -1;
	sides.called = is_there || side->has_ended || side->is_reset;
	if (is_there)
		return drop ? drop_some(side, len) : 1;
	side->saw_end = side->has_ended && drop;
	return side->has_ended || side->is_reset ? 0 : -1;
}

static ssize_t receive(struct side *side, void *buf, size_t len)
{
	bool may_be_empty;
	size_t n;

	ORACLE("SRV-35", len > 0, "a read of nothing");
	ORACLE("SRV-16", !side->saw_end, "a read after the end");
	if (is_interrupted())
		return -1;
	side_spend(side, side->arrived - side->taken < len
				 ? side->arrived - side->taken
				 : len);
	n = side_take(side, buf, len, side->arrived - side->taken);
	may_be_empty = side->may_be_empty;
	side->may_be_empty = n == len;
	if (n > 0)
		return (ssize_t)n;
	if (side->has_error && !side->has_ended)
		return fail_reset(side);
	ORACLE("SRV-35", side->has_ended || side->is_reset || may_be_empty,
		"a read in vain");
	if (!side->has_ended && !side->is_reset)
		return -1;
	/* To the kernel an end of any kind is one, once the error is told. */
	side_saw_end(side, side->has_ended);
	sides.called = true;
	return 0;
}

ssize_t __wrap_recv(int fd, void *buf, size_t len, int flags)
{
	struct side *side = side_of_fd(fd);

	if (flags == MSG_PEEK)
		return look(side, len, false);
	if (sides.conn->session->state == LBP_SESSION_CLOSING)
		return look(side, len, true);
	return receive(plain_side(fd), buf, len);
}

ssize_t __wrap_send(int fd, const void *buf, size_t len, int flags)
{
	struct side *side = plain_side(fd);

	ORACLE("SRV-26", flags == MSG_NOSIGNAL, "a write that may kill");
	ORACLE("SRV-35", len > 0, "a write of nothing");
	if (side->is_reset)
		return fail_reset(side);
	if (is_interrupted())
		return -1;
	ORACLE("SRV-35", side->room > 0 || side->may_be_full,
		"a write in vain");
	side->may_be_full = side->room >= len;
	if (side->room == 0)
		return -1;
	if (sides.conn->session->state == LBP_SESSION_DIALING)
		return (ssize_t)side_take_header(side, buf, len);
	return (ssize_t)side_give(side, buf, len);
}

/* An end is passed on, after all that was before it. */
static void check_end(const struct side *side)
{
	const struct side *from = side_other(side);

	ORACLE("SRV-16", from->saw_end && side->given == from->arrived,
		"an end after %llu of %llu bytes",
		(unsigned long long)side->given,
		(unsigned long long)from->arrived);
	ORACLE("SRV-16", side->notified == side_is_tls(side),
		"close_notify: %d", side->notified);
}

int __wrap_shutdown(int fd, int how)
{
	struct side *side = side_of_fd(fd);

	ORACLE("SRV-16", how == SHUT_WR && !side->shut,
		"not one end of sending");
	if (sides.conn->session->state == LBP_SESSION_RELAY)
		check_end(side);
	sides.called = true;
	if (sides.no_shutdown) {
		sides.no_shutdown = false;
		sides.refused = true;
		errno = ENOBUFS;
		return -1;
	}
	if (!side->is_reset) {
		side->shut = true;
		return 0;
	}
	/* One that answers close_notify with a reset had ended. */
	side->shut = side->notified;
	side->saw_reset = side->saw_reset || !side->notified;
	errno = ENOTCONN;
	return -1;
}

/* Its window is closed, or all has arrived: nothing is on its way. */
static int tell_tcp_info(void *value, socklen_t *len)
{
	struct tcp_info info = {.tcpi_state = 1};

	if (*len != sizeof(info))
		abort();
	memcpy(value, &info, sizeof(info));
	return 0;
}

/* Asking for an error takes it away. */
int __wrap_getsockopt(int fd, int level, int name, void *value, socklen_t *len)
{
	struct side *side = side_of_fd(fd);
	int error = side->has_error ? ECONNRESET : side->refusal;

	if (level == IPPROTO_TCP && name == TCP_INFO)
		return tell_tcp_info(value, len);
	if (level != SOL_SOCKET || name != SO_ERROR || *len != sizeof(int))
		abort();
	memcpy(value, &error, sizeof(error));
	side->saw_reset = side->saw_reset || side->has_error;
	side->has_error = false;
	sides.called = true;
	return 0;
}

int __wrap_ioctl(int fd, unsigned long what, ...)
{
	va_list args;

	if (what != SIOCOUTQ)
		abort();
	va_start(args, what);
	*va_arg(args, int *) = (int)side_of_fd(fd)->lags;
	va_end(args);
	return 0;
}

/* The time that the kernel waits for a peer that has not got all. */
static void set_user_timeout(struct side *side, int ms)
{
	bool is_set = side->keeps_alive;

	ORACLE("SRV-172", !is_set || (ms == 0) == (side->lags > 0),
		"%d ms for one that lags %u bytes behind", ms, side->lags);
	ORACLE("SRV-172", ms != side->user_timeout_ms, "%d ms once more", ms);
	side->user_timeout_ms = ms;
}

int __wrap_setsockopt(
	int fd, int level, int name, const void *value, socklen_t len)
{
	struct side *side = side_of_fd(fd);
	const struct linger *linger = value;
	const int *on = value;

	if (level == IPPROTO_TCP && name == TCP_NODELAY && len == sizeof(*on))
		side->no_delay = *on != 0;
	if (level == SOL_SOCKET && name == SO_KEEPALIVE && len == sizeof(*on))
		side->keeps_alive = *on != 0;
	if (level == IPPROTO_TCP && name == TCP_USER_TIMEOUT)
		set_user_timeout(side, *on);
	if (level == SOL_SOCKET && name == SO_LINGER && len == sizeof(*linger))
		side->resets = linger->l_onoff != 0 && linger->l_linger == 0;
	return 0;
}

int __wrap_close(int fd)
{
	struct side *side;

	if (fd < SIDE_FD)
		return __real_close(fd);
	side = side_of_fd(fd);
	ORACLE("SRV-17", !side->is_watched, "the poller still knows it");
	ORACLE("SRV-17", !side_is_tls(side), "TLS is left");
	side->closed = true;
	return 0;
}
