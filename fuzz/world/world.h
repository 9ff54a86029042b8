/*
 * The world around the whole server: its configuration, clients, upstreams,
 * time, signals, shortages and the reader of its log, all drawn from bytes, and
 * what SPEC.md says of what they see. It talks to the server through the
 * made-up kernel alone.
 */
#ifndef LBP_FUZZ_WORLD_H
#define LBP_FUZZ_WORLD_H

#include "kernel/kernel.h"
#include "kernel/wire.h"
#include "server/admin.h"
#include "server/proxy.h"
#include "session.h"

#define WORLD_APPS      2
#define WORLD_UPSTREAMS 20
#define WORLD_CLIENTS   256 /* connections of clients in one run */
#define WORLD_DIALS     512
#define WORLD_CONFIG    16384
#define PLACES_MORE     2
#define PORT_APPS       8000 /* each application has one, */
#define PORT_DOOR       8009 /* and the first one another */

/* Whose connections begin with a header, and who it says that they are from. */
#define WORLD_BALANCER "10.0.0.1"
#define WORLD_SOURCE   "192.0.2.7"

/* Of every client, with a letter after it, by who it is. */
#define WORLD_URI "spiffe://world/"

/* Who a client's certificate says it is. */
enum world_who {
	WHO_ALICE, /* may use both applications */
	WHO_BOB,   /* the first one only */
	WHO_CAROL, /* both, with limits of her own */
	WHO_STRANGER,
	WHO_NO_CERTIFICATE,
	WHO_EXPIRED, /* and so on: a certificate that is refused */
	WHO_NOBODY,  /* says nothing */
	WHO_KINDS,
};

/* One end of a connection that is not the server's. */
struct peer {
	struct sock *sock;
	bool is_tls;
	bool is_client;                   /* in TLS: it says hello first */
	uint8_t out[4 * WIRE_RECORD_MAX]; /* what the socket has not taken */
	size_t out_len;
	uint8_t in[WIRE_RECORD_MAX]; /* a record that has not come whole */
	size_t in_len;
	bool awaits_header;            /* of the server, before all else */
	uint8_t header[LBP_PROXY_MAX]; /* header_len bytes of it */
	size_t header_len;
	bool said_hello;
	bool heard_hello;
	bool is_open;     /* its handshake is complete */
	bool was_refused; /* it got an alert */
	uint64_t sent;    /* bytes of data, */
	uint64_t got;
	unsigned from;   /* who sent those: a client's, or a dial's, number */
	bool has_ended;  /* cleanly */
	bool ends_tcp;   /* once all of out has gone */
	bool has_broken; /* or not: */
	bool has_truncated;
	bool has_reset;
	bool has_vanished;
	uint64_t vanished_ns;
	bool misbehaved; /* it broke TLS */
	bool saw_close;
	bool saw_end;
	bool saw_reset;
	uint64_t touched_ns; /* when it last did something */
};

/* A connection of a client. */
struct client {
	struct peer peer;
	unsigned number; /* from 1 */
	unsigned app;
	enum world_who who;
	uint16_t port;   /* its own, which is no other one's */
	const char *ip;  /* that the log says it has, once its header came */
	bool is_bad;     /* its header is none */
	bool has_shown;  /* its certificate */
	unsigned offers; /* which protocols: see client_offers */
	bool is_accepted;
	uint64_t accepted_ns;
	struct dial_seen *upstream; /* where its bytes arrive */
	unsigned reported;          /* lines about it */
	bool is_to_die;             /* an operator has it killed */
	enum lbp_reason reason;
	uint64_t bytes_up; /* that the line says */
	uint64_t bytes_down;
};

/* A connection of the server to an upstream. */
struct dial_seen {
	struct peer peer;
	unsigned number; /* from 1 */
	unsigned app;
	unsigned upstream;
	bool is_answered;
	bool is_itself;        /* there is nobody */
	bool was_open;         /* at the last reload */
	struct client *told;   /* of whom the header was; NULL: a check */
	struct client *client; /* whose bytes arrive; NULL: none have */
};

enum upstream_mode {
	MODE_UP,
	MODE_REFUSING,
	MODE_UNREACHABLE, /* at once */
	MODE_HANGING,
	MODE_BAD_CERTIFICATE,
	MODE_RESETTING,
	MODE_ITSELF, /* the server is connected to itself */
	MODE_KINDS,
};

