#include "world.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "../cmd/lbproxyd/poller.h"

#define ARENA_BYTES  (256 * 1024)
#define WATCHES_MAX  8
#define POLLERS_MAX  8
#define MUTEXES_MAX  16
#define SLEEPERS_MAX 8
/* So long a wait is for ever. */
#define LONG_MS 3600000

/* A descriptor is the object of the steps that touch it. */
struct fd {
	bool is_open;
	unsigned count;
};

/* A poller. */
struct waiter {
	struct poller base; /* first */
	struct watch *watches[WATCHES_MAX];
	unsigned len;
	bool is_made;
	int timeout_ms; /* of the wait that goes on */
};

/* A thread that waits for a condition variable. */
struct sleeper {
	const pthread_cond_t *cond; /* NULL: none does here */
	bool is_woken;
};

static struct {
	struct sleeper sleepers[SLEEPERS_MAX + 1];
	struct fd fds[WORLD_FDS];
	struct waiter waiters[POLLERS_MAX];
	unsigned settings;  /* calls of poller_set, but for pollers */
	unsigned shortages; /* that are to come */
	unsigned threads;   /* that can be started, if not 0 */
	unsigned started;
	uint64_t now_ms;
	const pthread_mutex_t *locked[MUTEXES_MAX];
	_Alignas(16) char arena[ARENA_BYTES];
	size_t arena_len;
	unsigned blocks; /* that are allocated */
} world;

void world_start(void)
{
	/* Memory is cleared when it is given out. */
	memset(&world, 0, offsetof(__typeof__(world), arena));
	world.arena_len = 0;
	world.blocks = 0;
}

/* --- memory --- */

void *world_calloc(size_t count, size_t size)
{
	size_t len = (count * size + 15) & ~(size_t)15;
	char *memory = world.arena + world.arena_len;

	if (len > ARENA_BYTES - world.arena_len)
		abort();
	world.arena_len += len;
	world.blocks++;
	return memset(memory, 0, len);
}

void world_free(void *memory)
{
	world.blocks -= memory != NULL;
}

void world_check_leaks(void)
{
	int fd;

	for (fd = 0; fd < WORLD_FDS; fd++)
		ORACLE("SRV-54", !world.fds[fd].is_open,
			"a descriptor is left open");
	ORACLE("SRV-54", world.blocks == 0, "memory is left");
}

/* --- threads --- */

void world_atomic(const char *what, const void *at, enum touch touch)
{
	interleave_step(&(struct step){what, at, touch, NULL});
}

static const pthread_mutex_t **find_locked(const pthread_mutex_t *mutex)
{
	unsigned i;

	for (i = 0; i < MUTEXES_MAX; i++) {
		if (world.locked[i] == mutex)
			return &world.locked[i];
	}
	return NULL;
}

static bool is_unlocked(const void *mutex)
{
	return find_locked(mutex) == NULL;
}

int world_lock(const char *what, pthread_mutex_t *mutex)
{
	const pthread_mutex_t **at;

	interleave_step(&(struct step){what, mutex, TOUCH_WRITE, is_unlocked});
	at = find_locked(NULL);
	if (at == NULL)
		abort();
	*at = mutex;
	return 0;
}

int world_unlock(pthread_mutex_t *mutex)
{
	const pthread_mutex_t **at = find_locked(mutex);

	if (at == NULL)
		abort();
	*at = NULL;
	return 0;
}

/* --- condition variables --- */

static bool is_woken(const void *sleeper)
{
	return ((const struct sleeper *)sleeper)->is_woken;
}

int world_cond_wait(const pthread_cond_t *cond, pthread_mutex_t *mutex)
{
	struct sleeper *own = world.sleepers;

	while (own->cond != NULL)
		own++;
	if (own == world.sleepers + SLEEPERS_MAX)
		abort();
	*own = (struct sleeper){cond, false};
	world_unlock(mutex);
	interleave_step(&(struct step){"is woken", own, TOUCH_READ, is_woken});
	own->cond = NULL;
	return world_lock("locks again", mutex);
}

