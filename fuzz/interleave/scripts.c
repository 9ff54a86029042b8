/*
 * What threads tell each other, in every order: mailboxes, places, and the
 * whole server from its start to its end, with clients and signals.
 * usage: interleave [deep]
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../cmd/lbproxyd/capacity.h"
#include "../cmd/lbproxyd/errand.h"
#include "../cmd/lbproxyd/handshakes.h"
#include "../cmd/lbproxyd/mailbox.h"
#include "health.h"
#include "server.h"
#include "world.h"

/* --- mailboxes --- */

#define LETTERS 4

struct letter {
	struct mail mail; /* first: a delivered one is its letter */
	unsigned from;
	unsigned number;
};

static struct {
	struct poller *poller;
	struct mailbox mailbox;
	struct letter letters[LETTERS];
	unsigned arrived;
	unsigned last[2]; /* of each sender */
	unsigned state;
	unsigned seen;
} post;

static void start_post(void)
{
	world_start();
	memset(&post, 0, sizeof(post));
	post.poller = poller_new(LBP_EVENT_LOOP_EPOLL);
	(void)mailbox_init(&post.mailbox, post.poller);
}

static void deliver_letter(struct mail *mail)
{
	struct letter *letter = (struct letter *)(void *)mail;

	ORACLE("SRV-50", letter->number == post.last[letter->from] + 1,
		"a letter comes twice or in another order");
	post.last[letter->from] = letter->number;
	post.arrived++;
}

/* Two letters, those of the sender of this number. */
static void send_two(void *arg)
{
	struct letter *letters = arg;
	unsigned i;

	for (i = 0; i < 2; i++) {
		letters[i] = (struct letter){{.deliver = deliver_letter},
			letters == post.letters ? 0 : 1, i + 1};
		mailbox_post(&post.mailbox, &letters[i].mail);
	}
}

static void receive_letters(void *arg)
{
	(void)arg;
	while (post.arrived < LETTERS)
		(void)poller_wait(post.poller, -1);
}

static void start_letters(void)
{
	start_post();
	interleave_thread("receiver", receive_letters, NULL);
	interleave_thread("sender 1", send_two, &post.letters[0]);
	interleave_thread("sender 2", send_two, &post.letters[2]);
}

static void judge_post(bool all_over)
{
	ORACLE("SRV-50", all_over, "somebody waits for ever");
}

static void deliver_state(struct mail *mail)
{
	(void)mail;
	post.seen = post.state;
}

/* The same letter again and again: what it stands for is never missed. */
static void send_states(void *arg)
{
	(void)arg;
	while (post.state < 3) {
		world_atomic("changes", &post.state, TOUCH_WRITE);
		post.state++;
		mailbox_post(&post.mailbox, &post.letters[0].mail);
	}
}

static void receive_states(void *arg)
{
	(void)arg;
	while (post.seen < 3)
		(void)poller_wait(post.poller, -1);
}

static void start_states(void)
{
	start_post();
	post.letters[0].mail.deliver = deliver_state;
	interleave_thread("receiver", receive_states, NULL);
	interleave_thread("sender", send_states, NULL);
}

/* --- threads that end --- */

static struct {
	bool is_draining;
	unsigned refused;
	struct letter drain;
} ending;

static void deliver_drain(struct mail *mail)
{
	(void)mail;
	ending.is_draining = true;
}

/* As a worker ends. */
static void receive_until_drained(void *arg)
{
	(void)arg;
	while (!ending.is_draining || !mailbox_close(&post.mailbox))
		(void)poller_wait(post.poller, -1);
}

static void send_drain(void *arg)
{
	(void)arg;
	mailbox_post(&post.mailbox, &ending.drain.mail);
}

/* One after the other, as far as they are taken. */
static void send_if_taken(void *arg)
{
	unsigned i;

	(void)arg;
	for (i = 0; i < 2; i++) {
		post.letters[i] =
			(struct letter){{.deliver = deliver_letter}, 0, i + 1};
		if (!mailbox_post(&post.mailbox, &post.letters[i].mail))
			ending.refused++;
	}
}

