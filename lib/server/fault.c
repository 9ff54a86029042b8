#include "server/fault.h"

#include <errno.h>

/* The calls in which an error can be the peer's. */
enum {
	AT_DIAL = 1,
	ON_SOCKET = 2,
	AT_ACCEPT = 4,
	AT_PATH = 8
};

/*
 * What the network or a peer can answer, and in which calls. Any other error is
 * our own: EADDRNOTAVAIL, EADDRINUSE and EAGAIN (out of local ports), EMFILE
 * and ENFILE (out of descriptors), ENOMEM and ENOBUFS, ENETDOWN (our
 * interface), EPERM (our firewall or sandbox), EAFNOSUPPORT, EPROTONOSUPPORT
 * and EINVAL (not supported by our kernel), and all that are not known here.
 */
static const struct {
	int error;
	int where;
} answers[] = {
	/* A packet refused it: RST, ICMP port unreachable. */
	{ECONNREFUSED, AT_DIAL | ON_SOCKET | AT_PATH},
	{ECONNRESET, ON_SOCKET | AT_ACCEPT},
	{ECONNABORTED, ON_SOCKET | AT_ACCEPT},
	{EPIPE, ON_SOCKET},
	{ENOTCONN, ON_SOCKET},
	/* Nobody answered. */
	{ETIMEDOUT, AT_DIAL | ON_SOCKET | AT_ACCEPT},
	/*
	 * There is no route to it. That may be our own mistake, but one about
	 * this peer only: sessions must go to another one.
	 */
	{ENETUNREACH, AT_DIAL | ON_SOCKET | AT_ACCEPT},
	{EHOSTUNREACH, AT_DIAL | ON_SOCKET | AT_ACCEPT},
	{EHOSTDOWN, AT_DIAL | ON_SOCKET | AT_ACCEPT},
	/* Other ICMP messages, as Linux translates them. */
	{ENONET, ON_SOCKET | AT_ACCEPT},
	{ENOPROTOOPT, ON_SOCKET | AT_ACCEPT},
	{EOPNOTSUPP, ON_SOCKET | AT_ACCEPT},
	{EPROTO, ON_SOCKET | AT_ACCEPT},
	{EMSGSIZE, ON_SOCKET},
	/* ICMPv6 "prohibited"; if no packet was sent, our own firewall. */
	{EACCES, ON_SOCKET},
	/*
	 * connect(2) to a path: a full backlog, or no such socket for us. That
	 * may be our own mistake, but again one about this peer only.
	 */
	{EAGAIN, AT_PATH},
	{ENOENT, AT_PATH},
	{ENOTDIR, AT_PATH},
	{ELOOP, AT_PATH},
	{EACCES, AT_PATH},
	{EPROTOTYPE, AT_PATH},
	/* accept(2): errors of the new connection, or our firewall's of it. */
	{ENETDOWN, AT_ACCEPT},
	{EPERM, AT_ACCEPT},
	{EINTR, AT_ACCEPT},
};

static enum lbp_fault fault_of(int error, int where)
{
	for (unsigned i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		if (answers[i].error == error && (answers[i].where & where))
			return LBP_FAULT_PEER;
	}
	return LBP_FAULT_OURS;
}

enum lbp_fault lbp_fault_of_dial(int error)
{
	return fault_of(error, AT_DIAL);
}

enum lbp_fault lbp_fault_of_path(int error)
{
	return fault_of(error, AT_PATH);
}

enum lbp_fault lbp_fault_of_socket(int error)
{
	return fault_of(error, ON_SOCKET);
}

enum lbp_fault lbp_fault_of_accept(int error)
{
	return fault_of(error, AT_ACCEPT);
}
