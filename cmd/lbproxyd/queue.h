/*
 * Work of one thread that waits for its turn, first come, first served, so
 * that no more than so much of it is done at a time.
 */
#ifndef QUEUE_H
#define QUEUE_H

#include <stdbool.h>

/* A piece of work, embedded in what it is about. */
struct job {
	void (*run)(struct job *job);
	struct job *prev;
	struct job *next;
	bool waits; /* in its queue */
};

struct queue { /* {NULL, NULL} is an empty one */
	struct job *first;
	struct job *last;
};

/* Starts a job that waits nowhere. */
void job_init(struct job *job, void (*run)(struct job *));

/* Appends a job; one that waits already keeps its place. */
void queue_add(struct queue *queue, struct job *job);

/* Takes a job out, if it waits, in this queue. */
void queue_remove(struct queue *queue, struct job *job);

/*
 * Does the work of at most n jobs, in their order, each of which is out of the
 * queue by then and may be freed, or added again.
 */
void queue_run(struct queue *queue, unsigned n);

#endif