/* Those who sleep by now, and nobody who does later. */
int world_cond_broadcast(const pthread_cond_t *cond)
{
	unsigned i;

	interleave_step(&(struct step){"wakes all", cond, TOUCH_ALL, NULL});
	for (i = 0; i < SLEEPERS_MAX; i++) {
		if (world.sleepers[i].cond == cond)
			world.sleepers[i].is_woken = true;
	}
	return 0;
}

/* A thread of the code under test returns something. */
struct start {
	void *(*run)(void *);
	void *arg;
};

static void run_start(void *arg)
{
	struct start *start = arg;

	(void)start->run(start->arg);
	world_free(start);
}

int world_create(pthread_t *thread, void *(*run)(void *), void *arg)
{
	struct start *start;

	if (world.threads != 0 && world.started == world.threads)
		return EAGAIN;
	world.started++;
	start = world_calloc(1, sizeof(*start));
	*start = (struct start){run, arg};
	*thread = interleave_thread(NULL, run_start, start);
	return 0;
}

static bool is_over(const void *thread)
{
	return interleave_is_over(*(const unsigned *)thread);
}

int world_join(pthread_t thread)
{
	unsigned number = (unsigned)thread;

	interleave_step(
		&(struct step){"joins a thread", &number, TOUCH_READ, is_over});
	return 0;
}

/* --- descriptors --- */

static struct fd *get(int fd)
{
	if (fd < 0 || fd >= WORLD_FDS || !world.fds[fd].is_open)
		interleave_fail("SRV-54", "a closed descriptor is used");
	return &world.fds[fd];
}

int world_open(unsigned count)
{
	int fd;

	for (fd = 0; fd < WORLD_FDS && world.fds[fd].is_open; fd++)
		continue;
	if (fd == WORLD_FDS)
		abort();
	world.fds[fd] = (struct fd){true, count};
	return fd;
}

void world_event(int fd)
{
	get(fd)->count++;
}

unsigned world_waiting(int fd)
{
	return get(fd)->count;
}

int world_eventfd(unsigned count)
{
	return world_open(count);
}

int world_close(int fd)
{
	get(fd)->is_open = false;
	return 0;
}

ssize_t world_read(int fd, void *buf, size_t len)
{
	uint64_t count;

	interleave_step(&(struct step){
		"reads its wake-up", get(fd), TOUCH_WRITE, NULL});
	count = get(fd)->count;
	errno = EAGAIN;
	if (count == 0)
		return -1;
	memcpy(buf, &count, sizeof(count));
	get(fd)->count = 0;
	return (ssize_t)len;
}

ssize_t world_write(int fd, const void *buf, size_t len)
{
	(void)buf;
	interleave_step(
		&(struct step){"writes a wake-up", get(fd), TOUCH_WRITE, NULL});
	get(fd)->count++;
	return (ssize_t)len;
}

int world_accept(int fd)
{
	interleave_step(&(struct step){"accepts", get(fd), TOUCH_WRITE, NULL});
	errno = EAGAIN;
	if (get(fd)->count == 0)
		return -1;
	if (world.shortages > 0) {
		world.shortages--;
		errno = EMFILE;
		return -1;
	}
	get(fd)->count--;
	return world_open(0);
}

/* --- pollers and time --- */

/* Chance has no part in a run, or it could not be had again. */
ssize_t world_random(void *buf, size_t len)
{
	memset(buf, 0, len);
	return (ssize_t)len;
}

int world_clock(struct timespec *ts)
{
	ts->tv_sec = (time_t)(world.now_ms / 1000);
	ts->tv_nsec = (long)(world.now_ms % 1000) * 1000000;
	return 0;
}

