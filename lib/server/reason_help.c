#include "server/reason_help.h"

#include <stddef.h>

static const struct {
	enum lbp_reason reason;
	const char *text;
} texts[] = {
	{LBP_REASON_HANDSHAKE_TIMEOUT, "The TLS handshake took longer "
				       "than timeouts.handshake."},
	{LBP_REASON_HANDSHAKE_FAILED,
		"The peer broke off or broke the protocol before its "
		"handshake was complete; log.level debug has OpenSSL's "
		"reason."},
	{LBP_REASON_HANDSHAKE_EVICTED,
		"All of server.max_handshakes were in progress, and "
		"most of them came from this source."},
	{LBP_REASON_BAD_PROXY_HEADER,
		"The connection came from an address in accept_proxy "
		"and did not begin with a PROXY header."},
	{LBP_REASON_NO_PROTOCOL, "The client offered ALPN protocols, "
				 "and none of them is in app.alpn."},
	{LBP_REASON_NO_CERTIFICATE, "The client sent no certificate."},
	{LBP_REASON_UNTRUSTED,
		"The certificate was not issued by a configured CA, or "
		"by an intermediate that chain does not allow."},
	{LBP_REASON_EXPIRED, "The certificate, or its CA, is no longer "
			     "valid: issue a new one."},
	{LBP_REASON_NOT_YET_VALID,
		"The certificate is not valid yet: look at the clocks "
		"of who issued it and of this machine."},
	{LBP_REASON_REVOKED, "The certificate is on its CA's revocation list."},
	{LBP_REASON_CRL_EXPIRED,
		"The revocation list is out of date, so that nobody "
		"can be judged: load a new one."},
	{LBP_REASON_WRONG_USAGE, "The certificate's key usage does not "
				 "allow client authentication."},
	{LBP_REASON_BAD_CERTIFICATE,
		"The certificate has a fault, such as a serial number "
		"or a key that is not accepted."},
	{LBP_REASON_UNKNOWN_CLIENT,
		"No client lists the certificate's serial, or a URI or "
		"DNS name in it."},
	{LBP_REASON_AMBIGUOUS, "Two clients list names of this certificate."},
	{LBP_REASON_NOT_ALLOWED, "The client is known, but its apps do "
				 "not have this one."},
	{LBP_REASON_CONCURRENT_LIMIT, "The client has as many sessions open as "
				      "limits.concurrent allows."},
	{LBP_REASON_RATE_LIMIT,
		"The client was admitted limits.connections times "
		"within limits.window."},
	{LBP_REASON_MAX_CONNECTIONS,
		"As many sessions as server.max_connections were "
		"open."},
	{LBP_REASON_DRAIN_TIMEOUT,
		"The drain took longer than timeouts.drain."},
	{LBP_REASON_SHUTDOWN, "The server was told to stop at once."},
	{LBP_REASON_INTERNAL,
		"The server ran out of memory or descriptors; an error "
		"line says of what."},
};

const char *lbp_reason_help(enum lbp_reason reason)
{
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
		if (texts[i].reason == reason)
			return texts[i].text;
	}
	return "A session that was admitted has ended.";
}
