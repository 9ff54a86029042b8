/*
 * To be preloaded: counts the locks that a program takes, and those that some
 * other thread had, and measures how long each mutex was held. At its end it
 * writes these two numbers to the file that LOCKS names, and in a line for each
 * lock how often it was taken and the nanoseconds, 0 if it is for readers and
 * writers. For `scale`.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
	LOCKS_MAX = 4096,
	/* Whoever waited for a condition did not hold it. */
	HOLD_MAX_NS = 1000000
};

/* A lock, or several one after the other at the same address. */
struct lock {
	_Atomic(void *) at;
	atomic_ulong taken;
	uint64_t since_ns; /* of who holds the mutex, as below */
	uint64_t held_ns;
};

static struct lock locks[LOCKS_MAX];
static atomic_ulong taken;
static atomic_ulong waited;

static void *real(const char *name)
{
	void *found = dlsym(RTLD_NEXT, name);

	if (found == NULL)
		abort();
	return found;
}

static uint64_t now_ns(void)
{
	struct timespec at;

	(void)clock_gettime(CLOCK_MONOTONIC, &at);
	return (uint64_t)at.tv_sec * 1000000000U + (uint64_t)at.tv_nsec;
}

/* NULL: there are too many. */
static struct lock *find(void *at)
{
	size_t first = (uintptr_t)at / 8 % LOCKS_MAX;

	for (size_t i = 0; i < LOCKS_MAX; i++) {
		struct lock *lock = &locks[(first + i) % LOCKS_MAX];
		void *free = NULL;

		if (lock->at == at ||
			atomic_compare_exchange_strong(&lock->at, &free, at) ||
			free == at)
			return lock;
	}
	return NULL;
}

static void begin(void *at)
{
	struct lock *lock = find(at);

	if (lock == NULL)
		return;
	lock->taken++;
	lock->since_ns = now_ns();
}

static void begin_shared(void *at)
{
	struct lock *lock = find(at);

	if (lock != NULL)
		lock->taken++;
}

static void end(void *at)
{
	struct lock *lock = find(at);
	uint64_t held = lock != NULL ? now_ns() - lock->since_ns : 0;

	if (lock != NULL && held <= HOLD_MAX_NS)
		lock->held_ns += held;
}

/* A function of pthread that takes a lock, by way of the one that tries to. */
#define COUNTED(function, attempt, type, begin)                                \
	int function(type *lock)                                               \
	{                                                                      \
		static _Atomic(int (*)(type *)) take;                          \
		int rc = 0;                                                    \
                                                                               \
		if (take == NULL)                                              \
			take = (int (*)(type *))real(#function);               \
		atomic_fetch_add_explicit(&taken, 1, memory_order_relaxed);    \
		if (attempt(lock) != 0) {                                      \
			atomic_fetch_add_explicit(                             \
				&waited, 1, memory_order_relaxed);             \
			rc = take(lock);                                       \
		}                                                              \
		begin(lock);                                                   \
		return rc;                                                     \
	}

COUNTED(pthread_mutex_lock, pthread_mutex_trylock, pthread_mutex_t, begin)
COUNTED(pthread_rwlock_rdlock, pthread_rwlock_tryrdlock, pthread_rwlock_t,
	begin_shared)
COUNTED(pthread_rwlock_wrlock, pthread_rwlock_trywrlock, pthread_rwlock_t,
	begin_shared)

int pthread_mutex_unlock(pthread_mutex_t *lock)
{
	static _Atomic(int (*)(pthread_mutex_t *)) give;

	if (give == NULL)
		give = (int (*)(pthread_mutex_t *))real("pthread_mutex_unlock");
	end(lock);
	return give(lock);
}

__attribute__((destructor)) static void tell(void)
{
	const char *path = getenv("LOCKS");
	FILE *file = path != NULL ? fopen(path, "w") : NULL;

	if (file == NULL)
		return;
	(void)fprintf(file, "%lu %lu\n", taken, waited);
	for (size_t i = 0; i < LOCKS_MAX; i++) {
		if (locks[i].taken > 0)
			(void)fprintf(file, "%lu %lu\n", locks[i].taken,
				(unsigned long)locks[i].held_ns);
	}
	(void)fclose(file);
}
