/*
 * TLS over a non-blocking socket. Only tls*.c include OpenSSL.
 *
 * Contexts are made once and shared by all threads; a struct tls is one
 * connection's and belongs to one thread.
 */
#ifndef TLS_H
#define TLS_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "name.h"
#include "problem.h"
#include "server/alpn.h"
#include "server/config.h"
#include "server/hello_length.h"
#include "session.h"

/* The result of a read, a write, a handshake or an end. */
enum io {
	IO_OK,
	IO_WANT_READ, /* retry once the socket is readable */
	IO_WANT_WRITE,
	IO_YIELD,     /* retry next turn: the budget is used up */
	IO_END,       /* the peer ended cleanly */
	IO_TRUNCATED, /* TCP FIN without close_notify */
	IO_RESET,     /* TCP was reset or failed, or TLS is broken */
	IO_FLOOD,     /* too many records without data */
	IO_INTERNAL,  /* our own fault; tls_error says which */
};

struct cache;      /* the sessions that clients may resume */
struct trust;      /* by what clients' certificates are trusted */
struct tls_server; /* towards clients */
struct tls_client; /* towards one upstream */

struct tls {
	struct ssl_st *ssl; /* NULL: not started */
	/*
	 * Called inside the handshake for each trusted certificate, also of a
	 * resumed session: returns true if the handshake may continue. The
	 * first name is its serial; they live until the next call, or until
	 * tls_release.
	 */
	bool (*identify)(
		void *user, const struct lbp_name *names, size_t name_len);
	/*
	 * Likewise, with the protocols that a client offers, len bytes as on
	 * the wire; NULL: they are ignored. [SRV-173].
	 */
	enum lbp_alpn_choice (*choose)(void *user, const uint8_t *offered,
		size_t len, struct lbp_alpn_name *chosen);
	void *user;
	struct lbp_name *names; /* private: of the last call, or NULL */
	size_t name_len;
	enum lbp_reason reason; /* why the handshake failed */
	const char *detail;     /* OpenSSL's reason, or NULL */
	bool takes_unclean_end; /* FIN without close_notify is a clean end */

	int fd;
	bool is_open;           /* the handshake is complete */
	bool has_ended;         /* the peer sent FIN */
	int error;              /* of the socket; 0: none */
	size_t budget;          /* left for reading. [SRV-87] */
	bool is_starved;        /* a read needed more than that */
	bool is_drained;        /* in this call; the poller tells of more */
	bool is_flood;          /* [SRV-88] */
	unsigned empty_records; /* since the last data */
	bool has_more;          /* is written next, after what is written now */

	/* Towards a client: */
	const struct trust *trust;
	struct cache *cache;            /* NULL: towards an upstream */
	uint64_t full_ns;               /* when its full handshake was */
	uint32_t client;                /* LBP_NONE: not admitted */
	struct lbp_hello_length length; /* that its hello announces */
	bool owes_ticket; /* to be sent with the first bytes. [SRV-71] */
};

/* Bytes that a whole handshake may read. [SRV-89]. */
#define TLS_HANDSHAKE_BUDGET (256 * 1024)

/*
 * Makes the context of [tls]; relative paths are looked up in the directory
 * open as dir_fd. NULL: each fault was printed at the place of its key.
 */
struct tls_server *tls_server_new(
	const struct lbp_config *config, int dir_fd, struct problems *problems);
void tls_server_free(struct tls_server *server);

/*
 * Before it serves: clients may resume the sessions in this cache, which must
 * outlive all connections. before is the server that it replaces, or NULL;
 * what was trusted by that one's CA may be resumed if this one has the same.
 */
void tls_server_follow(struct tls_server *server, struct cache *cache,
	const struct tls_server *before);

/* Makes a cache without sessions; NULL: out of memory. */
struct cache *tls_cache_new(void);
void tls_cache_free(struct cache *cache); /* NULL is allowed */

/* Removes the sessions that this server does not resume any more. */
void tls_cache_purge(struct cache *cache, const struct tls_server *server);

/*
 * Gives the CAs of the configuration that a server was made of the numbers by
 * which it will name them to identify; to be called before a policy is made of
 * that. They stay with a CA's name and key over reloads.
 */
