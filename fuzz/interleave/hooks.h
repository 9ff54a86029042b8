/*
 * Put before the server's own sources (-include), when they are compiled for
 * interleave: whatever threads have in common goes through the scheduler. The
 * code is the server's, unchanged.
 */
#ifndef HOOKS_H
#define HOOKS_H

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "interleave/world.h"

#undef atomic_load
#undef atomic_store
#undef atomic_exchange
#undef atomic_fetch_add
#undef atomic_fetch_sub
#undef atomic_compare_exchange_weak

#define atomic_load(at)                                                        \
	(world_atomic("loads " #at, (const void *)(at), TOUCH_READ),           \
		atomic_load_explicit(at, memory_order_seq_cst))
#define atomic_store(at, value)                                                \
	(world_atomic("stores " #at, (const void *)(at), TOUCH_WRITE),         \
		atomic_store_explicit(at, value, memory_order_seq_cst))
#define atomic_exchange(at, value)                                             \
	(world_atomic("exchanges " #at, (const void *)(at), TOUCH_WRITE),      \
		atomic_exchange_explicit(at, value, memory_order_seq_cst))
#define atomic_fetch_add(at, value)                                            \
	(world_atomic("adds to " #at, (const void *)(at), TOUCH_WRITE),        \
		atomic_fetch_add_explicit(at, value, memory_order_seq_cst))
#define atomic_fetch_sub(at, value)                                            \
	(world_atomic("takes from " #at, (const void *)(at), TOUCH_WRITE),     \
		atomic_fetch_sub_explicit(at, value, memory_order_seq_cst))
#define atomic_compare_exchange_weak(at, old, value)                           \
	(world_atomic("compares " #at, (const void *)(at), TOUCH_WRITE),       \
		atomic_compare_exchange_strong_explicit(at, old, value,        \
			memory_order_seq_cst, memory_order_seq_cst))

#define pthread_mutex_lock(mutex)              world_lock("locks " #mutex, mutex)
#define pthread_mutex_unlock(mutex)            world_unlock(mutex)
#define pthread_create(thread, attr, run, arg) world_create(thread, run, arg)
#define pthread_join(thread, result)           world_join(thread)
#define pthread_sigmask(how, set, old)         ((void)(set), (void)(old))

#define pthread_cond_wait(cond, mutex) world_cond_wait(cond, mutex)
#define pthread_cond_broadcast(cond)   world_cond_broadcast(cond)

#define read(fd, buf, len)               world_read(fd, buf, len)
#define write(fd, buf, len)              world_write(fd, buf, len)
#define close(fd)                        world_close(fd)
#define eventfd(count, flags)            world_eventfd(count)
#define accept4(fd, address, len, flags) ((void)(len), world_accept(fd))

#define getrandom(buf, len, flags) world_random(buf, len)
#define clock_gettime(clock, ts)   world_clock(ts)

#define calloc(count, size) world_calloc(count, size)
#define free(memory)        world_free(memory)

#endif
