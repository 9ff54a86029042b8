/*
 * To be preloaded: counts the locks that a program takes, and those that some
 * other thread had. At its end it writes both numbers to the file that LOCKS
 * names. For `scale`.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

static atomic_ulong taken;
static atomic_ulong waited;

static void *real(const char *name)
{
	void *found = dlsym(RTLD_NEXT, name);

	if (found == NULL)
		abort();
	return found;
}

/* A function of pthread that takes a lock, by way of the one that tries to. */
#define COUNTED(function, attempt, type)                                       \
	int function(type *lock)                                               \
	{                                                                      \
		static _Atomic(int (*)(type *)) take;                          \
                                                                               \
		if (take == NULL)                                              \
			take = (int (*)(type *))real(#function);               \
		atomic_fetch_add_explicit(&taken, 1, memory_order_relaxed);    \
		if (attempt(lock) == 0)                                        \
			return 0;                                              \
		atomic_fetch_add_explicit(&waited, 1, memory_order_relaxed);   \
		return take(lock);                                             \
	}

COUNTED(pthread_mutex_lock, pthread_mutex_trylock, pthread_mutex_t)
COUNTED(pthread_rwlock_rdlock, pthread_rwlock_tryrdlock, pthread_rwlock_t)
COUNTED(pthread_rwlock_wrlock, pthread_rwlock_trywrlock, pthread_rwlock_t)

__attribute__((destructor)) static void tell(void)
{
	const char *path = getenv("LOCKS");
	FILE *file = path != NULL ? fopen(path, "w") : NULL;

	if (file == NULL)
		return;
	(void)fprintf(file, "%lu %lu\n", taken, waited);
	(void)fclose(file);
}