struct upstream {
	bool is_tls;
	bool has_name;
	bool has_address; /* if it has a name */
	enum upstream_mode mode;
	bool is_to_blame; /* it may have failed by a fault of its own */
	bool is_down;     /* as the log says */
	char url[32];
	bool was_drained;    /* ever */
	uint64_t drained_ns; /* by an operator, since then; 0: it is not */
};

struct app_plan {
	unsigned upstreams;
	unsigned concurrent; /* 0: no limit */
	bool has_checks;
	bool takes_unclean_end;
	uint64_t lifetime_ns; /* 0: none */
	bool has_protocols;   /* "one" and "two" */
	struct upstream items[WORLD_UPSTREAMS];
};

/* What another file takes away from the first one. */
enum variant {
	NO_BOB = 1 << 0,
	NO_ALICE_IN_1 = 1 << 1, /* the second application is not hers */
	NO_CAROL = 1 << 2,      /* her certificate is revoked */
	NO_LAST = 1 << 3,       /* upstream of the first application */
	IS_BROKEN = 1 << 4,     /* and takes nothing away */
	OTHER_CA = 1 << 5,      /* than the one of all tls:// upstreams */
	MORE_PLACES = 1 << 6,   /* takes nothing away, and adds some */
	NO_DOOR = 1 << 7, /* no second address of app0, but one more app */
	VARIANTS = 1 << 8,
};

/* What an operator asks. */
struct order {
	bool is_given;
	bool is_taken; /* and not answered yet */
	enum lbp_admin_resource what;
	enum world_who who;
	unsigned app; /* whose first upstream */
};

/* What the server can lack. */
enum world_lack {
	LACK_DESCRIPTORS,
	LACK_PORTS,
	LACK_OTHER,
	LACKS,
};

/* A piece of the configuration. */
struct piece {
	size_t end;
	unsigned only;    /* where one of these is so; 0: always */
	unsigned without; /* where none of these is */
};

#define WORLD_PIECES (22 + 5 * WORLD_APPS * WORLD_UPSTREAMS)

struct world {
	struct bytes bytes;
	char drawn[WORLD_CONFIG]; /* all of its pieces */
	struct piece pieces[WORLD_PIECES];
	unsigned piece_len;
	char config[WORLD_CONFIG]; /* the file */
	unsigned variant;          /* what the file says, */
	unsigned in_force;         /* the server, */
	unsigned ever;             /* and any file so far */
	unsigned workers;
	bool is_select;
	unsigned max_connections;
	unsigned max_handshakes;
	uint64_t handshake_ns;
	uint64_t connect_ns;
	uint64_t idle_ns;
	uint64_t lifetime_ns; /* 0: none */
	uint64_t drain_delay_ns;
	uint64_t drain_ns;
	unsigned carol;     /* her limit */
	bool sends_headers; /* of the PROXY protocol, to all upstreams */
	bool reads_headers; /* from WORLD_BALANCER */
	unsigned apps;
	struct app_plan app[WORLD_APPS];

	bool has_socket;   /* for an operator, */
	bool has_operator; /* who is there */
	struct order order;
	unsigned killed;  /* whose sessions an operator had ended, as bits */
	unsigned steered; /* orders that are logged, if they are carried out */
	unsigned told;    /* lines about them */

	bool is_honest; /* no upstream does anything wrong by itself */

	struct client clients[WORLD_CLIENTS];
	struct dial_seen dials[WORLD_DIALS];
	unsigned client_len;
	unsigned dial_len;
	unsigned dialed; /* in all */

	/* What was done to the server: */
	bool was_troubled; /* a shortage, or a signal to reload */
	bool is_short;     /* of descriptors */
	uint64_t short_ns; /* when that changed last */
	unsigned terms;
	uint64_t term_ns;
	unsigned hups;
	unsigned late_asks; /* for a reload, that may come to nothing */
	bool is_asked;      /* to reload, and has not said that it has */
	/* So often its file had been read when it was asked last. */
	uint64_t reads;
	bool is_at_rest;
	uint64_t to_pass_ns; /* when it is */
	uint64_t lag_ns;     /* that passed while it was not */
	unsigned steps;
	bool trusts_all; /* was told to, at the end */
	unsigned stage;  /* of the end */
	unsigned stage_steps;
	uint64_t stage_until_ns;