static void start_ending(void)
{
	start_post();
	memset(&ending, 0, sizeof(ending));
	ending.drain.mail.deliver = deliver_drain;
	interleave_thread("receiver", receive_until_drained, NULL);
	interleave_thread("sender", send_if_taken, NULL);
	interleave_thread("drains", send_drain, NULL);
}

static void judge_ending(bool all_over)
{
	ORACLE("SRV-301", all_over, "somebody waits for ever");
	ORACLE("SRV-301", post.arrived + ending.refused == 2,
		"a letter is lost, or comes after all");
}

/* --- errands --- */

#define ASKERS 2

static struct {
	struct errand errand;
	struct asker askers[ASKERS];
	unsigned question; /* of whoever has taken it */
	unsigned answer;
	unsigned working;
	unsigned threads[ASKERS];
} asked;

static bool answer_question(void *user)
{
	(void)user;
	ORACLE("CTL-23", asked.working++ == 0, "two are answered at once");
	asked.answer = asked.question;
	asked.working--;
	return true;
}

static void ask_something(void *arg)
{
	struct asker *asker = arg;
	unsigned number = (unsigned)(asker - asked.askers) + 1;

	if (!asker_take(asker))
		return;
	asked.question = number;
	asked.answer = 0;
	if (asker_run(asker, &post.mailbox, answer_question, NULL))
		ORACLE("CTL-23", asked.answer == number,
			"another one's question is answered");
	asker_give(asker);
}

/* The first one's socket is closed. */
static void stop_asking(void *arg)
{
	(void)arg;
	asker_stop(&asked.askers[0]);
}

static void start_asking(void)
{
	unsigned i;

	memset(&asked, 0, sizeof(asked));
	errand_init(&asked.errand);
	for (i = 0; i < ASKERS; i++)
		asked.askers[i].errand = &asked.errand;
}

static void answer_for_ever(void *arg)
{
	(void)arg;
	for (;;)
		(void)poller_wait(post.poller, -1);
}

static void start_questions(void)
{
	unsigned i;

	start_post();
	start_asking();
	interleave_thread("answers", answer_for_ever, NULL);
	for (i = 0; i < ASKERS; i++)
		asked.threads[i] = interleave_thread(
			"asks", ask_something, &asked.askers[i]);
	interleave_thread("stops one", stop_asking, NULL);
}

static void judge_questions(bool all_over)
{
	unsigned i;

	(void)all_over;
	for (i = 0; i < ASKERS; i++)
		ORACLE("CTL-23", interleave_is_over(asked.threads[i]),
			"somebody waits for ever");
	ORACLE("CTL-23", !asked.errand.is_taken,
		"nobody asks, and nobody else can");
}

/* Of a thread that ends. */
static void start_last_question(void)
{
	start_post();
	start_asking();
	memset(&ending, 0, sizeof(ending));
	ending.drain.mail.deliver = deliver_drain;
	interleave_thread("answers", receive_until_drained, NULL);
	interleave_thread("drains", send_drain, NULL);
	asked.threads[0] =
		interleave_thread("asks", ask_something, &asked.askers[0]);
	asked.threads[1] = asked.threads[0];
}

/* --- places --- */

static struct capacity capacity;
static struct letter room;

static void nothing(struct mail *mail)
{
	(void)mail;
}

static void tell_room(void *user)
{
	(void)user;
	mailbox_post(&post.mailbox, &room.mail);
}

static void give_one(void *arg)
{
	(void)arg;
	capacity_give(&capacity);
}

/* Another one takes a place, if there is one, and gives it back. */
static void take_and_give(void *arg)
{
	(void)arg;
	if (capacity_take(&capacity))
		capacity_give(&capacity);
}

/* Takes two places, as soon as there are any. */
static void want_two(void *arg)
{
	unsigned taken = 0;

	(void)arg;
	while (taken < 2) {
		if (capacity_take(&capacity))
			taken++;
		else if (!capacity_want(&capacity))
			(void)poller_wait(post.poller, -1);
	}
}

static void start_places(void)
{
	start_post();
	room = (struct letter){.mail.deliver = nothing};
	capacity_init(&capacity, 2, 8, tell_room, NULL);
	capacity.used = 2;
	interleave_thread("wants two", want_two, NULL);
	interleave_thread("gives 1", give_one, NULL);
	interleave_thread("gives 2", give_one, NULL);
}

