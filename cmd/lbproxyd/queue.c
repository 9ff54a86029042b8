#include "queue.h"

#include <stddef.h>

void job_init(struct job *job, void (*run)(struct job *))
{
	*job = (struct job){.run = run};
}

void queue_add(struct queue *queue, struct job *job)
{
	if (job->waits)
		return;
	job->waits = true;
	job->next = NULL;
	job->prev = queue->last;
	if (queue->last != NULL)
		queue->last->next = job;
	else
		queue->first = job;
	queue->last = job;
}

void queue_remove(struct queue *queue, struct job *job)
{
	if (!job->waits)
		return;
	job->waits = false;
	if (job->prev != NULL)
		job->prev->next = job->next;
	else
		queue->first = job->next;
	if (job->next != NULL)
		job->next->prev = job->prev;
	else
		queue->last = job->prev;
}

void queue_run_first(struct queue *queue)
{
	struct job *job = queue->first;

	queue_remove(queue, job);
	job->run(job);
}
