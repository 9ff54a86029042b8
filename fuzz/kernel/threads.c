/*
 * Threads, one of which runs at a time, and who goes on next; mutexes,
 * conditions, signals and time.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <ucontext.h>

#include "calls.h"
#include "inside.h"
#include "statics.h"

#define THREADS_MAX 12
#define STACK_BYTES (512 * 1024)
#define MUTEXES_MAX 12
#define WAITERS_MAX 4
/* So many steps without anything from outside are a loop without end. */
#define POINTS_MAX 100000
/* The clock of time of day, when a run begins. */
#define EPOCH_S 1700000000

#if defined(__SANITIZE_ADDRESS__)
#define HAS_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HAS_ASAN 1
#endif
#endif
#ifdef HAS_ASAN
#include <sanitizer/common_interface_defs.h>
#else
#define __sanitizer_start_switch_fiber(saved, bottom, size) ((void)(saved))
#define __sanitizer_finish_switch_fiber(saved, bottom, size)                   \
	((void)(saved), (void)(bottom), (void)(size))
#endif

struct thread {
	void *(*run)(void *);
	void *arg;
	bool is_used;
	bool is_over;
	bool is_detached;
	/* What it waits for; NULL: nothing. */
	bool (*can)(const void *object);
	const void *object;
	uint64_t until_ns;
	bool got_signal; /* which ended its wait */
	ucontext_t context;
	/* While it does not run: */
	void *log_copy;
	int error; /* errno */
};

struct cond_waiter {
	const pthread_cond_t *cond; /* NULL: free */
	bool is_signalled;
};

struct kernel kernel;
struct kernel_stats kernel_stats;

static struct {
	struct thread items[THREADS_MAX];
	unsigned len;
	unsigned current;
	ucontext_t scheduler;
	unsigned quantum; /* points until the next switch; 0: none */
	unsigned points;  /* since something came from outside */
	int status;       /* what main returned */
	bool is_in_handler;
	bool is_interrupted;
	void (*handlers[NSIG])(int);
	unsigned pending[NSIG];
	unsigned pending_len;
	struct {
		const pthread_mutex_t *mutex; /* NULL: free */
		unsigned owner;
	} locks[MUTEXES_MAX];
	struct cond_waiter waiters[WAITERS_MAX];
	int argc;
	char **argv;
} threads;

static char stacks[THREADS_MAX][STACK_BYTES] __attribute__((aligned(64)));

/* --- switching, of which AddressSanitizer has to know --- */

/* The scheduler's stack. */
static const void *scheduler_bottom;
static size_t scheduler_size;

static void to_scheduler(void)
{
	struct thread *thread = &threads.items[threads.current];
	void *saved = NULL;

	__sanitizer_start_switch_fiber(thread->is_over ? NULL : &saved,
		scheduler_bottom, scheduler_size);
	thread->log_copy = swap_log_copy(NULL);
	thread->error = errno;
	swapcontext(&thread->context, &threads.scheduler);
	__sanitizer_finish_switch_fiber(
		saved, &scheduler_bottom, &scheduler_size);
}

static void to_thread(unsigned number)
{
	void *saved = NULL;

	threads.current = number;
	kernel_stats.switches++;
	(void)swap_log_copy(threads.items[number].log_copy);
	errno = threads.items[number].error;
	__sanitizer_start_switch_fiber(&saved, stacks[number], STACK_BYTES);
	swapcontext(&threads.scheduler, &threads.items[number].context);
	__sanitizer_finish_switch_fiber(saved, NULL, NULL);
}

static void thread_main(void)
{
	struct thread *thread = &threads.items[threads.current];

	__sanitizer_finish_switch_fiber(
		NULL, &scheduler_bottom, &scheduler_size);
	(void)thread->run(thread->arg);
	thread->is_over = true;
	to_scheduler();
}

