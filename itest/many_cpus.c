/*
 * Another machine's processors, for a program that is started with this in
 * LD_PRELOAD: those that CPUS names, as "FIRST COUNT"; of count 0 the kernel
 * does not say. As in Linux a mask that is too short for all is EINVAL.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int sched_getaffinity(pid_t pid, size_t size, cpu_set_t *set)
{
	const char *cpus = getenv("CPUS");
	size_t first = 0, count = 0, i;

	(void)pid;
	if (cpus == NULL || sscanf(cpus, "%zu %zu", &first, &count) != 2 ||
		count == 0) {
		errno = ENOSYS;
		return -1;
	}
	if (first + count > size * 8) {
		errno = EINVAL;
		return -1;
	}
	memset(set, 0, size);
	for (i = first; i < first + count; i++)
		CPU_SET_S(i, size, set);
	return 0;
}
