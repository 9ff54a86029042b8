/*
 * Runs a few threads in every order in which they can interleave: one at a
 * time, each until it next touches something that others touch too. What the
 * code under test does to atomics, mutexes and descriptors goes through here
 * (hooks.h, world.c), so that nothing else decides who runs.
 *
 * Orders that only swap two steps which do not touch the same thing are the
 * same, and are run once (sleep sets, Godefroid 1996).
 */
#ifndef INTERLEAVE_H
#define INTERLEAVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum touch {
	TOUCH_READ,
	TOUCH_WRITE,
	TOUCH_WAIT, /* reads whatever world_waits_for says */
	TOUCH_ALL,  /* whatever there is */
};

/* What a thread does next; named for the trace of a failure. */
struct step {
	const char *what;
	const void *object;
	enum touch touch;
	bool (*can)(const void *object); /* NULL: at any time */
};

/* Something to run in all orders. */
struct script {
	const char *name;
	/*
	 * Sets everything up and starts the first threads. What it leaves
	 * behind when a run is given up is its own to forget.
	 */
	void (*start)(void);
	/*
	 * Checks what has come of it when nobody can go on; all_over says
	 * whether all threads have returned.
	 */
	void (*judge)(bool all_over);
	/*
	 * If not 0: at most so many times does a thread that could go on wait
	 * for another, for scripts with too many orders.
	 */
	unsigned switches;
};

/*
 * Starts a thread, from script.start or from another thread; its number. It
 * may have a name.
 */
unsigned interleave_thread(const char *name, void (*run)(void *), void *arg);

/* Whether that thread has returned. */
bool interleave_is_over(unsigned thread);

/* That thread does not go on until it is released. */
void interleave_hold(unsigned thread, bool hold);

/* The current thread is about to do this; returns when it may. */
void interleave_step(const struct step *step);

/* Ends the program with the trace of this run. */
_Noreturn void interleave_fail(const char *id, const char *what);

/* As that of fuzz targets, for ci/trace: what a rule of SPEC.md demands. */
#define ORACLE(id, condition, what)                                            \
	do {                                                                   \
		if (!(condition))                                              \
			interleave_fail(id, what);                             \
	} while (0)

/* Runs a script in all orders; prints how many there were. */
void interleave_run(const struct script *script);

#endif
