#include "watchdog.h"

#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "container.h"
#include "log.h"

/* One thread's part. The mails go to that thread and back. */
struct pulse {
	struct mail question;
	struct mail answer;
	struct watchdog *watchdog;
	bool waits; /* for the answer */
};

static void deliver_question(struct mail *mail)
{
	struct pulse *pulse = CONTAINER_OF(mail, struct pulse, question);

	mailbox_post(&pulse->watchdog->crew->mailbox, &pulse->answer);
}

static void answered(struct pulse *pulse)
{
	struct watchdog *watchdog = pulse->watchdog;

	pulse->waits = false;
	if (lbp_watchdog_answered(&watchdog->rule))
		watchdog->alive(watchdog);
}

static void deliver_answer(struct mail *mail)
{
	struct pulse *pulse = CONTAINER_OF(mail, struct pulse, answer);

	/* If its thread ended since, that was the answer. */
	if (pulse->waits)
		answered(pulse);
}

/* The workers, and behind them the acceptor if it is one. */
static uint32_t count_threads(const struct watchdog *watchdog)
{
	const struct crew *crew = watchdog->crew;

	return crew->len + acceptor_has_thread(&crew->acceptor);
}

static struct mailbox *mailbox_of(const struct watchdog *watchdog, uint32_t i)
{
	struct crew *crew = watchdog->crew;

	return i < crew->len ? &crew->workers[i].mailbox
			     : crew->acceptor.mailbox;
}

static bool has_ended(const struct watchdog *watchdog, uint32_t i)
{
	const struct crew *crew = watchdog->crew;

	return i < crew->len ? crew->members[i].has_ended : !crew->accepts;
}

static void settle_ended(struct watchdog *watchdog)
{
	uint32_t i;

	for (i = 0; i < count_threads(watchdog); i++) {
		if (watchdog->pulses[i].waits && has_ended(watchdog, i))
			answered(&watchdog->pulses[i]);
	}
}

static uint32_t count_living(const struct watchdog *watchdog)
{
	uint32_t n = 0;
	uint32_t i;

	for (i = 0; i < count_threads(watchdog); i++)
		n += !has_ended(watchdog, i);
	return n;
}

static void ask(struct watchdog *watchdog)
{
	uint32_t i;

	for (i = 0; i < count_threads(watchdog); i++) {
		struct pulse *pulse = &watchdog->pulses[i];

		pulse->waits = !has_ended(watchdog, i);
		if (pulse->waits)
			mailbox_post(mailbox_of(watchdog, i), &pulse->question);
	}
}

/* Which one hangs is what an operator asks first: a line for each. */
static void log_late(const struct watchdog *watchdog)
{
	char text[32];
	uint32_t i;

	for (i = 0; i < count_threads(watchdog); i++) {
		if (!watchdog->pulses[i].waits)
			continue;
		snprintf(text, sizeof(text), "worker %u", i);
		log_error(LBP_LOG_ERROR, "a thread does not answer",
			i < watchdog->crew->len ? text : "acceptor");
	}
}

static void tick(struct alarm *alarm)
{
	struct watchdog *watchdog = CONTAINER_OF(alarm, struct watchdog, tick);

	loop_arm(&watchdog->crew->loop, &watchdog->tick,
		clock_now_ns() + watchdog->period_ns);
	settle_ended(watchdog);
	switch (lbp_watchdog_tick(&watchdog->rule, count_living(watchdog))) {
	case LBP_WATCHDOG_ASK:
		ask(watchdog);
		break;
	case LBP_WATCHDOG_LATE:
		log_late(watchdog);
		break;
	case LBP_WATCHDOG_WAIT:
		break;
	}
}

void watchdog_init(struct watchdog *watchdog, struct crew *crew)
{
	*watchdog = (struct watchdog){.crew = crew};
	alarm_init(&watchdog->tick, tick);
}

void watchdog_release(struct watchdog *watchdog)
{
	free(watchdog->pulses);
	watchdog->pulses = NULL;
}

bool watchdog_start(struct watchdog *watchdog, uint64_t period_ns)
{
	uint32_t len = count_threads(watchdog);
	uint32_t i;

	watchdog->pulses = calloc(len, sizeof(*watchdog->pulses));
	if (watchdog->pulses == NULL)
		return false;
	for (i = 0; i < len; i++)
		watchdog->pulses[i] =
			(struct pulse){.question.deliver = deliver_question,
				.answer.deliver = deliver_answer,
				.watchdog = watchdog};
	watchdog->period_ns = period_ns;
	tick(&watchdog->tick);
	return true;
}