/* The place of a thread that nobody can name any more, or a new one. */
static unsigned new_place(void)
{
	unsigned i = 0;

	while (i < threads.len &&
		!(threads.items[i].is_over && threads.items[i].is_detached))
		i++;
	if (i >= THREADS_MAX)
		abort();
	threads.len += i == threads.len;
	return i;
}

static unsigned new_thread(void *(*run)(void *), void *arg)
{
	unsigned number = new_place();
	struct thread *thread = &threads.items[number];

	*thread = (struct thread){.run = run,
		.arg = arg,
		.is_used = true,
		.until_ns = KERNEL_NEVER};
	getcontext(&thread->context);
	thread->context.uc_stack.ss_sp = stacks[number];
	thread->context.uc_stack.ss_size = STACK_BYTES;
	thread->context.uc_link = NULL;
	makecontext(&thread->context, thread_main, 0);
	return number;
}

static void draw_quantum(void)
{
	unsigned drawn = bytes_u8(kernel.bytes);

	threads.quantum = drawn == 0 ? 0 : 1 + drawn % 64;
}

/* --- signals: all go to the main thread --- */

static void deliver_signals(void)
{
	int number;

	if (threads.current != 0 || threads.pending_len == 0 ||
		threads.is_in_handler)
		return;
	threads.is_in_handler = true;
	for (number = 1; number < NSIG; number++) {
		while (threads.pending[number] > 0 &&
			threads.handlers[number] != NULL) {
			threads.pending[number]--;
			threads.pending_len--;
			threads.is_interrupted = true;
			if (threads.handlers[number] != SIG_IGN)
				threads.handlers[number](number);
		}
	}
	threads.is_in_handler = false;
}

bool kernel_raise(int number)
{
	if (threads.handlers[number] == NULL ||
		threads.handlers[number] == SIG_IGN)
		return false;
	threads.pending[number]++;
	threads.pending_len++;
	return true;
}

int kernel_sigaction(
	int number, const struct sigaction *action, struct sigaction *old)
{
	(void)old;
	threads.handlers[number] = action->sa_handler;
	kernel_point();
	return 0;
}

int kernel_sigprocmask(int how, const sigset_t *set, sigset_t *old)
{
	(void)how, (void)set, (void)old;
	return 0;
}

int kernel_thread_sigmask(int how, const sigset_t *set, sigset_t *old)
{
	(void)how, (void)set, (void)old;
	return 0;
}

bool kernel_interrupted(void)
{
	bool was = threads.is_interrupted && threads.current == 0;

	if (was)
		threads.is_interrupted = false;
	return was;
}

/* --- steps --- */

void kernel_point(void)
{
	/* What is done to start and to end a run is no part of it. */
	if (threads.len == 0)
		return;
	ORACLE("SRV-35", threads.points++ < POINTS_MAX,
		"steps without end, and nothing comes of them");
	deliver_signals();
	if (threads.quantum == 0 || --threads.quantum > 0)
		return;
	draw_quantum();
	to_scheduler();
	deliver_signals();
}

/*
 * Where threads meet without a lock it matters most who goes on, and there are
 * few such places among the blocks of the library: each is as likely as so many
 * of these.
 */
#define ATOMIC_POINTS 16

void kernel_atomic(void)
{
	threads.quantum = threads.quantum > ATOMIC_POINTS
				  ? threads.quantum - (ATOMIC_POINTS - 1)
				  : threads.quantum > 0;
	kernel_point();
}

static bool is_ready(const struct thread *thread)
{
	return thread->can == NULL || thread->can(thread->object) ||
	       thread->until_ns <= kernel.now_ns ||
	       (thread == threads.items && threads.pending_len > 0);
}

bool kernel_block(
	bool (*can)(const void *object), const void *object, uint64_t until_ns)
{
	struct thread *thread = &threads.items[threads.current];
	bool could;

	kernel_point();
	threads.is_interrupted = false;
	thread->can = can;
	thread->object = object;
	thread->until_ns = until_ns;
	if (!is_ready(thread))
		to_scheduler();
	could = can(object);
	thread->can = NULL;
	deliver_signals();
	return could;
}

