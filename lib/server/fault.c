#include "server/fault.h"

#include <errno.h>

/* Where an error can be the peer's. */
enum {
	AT_DIAL = 1,
	ON_SOCKET = 2,
	AT_ACCEPT = 4
};

/*
 * What the network or a peer can answer, and in which calls. What is not here
 * is ours: EADDRNOTAVAIL, EADDRINUSE and EAGAIN (no local port is left), EMFILE
 * and ENFILE (no descriptor), ENOMEM and ENOBUFS, ENETDOWN (our interface),
 * EPERM (our firewall or sandbox), EAFNOSUPPORT, EPROTONOSUPPORT and EINVAL
 * (what our kernel cannot do), and whatever we never heard of.
 */
static const struct {
	int error;
	int where;
} answers[] = {
	/* A packet said no: RST, ICMP port unreachable. */
	{ECONNREFUSED, AT_DIAL | ON_SOCKET},
	{ECONNRESET, ON_SOCKET | AT_ACCEPT},
	{ECONNABORTED, ON_SOCKET | AT_ACCEPT},
	{EPIPE, ON_SOCKET},
	{ENOTCONN, ON_SOCKET},
	/* Nobody said anything. */
	{ETIMEDOUT, AT_DIAL | ON_SOCKET | AT_ACCEPT},
	/*
	 * There is no way to it. A missing route may be our own mistake, but
	 * it is one about this peer: sessions have to go to another one.
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
	/* ICMPv6 "prohibited"; without a packet it is our own firewall. */
	{EACCES, ON_SOCKET},
	/* accept(2): errors of the new connection; ours forbids this one. */
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

enum lbp_fault lbp_fault_of_socket(int error)
{
	return fault_of(error, ON_SOCKET);
}

enum lbp_fault lbp_fault_of_accept(int error)
{
	return fault_of(error, AT_ACCEPT);
}
