#include "rejects.h"

void rejects_add(struct rejects *rejects, const struct reject *reject)
{
	bool kind = reject->is_stranger;

	pthread_mutex_lock(&rejects->lock);
	rejects->items[kind][rejects->counts[kind]++ % REJECTS_KEPT] = *reject;
	pthread_mutex_unlock(&rejects->lock);
}

size_t rejects_copy(struct rejects *rejects, struct reject *out)
{
	size_t n = 0;
	int kind;
	size_t i;

	pthread_mutex_lock(&rejects->lock);
	for (kind = 0; kind < 2; kind++) {
		for (i = 0; i < REJECTS_KEPT && i < rejects->counts[kind]; i++)
			out[n++] = rejects->items[kind][i];
	}
	pthread_mutex_unlock(&rejects->lock);
	return n;
}