static bool is_runnable(const struct thread *thread)
{
	return thread->is_used && !thread->is_over && is_ready(thread);
}

/* Who goes on: one that can, or the world (THREADS_MAX). */
static unsigned choose(bool *is_at_rest)
{
	unsigned can[THREADS_MAX];
	unsigned len = 0;
	unsigned drawn;

	for (unsigned i = 0; i < threads.len; i++) {
		if (is_runnable(&threads.items[i]))
			can[len++] = i;
	}
	*is_at_rest = len == 0;
	if (len == 0)
		return THREADS_MAX;
	/* One more for the world, which zeros leave out. */
	drawn = bytes_below(kernel.bytes, len * 3 + 1);
	return drawn == len * 3 ? THREADS_MAX : can[drawn % len];
}

static bool is_all_over(void)
{
	for (unsigned i = 0; i < threads.len; i++) {
		if (!threads.items[i].is_over)
			return false;
	}
	return true;
}

static void *run_main(void *arg)
{
	(void)arg;
	threads.status = server_main(threads.argc, threads.argv);
	return NULL;
}

int kernel_run(const struct kernel_plan *plan, const struct kernel_world *world,
	struct bytes *bytes, int argc, char **argv)
{
	memset(&threads, 0, sizeof(threads));
	memset(&kernel, 0, sizeof(kernel));
	kernel.plan = *plan;
	kernel.world = world;
	kernel.bytes = bytes;
	kernel.now_ns = 1000 * KERNEL_S;
	kernel.limit = plan->soft_limit;
	kernel.is_calm = plan->is_calm;
	for (int fd = 0; fd < 3; fd++)
		kernel.files[fd].kind = fd == 2 ? FILE_LOG : FILE_STANDARD;
	statics_reset();
	memory_start();
	log_start();
	threads.argc = argc;
	threads.argv = argv;
	new_thread(run_main, NULL);
	draw_quantum();
	while (!is_all_over()) {
		bool is_at_rest;
		unsigned next = choose(&is_at_rest);

		if (next < THREADS_MAX) {
			to_thread(next);
			continue;
		}
		threads.points = 0;
		world->act(is_at_rest);
	}
	return threads.status;
}

/* --- threads, mutexes and conditions --- */

int kernel_thread_create(pthread_t *thread, const pthread_attr_t *attr,
	void *(*run)(void *), void *arg)
{
	int error = FAULT(EAGAIN);

	(void)attr;
	kernel_point();
	if (error != 0) {
		kernel.refused_thread = true;
		return error;
	}
	*thread = new_thread(run, arg);
	return 0;
}

static bool is_thread_over(const void *object)
{
	return ((const struct thread *)object)->is_over;
}

int kernel_thread_join(pthread_t number, void **result)
{
	struct thread *thread = &threads.items[number];

	(void)result;
	while (!kernel_block(is_thread_over, thread, KERNEL_NEVER))
		continue;
	return 0;
}

int kernel_thread_detach(pthread_t number)
{
	threads.items[number].is_detached = true;
	return 0;
}

static unsigned find_lock(const pthread_mutex_t *mutex)
{
	unsigned i;

	for (i = 0; i < MUTEXES_MAX && threads.locks[i].mutex != mutex; i++)
		continue;
	return i;
}

static bool is_unlocked(const void *mutex)
{
	return find_lock(mutex) == MUTEXES_MAX;
}

int kernel_mutex_init(pthread_mutex_t *mutex, const pthread_mutexattr_t *attr)
{
	(void)mutex, (void)attr;
	return 0;
}

int kernel_mutex_destroy(pthread_mutex_t *mutex)
{
	ORACLE("SRV-54", is_unlocked(mutex), "a mutex in use is destroyed");
	return 0;
}