void tls_server_number(
	const struct tls_server *server, struct lbp_config *config);

/* Returns true if this serial is on a revocation list of its CA. */
bool tls_server_revokes(const struct tls_server *server,
	const struct lbp_config_serial *serial);

/* Like tls_server_new, for a tls:// upstream; held once. [SRV-14]. */
struct tls_client *tls_client_new(const struct lbp_config_upstream *upstream,
	int dir_fd, struct problems *problems);

/* Holds it once more, and returns it; NULL is allowed, here and below. */
struct tls_client *tls_client_hold(struct tls_client *client);

/* Releases what was held or made. */
void tls_client_free(struct tls_client *client);

/*
 * Returns true if an upstream whose handshake was completed as before says is
 * trusted by this client too, as far as names and CAs go. [RLD-21].
 */
bool tls_client_accepts(const struct tls_client *client,
	const struct tls_client *before, const struct tls *tls);

/*
 * Starts TLS on a connected socket, which stays the caller's. False: out of
 * memory; nothing was started.
 */
bool tls_accept(struct tls *tls, struct tls_server *server, int fd);
bool tls_connect(struct tls *tls, const struct tls_client *client, int fd);

/*
 * Advances the handshake. IO_RESET or IO_INTERNAL: it failed, reason and detail
 * say why; an alert, if any, was sent.
 */
enum io tls_handshake(struct tls *tls);

/* After IO_INTERNAL: the cause, as errno has it. */
static inline int tls_error(const struct tls *tls)
{
	return tls->error != 0 ? tls->error : ENOMEM;
}

/*
 * Reads 1 to len bytes; with IO_OK, *n of them. What is read from the socket is
 * deducted from tls->budget, which the caller sets.
 */
enum io tls_read(struct tls *tls, void *buf, size_t len, size_t *n);

/*
 * Writes what the socket takes of len bytes; with IO_OK and IO_WANT_*, *n of
 * them. After IO_WANT_*, whose *n may be 0, the next call must start with those
 * that were not written, and must not pass fewer.
 */
enum io tls_write(struct tls *tls, const void *buf, size_t len, size_t *n);

/*
 * A client's connection is judged by another server's trust from now on.
 * Returns what that says of the certificate that it has shown;
 * LBP_REASON_NONE: it is fine, or there was none yet. Only then may the server
 * that it had before be freed.
 */
enum lbp_reason tls_renew(struct tls *tls, const struct tls_server *server);

/*
 * Until when the client's certificate and the CA are valid, in seconds since
 * 1970; LBP_EXPIRY_NEVER if there is none.
 */
int64_t tls_trusted_until(const struct tls *tls);

/*
 * Sends close_notify, which may wait for the end of the socket (FIN): that must
 * follow at once.
 */
enum io tls_end(struct tls *tls);

/* Returns true if there is more to read that the poller cannot see. */
bool tls_has_pending(const struct tls *tls);

/*
 * Says that the session was admitted as one of this client's, so that its TLS
 * session may be resumed. [SRV-68].
 */
void tls_admitted(struct tls *tls, uint32_t client);

/* Returns true if the TLS session was resumed. */
bool tls_is_resumed(const struct tls *tls);

/* The protocol, such as "TLSv1.3"; static. */
const char *tls_version(const struct tls *tls);

/* Longest common name that is told to others, in UTF-8. */
#define TLS_COMMON_NAME_MAX 256

/* What upstreams are told of a client's TLS; pointers are valid as long as it.
 */
struct tls_description {
	const char *cipher;      /* OpenSSL's name; static */
	const char *server_name; /* that the client sent; NULL: none */
	const unsigned char *alpn;
	size_t alpn_len;
	/* Of its certificate; length 0: none, or none that can be told. */
	unsigned char common_name[TLS_COMMON_NAME_MAX];
	size_t common_name_len;
};

/*
 * Describes a client whose handshake is complete, each time in the same way.
 * False: out of memory.
 */
bool tls_describe(const struct tls *tls, struct tls_description *description);

/* Frees TLS without notifying the peer; it need not have been started. */
void tls_release(struct tls *tls);

#endif
