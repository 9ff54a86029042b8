/*
 * TLS over a non-blocking socket. Only tls*.c include OpenSSL.
 *
 * Contexts are made once and shared by all threads; a struct tls is one
 * connection's and belongs to one thread.
 */
#ifndef TLS_H
#define TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "problem.h"
#include "serial.h"
#include "server/config.h"
#include "session.h"

/* What a read, a write, a handshake or an end came to. */
enum io {
	IO_OK,
	IO_WANT_READ, /* again, once the socket can be read */
	IO_WANT_WRITE,
	IO_YIELD,     /* again, in the next turn: the budget is used up */
	IO_END,       /* the peer ended cleanly */
	IO_TRUNCATED, /* TCP ended, and TLS did not */
	IO_RESET,     /* TCP was reset or has failed, or TLS is broken */
	IO_FLOOD,     /* too many records without data */
	IO_INTERNAL,  /* our own trouble: out of memory */
};

struct tls_server; /* towards clients */
struct tls_client; /* towards one upstream */

struct tls {
	struct ssl_st *ssl; /* NULL: not started */
	/*
	 * Asked inside the handshake for each trusted certificate, a resumed
	 * session's too: may the handshake go on?
	 */
	bool (*identify)(void *user, const struct lbp_serial *serial);
	void *user;
	enum lbp_reason reason; /* why the handshake failed */
	const char *detail;     /* the same in OpenSSL's words, or NULL */
	bool takes_unclean_end; /* TCP's end is an end also without TLS's */

	int fd;
	bool is_open;           /* the handshake is over */
	bool has_ended;         /* TCP has, from the peer */
	int error;              /* of the socket; 0: none */
	size_t budget;          /* that reading may still use [SRV-87] */
	bool is_starved;        /* and had to go without */
	bool is_flood;          /* [SRV-88] */
	unsigned empty_records; /* since there was data */

	/* Towards a client, for its TLS session to be resumed: */
	struct cache *cache; /* NULL: towards an upstream */
	uint64_t full_ns; /* when the full handshake was that it began with */
	uint32_t client;  /* whose it is; LBP_NONE: not admitted */
	bool owes_ticket; /* it goes with the first bytes. [SRV-71] */
};

/* What a handshake may use of the socket in all. [SRV-89]. */
#define TLS_HANDSHAKE_BUDGET (256 * 1024)

/*
 * Makes the context of [tls]; relative paths are looked up in the directory
 * open as dir_fd. NULL: each fault was printed at the place of its key.
 */
struct tls_server *tls_server_new(
	const struct lbp_config *config, int dir_fd, struct problems *problems);
void tls_server_free(struct tls_server *server);

/* Is this serial on a revocation list? */
bool tls_server_revokes(
	const struct tls_server *server, const struct lbp_serial *serial);

/* As tls_server_new, for a tls:// upstream. [SRV-14]. */
struct tls_client *tls_client_new(const struct lbp_config_upstream *upstream,
	int dir_fd, struct problems *problems);
void tls_client_free(struct tls_client *client);

/*
 * Starts TLS on a connected socket, which stays the caller's. False: out of
 * memory; nothing is started.
 */
bool tls_accept(struct tls *tls, struct tls_server *server, int fd);
bool tls_connect(struct tls *tls, const struct tls_client *client, int fd);

/* Drives the handshake. IO_RESET: it failed, an alert was sent if any. */
enum io tls_handshake(struct tls *tls);

/*
 * Reads at least one and at most len bytes; *n of them with IO_OK. What it
 * takes from the socket it takes from tls->budget, which the caller sets.
 */
enum io tls_read(struct tls *tls, void *buf, size_t len, size_t *n);

/*
 * Writes at least one of len bytes; *n of them with IO_OK. After IO_WANT_*
 * the next call must begin with the same bytes, and give no fewer.
 */
enum io tls_write(struct tls *tls, const void *buf, size_t len, size_t *n);

/* Sends close_notify. */
enum io tls_end(struct tls *tls);

/* Is there more to read that the socket does not tell of? */
bool tls_has_pending(const struct tls *tls);

/*
 * The session was admitted, as one of this client's: from now on its TLS
 * session may be resumed. [SRV-68].
 */
void tls_admitted(struct tls *tls, uint32_t client);

/* Was the TLS session resumed? */
bool tls_is_resumed(const struct tls *tls);

/* "TLSv1.3" and the like; static. */
const char *tls_version(const struct tls *tls);

/* Ends TLS without a word to the peer; one not started is allowed. */
void tls_release(struct tls *tls);

#endif
