/*
 * A thread's queue of jobs, first come, first served, of which as many are done
 * at a time as its owner likes.
 */
#ifndef QUEUE_H
#define QUEUE_H

#include <stdbool.h>

/* A job, embedded in the object that it is about. */
struct job {
	void (*run)(struct job *job);
	struct job *prev;
	struct job *next;
	bool waits; /* is in its queue */
};

struct queue { /* {NULL, NULL} is empty */
	struct job *first;
	struct job *last;
};

/* Initializes a job, in no queue. */
void job_init(struct job *job, void (*run)(struct job *));

/* Appends a job; one that is already in the queue keeps its place. */
void queue_add(struct queue *queue, struct job *job);

/* Removes a job from this queue, if it is in it. */
void queue_remove(struct queue *queue, struct job *job);

/*
 * Runs the first job, which there must be. It is removed from the queue before,
 * and may be freed or added again.
 */
void queue_run_first(struct queue *queue);

#endif
