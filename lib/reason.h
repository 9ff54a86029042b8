/*
 * Why a session ended, or was refused: the closed list. Source: SPEC.md
 * [SES-17].
 */
#ifndef LBP_REASON_H
#define LBP_REASON_H

#include "base.h"

LBP_BEGIN_DECLS

/* The closed list of reasons for which a session ends. */
#define LBP_REASON_MAP(X)                                                      \
	X(LBP_REASON_NONE, "none")                                             \
	X(LBP_REASON_DONE, "done")                                             \
	X(LBP_REASON_HANDSHAKE_TIMEOUT, "handshake_timeout")                   \
	X(LBP_REASON_HANDSHAKE_FAILED, "handshake_failed")                     \
	X(LBP_REASON_HANDSHAKE_EVICTED, "handshake_evicted")                   \
	X(LBP_REASON_NO_CERTIFICATE, "no_certificate")                         \
	X(LBP_REASON_UNTRUSTED, "untrusted")                                   \
	X(LBP_REASON_EXPIRED, "expired")                                       \
	X(LBP_REASON_NOT_YET_VALID, "not_yet_valid")                           \
	X(LBP_REASON_REVOKED, "revoked")                                       \
	X(LBP_REASON_CRL_EXPIRED, "crl_expired")                               \
	X(LBP_REASON_WRONG_USAGE, "wrong_usage")                               \
	X(LBP_REASON_BAD_CERTIFICATE, "bad_certificate")                       \
	X(LBP_REASON_UNKNOWN_CLIENT, "unknown_client")                         \
	X(LBP_REASON_AMBIGUOUS, "ambiguous")                                   \
	X(LBP_REASON_NOT_ALLOWED, "not_allowed")                               \
	X(LBP_REASON_CONCURRENT_LIMIT, "concurrent_limit")                     \
	X(LBP_REASON_RATE_LIMIT, "rate_limit")                                 \
	X(LBP_REASON_MAX_CONNECTIONS, "max_connections")                       \
	X(LBP_REASON_NO_UPSTREAM, "no_upstream")                               \
	X(LBP_REASON_CLIENT_RESET, "client_reset")                             \
	X(LBP_REASON_UPSTREAM_RESET, "upstream_reset")                         \
	X(LBP_REASON_CLIENT_TRUNCATED, "client_truncated")                     \
	X(LBP_REASON_UPSTREAM_TRUNCATED, "upstream_truncated")                 \
	X(LBP_REASON_CLIENT_FLOOD, "client_flood")                             \
	X(LBP_REASON_UPSTREAM_FLOOD, "upstream_flood")                         \
	X(LBP_REASON_IDLE_TIMEOUT, "idle_timeout")                             \
	X(LBP_REASON_DRAIN_TIMEOUT, "drain_timeout")                           \
	X(LBP_REASON_SHUTDOWN, "shutdown")                                     \
	X(LBP_REASON_INTERNAL, "internal")                                     \
	X(LBP_REASON_LIFETIME, "lifetime")                                     \
	X(LBP_REASON_BAD_PROXY_HEADER, "bad_proxy_header")                     \
	X(LBP_REASON_NO_PROTOCOL, "no_protocol")                               \
	X(LBP_REASON_UPSTREAM_UNTRUSTED, "upstream_untrusted")                 \
	X(LBP_REASON_KILLED, "killed")

#define LBP_REASON_ENUM(code, text) code,
enum lbp_reason {
	LBP_REASON_MAP(LBP_REASON_ENUM)
};
#undef LBP_REASON_ENUM

/* How many there are in this version; later ones are added at the end. */
#define LBP_REASON_PLACE(code, text) code##_PLACE,
enum {
	LBP_REASON_MAP(LBP_REASON_PLACE) LBP_REASONS
};
#undef LBP_REASON_PLACE

/* The reason as the log has it; static. */
const char *lbp_reason_text(enum lbp_reason reason);

LBP_END_DECLS

#endif
