#include "notice.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "place.h"

/* Fits into a log line, however it is escaped. */
#define MESSAGE_MAX 1024

bool notices_add(struct notices *notices, const struct notice *notice)
{
	struct notice *items = realloc(
		notices->items, (notices->len + 1) * sizeof(*notices->items));

	if (items == NULL) {
		free(notice->text);
		return false;
	}
	notices->items = items;
	items[notices->len++] = *notice;
	return true;
}

bool notices_add_expiring(
	struct notices *notices, const struct lbp_expiring *expiring)
{
	struct lbp_expiring *items = realloc(notices->expiring,
		(notices->expiring_len + 1) * sizeof(*notices->expiring));

	if (items == NULL)
		return false;
	notices->expiring = items;
	items[notices->expiring_len++] = *expiring;
	return true;
}

static int compare(const void *one, const void *other)
{
	const struct notice *a = one;
	const struct notice *b = other;

	return lbp_config_pos_compare(a->pos, b->pos);
}

static const char *time_text(int64_t seconds, char *buf, size_t cap)
{
	time_t when = (time_t)seconds;
	struct tm utc;

	/* Certificates have no year above 9999. */
	gmtime_r(&when, &utc);
	strftime(buf, cap, "%Y-%m-%dT%H:%M:%SZ", &utc);
	return buf;
}

/* Writes what to say of a notice now; false: nothing. */
static bool put_message(
	const struct notice *notice, int64_t now_s, char *buf, size_t cap)
{
	const struct lbp_expiry *expiry = &notice->expiry;
	bool is_crl = expiry->kind == LBP_EXPIRY_CRL;
	const char *what = NULL;
	int64_t when = expiry->until_s;
	char text[40];

	if (notice->is_standing) {
		snprintf(buf, cap, "%s", notice->text);
		return true;
	}
	switch (lbp_expiry_judge(expiry, now_s)) {
	case LBP_EXPIRY_FINE:
		return false;
	case LBP_EXPIRY_EARLY:
		what = "is not valid before";
		when = expiry->from_s;
		break;
	case LBP_EXPIRY_SOON:
		what = is_crl ? "is past four fifths of its lifetime and goes "
				"out of date at"
			      : "expires within 14 days, at";
		break;
	case LBP_EXPIRY_OVER:
		what = is_crl ? "is out of date since" : "expired at";
		break;
	}
	snprintf(buf, cap, "%s %s %s", notice->text, what,
		time_text(when, text, sizeof(text)));
	return true;
}

void notices_for_each(struct notices *notices,
	void (*say)(void *user, struct lbp_config_pos pos, const char *message),
	void *user)
{
	int64_t now_s = (int64_t)time(NULL);
	char message[MESSAGE_MAX];
	size_t i;

	/* Without any there is no array, and qsort wants one. */
	if (notices->len > 0)
		qsort(notices->items, notices->len, sizeof(*notices->items),
			compare);
	for (i = 0; i < notices->len; i++) {
		const struct notice *notice = &notices->items[i];

		if (put_message(notice, now_s, message, sizeof(message)))
			say(user, notice->pos, message);
	}
}

/* What printing needs. */
struct printing {
	const struct notices *notices;
	struct places places;
};

static void print(void *user, struct lbp_config_pos pos, const char *message)
{
	struct printing *printing = user;

	place_print(&printing->places, printing->notices->texts,
		printing->notices->file, pos, "warning", message);
}

void notices_print(struct notices *notices)
{
	struct printing printing = {.notices = notices};

	notices_for_each(notices, print, &printing);
}

void notices_release(struct notices *notices)
{
	size_t i;

	for (i = 0; i < notices->len; i++)
		free(notices->items[i].text);
	free(notices->items);
	free(notices->expiring);
	*notices = (struct notices){0};
}
