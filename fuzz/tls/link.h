/*
 * The server's side of a connection, over memory instead of a socket, and a
 * real client on the other end of two wires.
 */
#ifndef LBP_FUZZ_TLS_LINK_H
#define LBP_FUZZ_TLS_LINK_H

#include "../../cmd/lbproxyd/tls_private.h"
#include "wire.h"

struct link {
	struct tls tls; /* the server's */
	BIO *inner;     /* the server's socket, for recv and send, wrapped */
	BIO *outer;     /* its far end */
	size_t taken;   /* of the socket, in this read of data */
	size_t chunk;   /* bytes given to a side at once */
	bool was_short; /* the last read, in this call */
	bool has_more;  /* said of what was sent last */
	/* Before each step of the server another connection fails. [SRV-33] */
	bool others_fail;

	SSL *client; /* NULL: bytes are given directly */
	BIO *client_in;
	BIO *client_out;
	bool client_failed;
	bool client_ended; /* it has close_notify */
	int alert;         /* the last that the client got, level << 8 | what */

	struct wire up;
	struct wire down;
	/* Once the server has sent something: seconds that pass, once. */
	long late_s;

	enum io io;         /* the handshake's last result */
	size_t down_needed; /* of down.sent: what the handshake depended on */
	size_t up_needed;   /* of up.sent, likewise; 0: the client is at it */
	size_t down_got;    /* data that the client read, as it should be */
	bool down_garbled;  /* or not */
};

/* The byte at `at` of the data that either side sends. */
static inline uint8_t link_byte(size_t at)
{
	return (uint8_t)(at * 31 + (at >> 8) + 7);
}

/*
 * Accepts as the server does, with a socket buffer of buffer bytes, in each
 * direction. link is zeroed, or was released and never had a client, but for
 * tls.identify and tls.user. One link at a time is accepted. False: out of
 * memory, and nothing to release.
 */
bool link_accept(struct link *link, struct tls_server *server, size_t buffer,
	size_t chunk);

/* Puts a client on the other end; takes over the reference. */
void link_connect(struct link *link, SSL *client);

/* Carries bytes and drives the client; false if nothing moved. */
bool link_carry(struct link *link);

/* The client's socket ends: the server reads an end after what it got. */
void link_cut(struct link *link);

/*
 * Before each call of the server's TLS. Another connection fails, if
 * others_fail, and leaves what failures leave.
 */
void link_begin_call(struct link *link);

/* Drives the handshake until it has a result or nothing moves any more. */
void link_handshake(struct link *link);

/* The oracles of a handshake that failed: it was refused, for a reason. */
void link_check_refused(const struct link *link);

/* Carries until nothing moves any more. */
void link_settle(struct link *link);

/*
 * Reads to the end; *len counts bytes as they should be, the first other one
 * counts as IO_OK.
 */
enum io link_read(struct link *link, size_t *len);

/* Writes len bytes of data. */
enum io link_write(struct link *link, size_t len);

void link_release(struct link *link);

#endif