	/* What its log says: */
	bool is_ready;
	bool has_stopped;
	bool has_drained;
	unsigned cut;       /* sessions, as their lines say */
	unsigned internals; /* connections that ended so */
	uint64_t suppressed;
	uint64_t dropped;
	unsigned errors;         /* lines about what the server lacks, */
	uint64_t told_ns[LACKS]; /* when they were last; 0: never */
	unsigned reloads;        /* that were reported, */
	unsigned generation;     /* and which is in force */
};

extern struct world world;

/* Runs the server in the world that the bytes say, and judges it. */
void world_run(const uint8_t *data, size_t len);

/* Prints what happens from now on. */
void world_be_verbose(void);
__attribute__((format(printf, 1, 2))) void world_note(const char *format, ...);

/* Did the server ever lack something? */
bool world_was_short(void);

/* plan.c: draws the configuration, and writes it. */
void plan_draw(struct world *world);
/* Writes it as this variant. */
void plan_write(unsigned variant);
/* So many sessions there may be then. */
unsigned plan_places(unsigned variant);
/* Is the client, for all that is in force, to have no session? */
bool plan_bars(const struct client *client, unsigned variant);

/* arrivals.c: how connections come about. */
/* NULL: nobody listens, or there were too many. */
struct client *client_connect(unsigned app, enum world_who who);
/* The protocols that it offers, as on the wire; "": none. */
const char *client_offers(const struct client *client);
/* Can they speak with each other? */
bool client_is_understood(const struct client *client);
/* The next message of a handshake, if it is this one's turn. */
void client_shake_hands(struct client *client);
/*
 * Every other one has had its certificate renewed: it has a serial that nobody
 * lists, and the URI of who it is.
 */
bool client_is_renewed(const struct client *client);
/* Where it connects from, as far as the server is told. */
const char *client_ip(const struct client *client);
void dial_shake_hands(struct dial_seen *dial);
/* What its upstream does about a dial that waits for an answer. */
void dial_answer(struct dial_seen *dial);
struct upstream *dial_upstream(const struct dial_seen *dial);
/* For struct kernel_world. */
void arrivals_dial(struct sock *sock, const struct sockaddr_in *to);
void arrivals_accepted(struct sock *sock);
unsigned arrivals_resolve(
	const char *name, struct in_addr *addresses, unsigned max);

/* acts.c: what happens while there is trouble. */
/* Draws one thing, and does it. */
void acts_draw(void);
/* Lets time pass until something is due; false: it has all passed. */
bool acts_pass_time(void);

/* operator.c: who asks at the admin socket. */
/* Has the operator ask for something, unless there is an answer to wait for. */
void operator_order(unsigned drawn);
/* Has all upstreams resumed; false: they are. */
bool operator_resume(void);

/* end.c: one step of the end, when the server is at rest. */
void end_step(void);

/* peer.c: what a peer says and hears. */
void peer_put(struct peer *peer, enum wire_type type, const void *payload,
	size_t len);
void peer_send_data(struct peer *peer, unsigned number, size_t n);
void peer_flush(struct peer *peer);
/* Takes at most n bytes, and hears what they say; true: there were some. */
bool peer_take(struct peer *peer, size_t n);
bool dial_take(struct dial_seen *dial, size_t n);
void peer_end(struct peer *peer);
void peer_truncate(struct peer *peer);
void peer_break(struct peer *peer, int error);
void peer_vanish(struct peer *peer);
/* What a peer of this number sends. */
uint8_t peer_byte(unsigned number, bool is_client, uint64_t at);
bool peer_is_over(const struct peer *peer);

/* line.c: what a line has. */
/* What follows "key": in it, or NULL. */
const char *line_find(const char *line, const char *key);
/* Is a value this text? */
bool line_is(const char *value, const char *text);
bool line_has(const char *line, const char *key, const char *text);
/* 0 without the key. */
uint64_t line_number(const char *line, const char *key);

/* When it was made, to the millisecond; it may have been written later. */
uint64_t line_time_ns(const char *line);

/* judge_fields.c: which fields it has. */
void judge_fields(const char *line);

/* judge_error.c: what SPEC.md says of a line of event "error". */
void judge_error(const char *line);
/* Why an upstream failed, or a session found none. */
void judge_cause(const char *line);

/* judge_log.c: what SPEC.md says of a line. */
void judge_line(const char *line, size_t len);

/* judge.c: and of what peers see. */
void judge_rest(void);
void judge_end(int status);

#endif