/* The poller that a descriptor stands for; NULL: none. */
static const struct waiter *waiter_of(int fd)
{
	return fd < WORLD_FDS ? NULL : &world.waiters[fd - WORLD_FDS];
}

static int set(struct poller *base, struct watch *watch, unsigned want)
{
	struct waiter *waiter = (struct waiter *)base;
	unsigned i;

	world.settings += waiter_of(watch->fd) == NULL;
	for (i = 0; i < waiter->len && waiter->watches[i] != watch; i++)
		continue;
	if (want != 0 && i < waiter->len)
		return 0;
	if (want == 0 && i < waiter->len)
		waiter->watches[i] = waiter->watches[--waiter->len];
	else if (waiter->len < WATCHES_MAX)
		waiter->watches[waiter->len++] = watch;
	else
		abort();
	return 0;
}

static void forget(struct poller *base, struct watch *watch)
{
	(void)set(base, watch, 0);
}

void world_be_short(unsigned times, unsigned threads)
{
	world.shortages = times;
	world.threads = threads;
}

unsigned world_settings(void)
{
	return world.settings;
}

static bool has_ready(const struct waiter *waiter);

static bool is_ready(const struct watch *watch)
{
	const struct waiter *waiter = waiter_of(watch->fd);

	return waiter != NULL ? has_ready(waiter)
			      : world_waiting(watch->fd) > 0;
}

static bool has_ready(const struct waiter *waiter)
{
	bool has = false;
	unsigned i;

	for (i = 0; i < waiter->len; i++)
		has = has || is_ready(waiter->watches[i]);
	return has;
}

static bool can_return(const void *object)
{
	const struct waiter *waiter = object;

	return (waiter->timeout_ms >= 0 && waiter->timeout_ms < LONG_MS) ||
	       has_ready(waiter);
}

bool world_waits_for(const void *object, const void *other)
{
	const struct waiter *waiter = object;
	unsigned i;

	for (i = 0; i < waiter->len; i++) {
		int fd = waiter->watches[i]->fd;
		const struct waiter *inner = waiter_of(fd);

		if (inner == NULL ? other == &world.fds[fd]
				  : world_waits_for(inner, other))
			return true;
	}
	return false;
}

/* What is ready when it returns, and not what becomes so; or time passes. */
static int wait_for(struct poller *base, int timeout_ms)
{
	struct waiter *waiter = (struct waiter *)base;
	struct watch *ready[WATCHES_MAX];
	unsigned len = 0;
	unsigned i;

	waiter->timeout_ms = timeout_ms;
	interleave_step(
		&(struct step){"waits", waiter, TOUCH_WAIT, can_return});
	for (i = 0; i < waiter->len; i++) {
		if (is_ready(waiter->watches[i]))
			ready[len++] = waiter->watches[i];
	}
	for (i = 0; i < len; i++) {
		if (ready[i]->want != 0)
			ready[i]->ready(ready[i], POLLER_READ);
	}
	if (len == 0)
		world.now_ms += (uint64_t)timeout_ms;
	return (int)len;
}

static void free_waiter(struct poller *base)
{
	((struct waiter *)base)->is_made = false;
}

static const struct poller_ops ops = {.set = set,
	.stop = forget,
	.forget = forget,
	.wait = wait_for,
	.free = free_waiter};

struct poller *poller_epoll_new(void)
{
	unsigned i;

	for (i = 0; i < POLLERS_MAX && world.waiters[i].is_made; i++)
		continue;
	if (i == POLLERS_MAX)
		abort();
	world.waiters[i] = (struct waiter){.base.ops = &ops, .is_made = true};
	return &world.waiters[i].base;
}

struct poller *poller_select_new(void)
{
	return poller_epoll_new();
}

int poller_epoll_fd(const struct poller *poller)
{
	const struct waiter *waiter = (const struct waiter *)poller;

	return WORLD_FDS + (int)(waiter - world.waiters);
}
