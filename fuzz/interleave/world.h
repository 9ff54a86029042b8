/*
 * What threads touch, for the code under test: descriptors, pollers, mutexes,
 * other threads and memory. All of it starts anew with each run.
 */
#ifndef WORLD_H
#define WORLD_H

#include <pthread.h>
#include <sys/types.h>
#include <time.h>

#include "interleave.h"

/* Descriptors are counters: events, or connections that wait. */
#define WORLD_FDS 32

void world_start(void);

/* For -include: see hooks.h. */
void world_atomic(const char *what, const void *at, enum touch touch);
int world_lock(const char *what, pthread_mutex_t *mutex);
int world_unlock(pthread_mutex_t *mutex);
int world_cond_wait(const pthread_cond_t *cond, pthread_mutex_t *mutex);
int world_cond_broadcast(const pthread_cond_t *cond);
int world_create(pthread_t *thread, void *(*run)(void *), void *arg);
int world_join(pthread_t thread);
int world_eventfd(unsigned count);
ssize_t world_read(int fd, void *buf, size_t len);
ssize_t world_write(int fd, const void *buf, size_t len);
int world_close(int fd);
int world_accept(int fd);
int world_clock(struct timespec *ts);
ssize_t world_random(void *buf, size_t len);
void *world_calloc(size_t count, size_t size);
void world_free(void *memory);

/* Opens a descriptor with so many events, or connections, that wait. */
int world_open(unsigned count);

/* One more event at a descriptor. */
void world_event(int fd);

/*
 * So many times is there no descriptor for who is to be accepted, and no more
 * than so many threads can be started (0: any number).
 */
void world_be_short(unsigned times, unsigned threads);

/* How many wait at a descriptor that is open. */
unsigned world_waiting(int fd);

/* How often a poller was told what to wait for, other pollers apart. */
unsigned world_settings(void);

/* Does a waiter (a poller) wait for this object? */
bool world_waits_for(const void *waiter, const void *object);

/* At the end: all that was opened is closed, and all memory given back. */
void world_check_leaks(void);

#endif