int kernel_mutex_lock(pthread_mutex_t *mutex)
{
	unsigned i;

	do {
		kernel_point();
		while (!is_unlocked(mutex))
			(void)kernel_block(is_unlocked, mutex, KERNEL_NEVER);
	} while (!is_unlocked(mutex));
	i = find_lock(NULL);
	if (i == MUTEXES_MAX)
		abort();
	threads.locks[i].mutex = mutex;
	threads.locks[i].owner = threads.current;
	return 0;
}

int kernel_mutex_unlock(pthread_mutex_t *mutex)
{
	unsigned i = find_lock(mutex);

	ORACLE("SRV-23",
		i < MUTEXES_MAX && threads.locks[i].owner == threads.current,
		"a mutex is unlocked by who has not locked it");
	threads.locks[i].mutex = NULL;
	kernel_point();
	return 0;
}

int kernel_cond_init(pthread_cond_t *cond, const pthread_condattr_t *attr)
{
	(void)cond, (void)attr;
	return 0;
}

int kernel_cond_destroy(pthread_cond_t *cond)
{
	(void)cond;
	return 0;
}

static bool is_signalled(const void *waiter)
{
	return ((const struct cond_waiter *)waiter)->is_signalled;
}

int kernel_cond_timedwait(pthread_cond_t *cond, pthread_mutex_t *mutex,
	const struct timespec *until)
{
	struct cond_waiter *waiter = threads.waiters;
	uint64_t until_ns =
		(uint64_t)until->tv_sec * KERNEL_S + (uint64_t)until->tv_nsec;
	bool was_signalled;

	while (waiter->cond != NULL)
		waiter++;
	*waiter = (struct cond_waiter){cond, false};
	(void)kernel_mutex_unlock(mutex);
	was_signalled = kernel_block(is_signalled, waiter, until_ns);
	waiter->cond = NULL;
	(void)kernel_mutex_lock(mutex);
	return was_signalled || kernel.now_ns < until_ns ? 0 : ETIMEDOUT;
}

int kernel_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex)
{
	struct cond_waiter *waiter = threads.waiters;

	while (waiter->cond != NULL)
		waiter++;
	*waiter = (struct cond_waiter){cond, false};
	(void)kernel_mutex_unlock(mutex);
	(void)kernel_block(is_signalled, waiter, KERNEL_NEVER);
	waiter->cond = NULL;
	return kernel_mutex_lock(mutex);
}

/* Wakes all: to be woken for nothing is allowed. */
int kernel_cond_signal(pthread_cond_t *cond)
{
	for (unsigned i = 0; i < WAITERS_MAX; i++) {
		if (threads.waiters[i].cond == cond)
			threads.waiters[i].is_signalled = true;
	}
	kernel_point();
	return 0;
}

/* --- time --- */

uint64_t kernel_now_ns(void)
{
	return kernel.now_ns;
}

void kernel_advance(uint64_t ns)
{
	kernel.now_ns += ns;
	net_time_passed();
}

uint64_t kernel_next_due_ns(void)
{
	uint64_t due = net_next_due_ns();

	for (unsigned i = 0; i < threads.len; i++) {
		const struct thread *thread = &threads.items[i];

		if (!thread->is_over && thread->can != NULL &&
			thread->until_ns < due)
			due = thread->until_ns;
	}
	return due;
}

int kernel_clock_gettime(clockid_t clock, struct timespec *ts)
{
	uint64_t s = kernel.now_ns / KERNEL_S;

	ts->tv_sec = (time_t)(clock == CLOCK_MONOTONIC ? s : EPOCH_S + s);
	ts->tv_nsec = (long)(kernel.now_ns % KERNEL_S);
	return 0;
}

time_t kernel_time(time_t *out)
{
	(void)out;
	return (time_t)(EPOCH_S + kernel.now_ns / KERNEL_S);
}
