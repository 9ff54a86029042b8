/*
 * A connection of the load tool and its steps; load.c says which steps, how
 * often and how many at once. Every error ends the program: a benchmark with
 * an error in it has no result.
 */
#ifndef LBP_BENCH_CONN_H
#define LBP_BENCH_CONN_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/ssl.h>

#include "exchange.h"

enum mode {
	MODE_CONNECT,
	MODE_RESUME,
	MODE_EXCHANGE,
	MODE_HOLD
};

enum step {
	STEP_HANDSHAKE,
	STEP_SEND,
	STEP_RECEIVE,
	STEP_CLOSE,
	STEP_NONE
};

struct plan {
	enum mode mode;
	uint16_t port;
	int tls; /* as of OpenSSL; 0: none */
	uint64_t conns;
	uint64_t count; /* operations */
	uint64_t up;    /* bytes of a request after its header */
	uint64_t down;  /* bytes of an answer */
	const char *ca;
	const char *certificate;
	const char *key;
	bool yields; /* the CPU, after each event */
};

/*
 * A phase takes connections through the steps from first to last, `total`
 * times over all, `width` at once.
 */
struct phase {
	enum step first;
	enum step last;
	uint64_t total;
	uint64_t width;
	uint64_t up;
	uint64_t down;
};

struct conn {
	struct load *load;
	SSL *ssl;
	SSL_SESSION *session; /* the newest, for the next handshake */
	int fd;
	enum step step;
	uint32_t watched;
	uint64_t done_bytes; /* of the step */
	uint64_t began_ns;   /* the steps of this time */
};

struct load {
	struct plan plan;
	struct phase phase;
	SSL_CTX *ctx;
	int epoll;
	struct conn *conns;
	uint64_t started;
	uint64_t finished;
	uint64_t resumed;
	uint64_t *times_ns; /* how long each exchange took, plan.count */
	unsigned char request[EXCHANGE_HEADER_BYTES + PATTERN_ROOM];
	unsigned char sink[BLOCK_BYTES];
};

/* Says what went wrong, with errno and OpenSSL's errors; exit status 1. */
_Noreturn void die(const char *what);

/* Nanoseconds on a clock that never goes back. */
uint64_t now_ns(void);

/* Begins the first step of the phase; a handshake opens the socket too. */
void conn_start(struct conn *conn);

/*
 * Goes on until the connection has to wait for an event, which is then
 * registered with the load's epoll, or has nothing to do in this phase.
 */
void conn_drive(struct conn *conn);

#endif
