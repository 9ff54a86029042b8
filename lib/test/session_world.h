/*
 * Scenarios of one session in virtual time: "after" a while "when" something
 * happens, "then" so it is. Everything is checked with CUnit.
 */
#ifndef LBP_TEST_SESSION_WORLD_H
#define LBP_TEST_SESSION_WORLD_H

#include <CUnit/CUnit.h>

#include "app.h"
#include "core/balancer.h"
#include "core/session_state.h"

enum {
	ALICE,
	BOB,
	CAROL,
	EVE,
	CLIENTS
};
/* The serials' octets; Alice has two, and nobody knows Mallory. */
enum {
	ALICES = 1,
	ALICES_TOO,
	BOBS,
	CAROLS,
	EVES,
	MALLORYS
};

#define MS        UINT64_C(1000000)
#define HANDSHAKE (5000 * MS)
#define CONNECT   (3000 * MS)
#define IDLE      (600000 * MS)
#define LINGER    (2000 * MS)
#define START     (7777 * MS)
#define UPSTREAMS 2
#define KINDS     (LBP_EVENT_ANSWERED + 1)
/* A tick at the deadline; LBP_EVENT_TICK is one before it. */
#define DUE KINDS

#define REFUSE         LBP_DUTY_REFUSE
#define DROP           LBP_DUTY_DROP_DIAL
#define DIAL           LBP_DUTY_DIAL
#define RELAY          LBP_DUTY_RELAY
#define NOTIFY         (LBP_DUTY_CLOSE_NOTIFY | LBP_DUTY_LINGER)
#define LINGERS        LBP_DUTY_LINGER
#define REPORT         LBP_DUTY_REPORT
#define RESET_CLIENT   LBP_DUTY_RESET_CLIENT
#define RESET_UPSTREAM LBP_DUTY_RESET_UPSTREAM
#define ENDS           (LBP_DUTY_REPORT | LBP_DUTY_END)
#define END            LBP_DUTY_END

/* The application and its session, which every scenario begins anew. */
extern struct lbp_app *app;
extern struct lbp_session session;
extern uint64_t now_ns;
extern struct lbp_duties duties;
extern uint8_t who; /* whose serial an event has if nothing else is said */

/* A new application, and a session that was just accepted. */
void begin(void);

/* One more session on the same application. */
void accept_one(void);

/* Nothing is held any more, and the application ends. */
void finish(void);

/*
 * A reload after which only Bob is welcome, with his own serial and with
 * Alice's second one; Alice has her first serial and may use another
 * application. The session is not told.
 */
void reload_for_bob(void);

/* A reload that brings other upstreams. The session is not told. */
void reload_upstreams(const struct lbp_upstream *upstreams, size_t len);

/* Takes the session to a state, by the way of a welcome client. */
void go_to(enum lbp_state state);

/* Begins, and goes to a state. */
void reach(enum lbp_state state);

/* Trust says this of the certificate since a reload. */
void when_reloaded(enum lbp_reason reason);

/* Time goes by. */
void after(uint64_t span_ns);

/* An event happens, with the serial or reason of a usual one. */
void when(enum lbp_event_kind kind);

void when_identified(uint8_t octet);

/* Likewise, with two serials. */
void when_identified_by_two(uint8_t octet, uint8_t other);

void when_stopped(enum lbp_reason reason);

/* The handshake completes while there is no place for one more session. */
void when_done_while_full(void);

/* Both directions end and have passed their ends on. */
void pass_both_ends(void);

/* It was legal, these are the duties, and this is the state now. */
void then(unsigned set, enum lbp_state state);

/* Likewise, and one of the duties is to dial this upstream. */
void then_dial(unsigned with, uint32_t upstream);

/* It was not legal, and there is nothing to do. */
void then_illegal(void);

void reason_is(enum lbp_reason reason);

void deadline_is(uint64_t deadline_ns);

/* So many connections are open on the upstreams. */
void open_are(uint32_t first, uint32_t second);

/* No place and no connection could be given back again. */
void nothing_is_held(void);

/* Alice's one place is taken. */
void a_place_is_held(void);

/* Adds the tests of every event in every state to the suite. */
void add_session_events(CU_pSuite suite);

#endif
