#include "passed.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "server/passed.h"

/* One descriptor. */
struct passed_one {
	bool is_open; /* or a number without a descriptor */
	struct lbp_passed facts;
	union address address; /* of a TCP socket */
};

static struct lbp_endpoint endpoint_of(const union address *address)
{
	return (struct lbp_endpoint){
		address_ip(address), address_port(address)};
}

static int number_of(size_t i)
{
	return LBP_PASSED_FIRST + (int)i;
}

/* --- what is there --- */

static bool is_on(int fd, int level, int option)
{
	int value = 0;
	socklen_t len = sizeof(value);

	return getsockopt(fd, level, option, &value, &len) == 0 && value != 0;
}

static bool is_stream(int fd)
{
	int type = 0;
	socklen_t len = sizeof(type);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
	       type == SOCK_STREAM;
}

/* All zero for what is no TCP socket. */
static struct lbp_passed facts_of(int fd, union address *address)
{
	socklen_t len = sizeof(*address);
	sa_family_t family;

	if (!is_stream(fd) || getsockname(fd, &address->sa, &len) != 0)
		return (struct lbp_passed){0};
	family = address->sa.sa_family;
	if (family != AF_INET && family != AF_INET6)
		return (struct lbp_passed){0};
	return (struct lbp_passed){
		.is_tcp = true,
		.listens = is_on(fd, SOL_SOCKET, SO_ACCEPTCONN),
		.is_v6 = family == AF_INET6,
		.is_v6_only = family == AF_INET6 &&
			      is_on(fd, IPPROTO_IPV6, IPV6_V6ONLY),
		.at = endpoint_of(address),
	};
}

static void look_at(struct passed_one *one, int fd)
{
	one->is_open = fcntl(fd, F_GETFD) >= 0;
	one->facts = facts_of(fd, &one->address);
}

static void read_environment(struct passed *passed)
{
	const char *names = getenv("LISTEN_FDNAMES");

	*passed = (struct passed){
		.len = lbp_passed_count(getenv("LISTEN_PID"),
			getenv("LISTEN_FDS"), (uint64_t)getpid())};
	passed->items = calloc(passed->len + 1, sizeof(*passed->items));
	if (names != NULL)
		passed->names = strdup(names);
	passed->has_failed = passed->items == NULL ||
			     (names != NULL && passed->names == NULL);
}

void passed_look(struct passed *passed)
{
	size_t i;

	read_environment(passed);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	for (i = 0; !passed->has_failed && i < passed->len; i++)
		look_at(&passed->items[i], number_of(i));
}

void passed_release(struct passed *passed)
{
	free(passed->items);
	free(passed->names);
	*passed = (struct passed){0};
}

/* --- what is wanted --- */

/* Counts where a snapshot listens, and lists it; wanted may be NULL. */
static size_t list_wanted(
	struct lbp_endpoint *wanted, const struct snapshot *snapshot)
{
	size_t n = 0;
	size_t a, i, k;

	for (a = 0; a < snapshot->config->app_len; a++) {
		const struct snapshot_app *app = &snapshot->apps[a];

		for (i = 0; i < app->config->listen_len; i++) {
			const struct addresses *listen = &app->listen[i];

			for (k = 0; wanted != NULL && k < listen->len; k++)
				wanted[n + k] = endpoint_of(&listen->items[k]);
			n += listen->len;
		}
	}
	return n;
}

/* What was passed, and where the snapshot listens, to be compared. */
struct wanted {
	struct lbp_passed *facts;
	struct lbp_endpoint *items; /* len of them */
	size_t len;
};

/* False: out of memory. */
static bool wanted_init(struct wanted *wanted, const struct passed *passed,
	const struct snapshot *snapshot)
{
	size_t i;

	wanted->len = list_wanted(NULL, snapshot);
	wanted->items = calloc(wanted->len + 1, sizeof(*wanted->items));
	wanted->facts = calloc(passed->len + 1, sizeof(*wanted->facts));
	if (wanted->items == NULL || wanted->facts == NULL ||
		passed->has_failed)
		return false;
	list_wanted(wanted->items, snapshot);
	for (i = 0; i < passed->len; i++)
		wanted->facts[i] = passed->items[i].facts;
	return true;
}

static void wanted_release(struct wanted *wanted)
{
	free(wanted->items);
	free(wanted->facts);
}

/* --- what becomes of it --- */

static void log_refused(const struct passed_one *one, size_t i,
	enum lbp_passed_verdict verdict, const char *name)
{
	/* The words, and the name. */
	char cause[LBP_PASSED_NAME_MAX + 128];
	char text[ADDRESS_TEXT_MAX];
	struct log_line line;

	snprintf(cause, sizeof(cause), "%.80s (descriptor %d, \"%s\")",
		lbp_passed_text(verdict), number_of(i), name);
	log_begin(&line, LBP_LOG_WARN, "error");
	log_string(&line, "message", "a descriptor that was passed is closed");
	if (one->facts.is_tcp)
		log_string(&line, "listen", address_text(&one->address, text));
	log_string(&line, "cause", cause);
	log_end(&line);
}

/* By a name that we give to what is stored; others belong to a socket unit. */
static bool is_stored(const struct passed_one *one, const char *name)
{
	char text[ADDRESS_TEXT_MAX];
	char ours[LBP_PASSED_NAME_MAX];

	lbp_passed_store_name(address_text(&one->address, text), ours);
	return strcmp(name, ours) == 0;
}

static void refuse(const struct passed *passed, size_t i,
	enum lbp_passed_verdict verdict, struct manager *manager)
{
	const struct passed_one *one = &passed->items[i];
	char name[LBP_PASSED_NAME_MAX];

	lbp_passed_name(passed->names, i, name);
	log_refused(one, i, verdict, name);
	if (one->is_open)
		close(number_of(i));
	if (verdict == LBP_PASSED_UNWANTED && is_stored(one, name))
		manager_forget(manager, &one->address);
}

static bool take(
	const struct passed *passed, size_t i, struct listeners *listeners)
{
	const struct passed_one *one = &passed->items[i];
	char name[LBP_PASSED_NAME_MAX];
	struct listener *listener = listener_of(number_of(i), &one->address);

	if (listener == NULL)
		return false;
	lbp_passed_name(passed->names, i, name);
	listener->keeper =
		is_stored(one, name) ? LISTENER_STORED : LISTENER_LENT;
	listeners->items[listeners->len++] = listener;
	return true;
}

static bool decide(const struct passed *passed, struct listeners *listeners,
	struct manager *manager, const struct wanted *wanted)
{
	bool ok = true;
	size_t i;

	for (i = 0; i < passed->len; i++) {
		enum lbp_passed_verdict verdict = lbp_passed_judge(
			wanted->facts, i, wanted->items, wanted->len);

		if (verdict == LBP_PASSED_TAKEN)
			ok &= take(passed, i, listeners);
		else
			refuse(passed, i, verdict, manager);
	}
	return ok;
}

bool passed_take(const struct passed *passed, struct listeners *listeners,
	struct manager *manager, const struct snapshot *snapshot)
{
	struct wanted wanted;
	bool ok;

	listeners->items = calloc(passed->len + 1, sizeof(struct listener *));
	ok = wanted_init(&wanted, passed, snapshot) &&
	     listeners->items != NULL &&
	     decide(passed, listeners, manager, &wanted);
	wanted_release(&wanted);
	if (!ok)
		log_error(LBP_LOG_ERROR, "cannot take what was passed",
			strerror(ENOMEM));
	return ok;
}