static void judge_places(bool all_over)
{
	ORACLE("SRV-52", all_over, "a place is free, and somebody waits");
}

static void start_rivals(void)
{
	start_places();
	interleave_thread("rival", take_and_give, NULL);
}

/* --- evictions --- */

#define HANDSHAKES 3

/* A worker with one handshake. */
struct shaker {
	struct poller *poller;
	struct mailbox mailbox;
	struct evictions evictions;
	struct handshake handshake;
	union address peer;
	bool begun;
	bool told;
};

static struct handshakes handshakes;
static struct shaker shakers[HANDSHAKES];
static int loose; /* handshakes without a place */

static void deliver_evictions(struct mail *mail)
{
	struct shaker *shaker =
		(struct shaker *)(void *)((char *)mail -
					  offsetof(struct shaker,
						  evictions.mail));
	struct handshake *handshake =
		handshakes_next_evicted(&handshakes, &shaker->evictions);

	if (handshake == NULL)
		return;
	ORACLE("SRV-40", handshake == &shaker->handshake && !shaker->told,
		"a worker is told of another one's handshake");
	shaker->told = true;
}

static bool has_begun(const void *first)
{
	return ((const struct shaker *)first)->begun;
}

/*
 * The first one's handshake goes on until it is evicted, as it must be by the
 * others', which begin later and end at once.
 */
static void shake(void *arg)
{
	struct shaker *shaker = arg;
	bool is_first = shaker == shakers;

	if (!is_first)
		interleave_step(&(struct step){
			"begins", shakers, TOUCH_READ, has_begun});
	if (!handshakes_enter(&handshakes, &shaker->handshake,
		    &shaker->evictions, &shaker->peer))
		loose++;
	shaker->begun = true;
	while (is_first && !shaker->told)
		(void)poller_wait(shaker->poller, -1);
	if (!handshakes_leave(&handshakes, &shaker->handshake))
		loose--;
}

static void start_evictions(void)
{
	unsigned i;

	world_start();
	memset(shakers, 0, sizeof(shakers));
	loose = 0;
	lbp_sources_free(handshakes.sources);
	if (!handshakes_init(&handshakes, 1))
		abort();
	for (i = 0; i < HANDSHAKES; i++) {
		struct shaker *shaker = &shakers[i];

		shaker->poller = poller_new(LBP_EVENT_LOOP_EPOLL);
		(void)mailbox_init(&shaker->mailbox, shaker->poller);
		shaker->evictions.mail.deliver = deliver_evictions;
		shaker->evictions.mailbox = &shaker->mailbox;
		shaker->peer.in.sin_family = AF_INET;
		shaker->peer.in.sin_addr.s_addr = i;
	}
	for (i = 0; i < HANDSHAKES; i++)
		(void)interleave_thread(NULL, shake, &shakers[i]);
}

static void judge_evictions(bool all_over)
{
	unsigned i;

	ORACLE("SRV-40", all_over, "who lost its place is not told");
	ORACLE("SRV-40", loose == 0, "a place is lost, or there is one more");
	for (i = 0; i < HANDSHAKES; i++)
		ORACLE("SRV-40", shakers[i].evictions.first == NULL,
			"who has ended is still to be told");
}

/* --- all of them --- */

static const struct script scripts[] = {
	{"two senders", start_letters, judge_post, 0},
	{"a letter posted again", start_states, judge_post, 0},
	{"a thread that ends", start_ending, judge_ending, 0},
	{"questions, and one that is given up", start_questions,
		judge_questions, 2},
	{"the last question", start_last_question, judge_questions, 0},
	{"two places for one that waits", start_places, judge_places, 0},
	{"and for a rival", start_rivals, judge_places, 2},
	{"places of handshakes", start_evictions, judge_evictions, 0},
	{"the health of an upstream", health_start, health_judge, 0},
};

int main(int argc, char **argv)
{
	size_t i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 0; i < sizeof(scripts) / sizeof(*scripts); i++)
		interleave_run(&scripts[i]);
	server_scripts(argc > 1 && strcmp(argv[1], "deep") == 0);
	return 0;
}
