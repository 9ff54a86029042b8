/*
 * Which mutant a program is, for ci/mutate, where all mutants of its sources
 * are in it (ci/mutate_schema.py): the one whose number is in LBP_MUTANT, or
 * in LBP_FORK, if that is set, as many as are asked for, one after another.
 * Then the program stops before main. For each order on descriptor 198 it goes
 * on in a process of its own, which is what makes this cheap, and on 199 come
 * this process's id and, when it is over, its status. A file named in LBP_SEEN
 * has a byte for each region, and 1 where it was run.
 *
 * System calls are made directly, and the environment is asked with a function
 * that the code under test does not use: some programs stand between it and the
 * C library's functions.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#define REGIONS 65536
#define ORDERS  198
#define ANSWERS 199

struct order {
	int mutant;
	int limit_ms;    /* of processor time */
	char last[1024]; /* instead of the last argument, unless it is empty */
};

extern int lbp_mutant;
extern unsigned char lbp_seen[REGIONS];

int lbp_mutant;
__attribute__((aligned(4096))) unsigned char lbp_seen[REGIONS];
static struct order order;

static void share(const char *path)
{
	int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return;
	syscall(SYS_mmap, lbp_seen, REGIONS, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_FIXED, fd, 0);
	syscall(SYS_close, fd);
}

static void be_the_mutant(int argc, char **argv)
{
	struct itimerval limit = {
		{0, 0}, {order.limit_ms / 1000, order.limit_ms % 1000 * 1000}};

	lbp_mutant = order.mutant;
	setitimer(ITIMER_PROF, &limit, NULL);
	if (order.last[0] != '\0')
		argv[argc - 1] = order.last;
	syscall(SYS_close, ORDERS);
	syscall(SYS_close, ANSWERS);
}

static void serve(int argc, char **argv)
{
	while (syscall(SYS_read, ORDERS, &order, sizeof(order)) ==
		sizeof(order)) {
		int status = 0;
		pid_t pid = fork();

		if (pid == 0) {
			be_the_mutant(argc, argv);
			return;
		}
		syscall(SYS_write, ANSWERS, &pid, sizeof(pid));
		syscall(SYS_wait4, pid, &status, 0, NULL);
		syscall(SYS_write, ANSWERS, &status, sizeof(status));
	}
	_exit(0);
}

__attribute__((constructor(101))) static void start(int argc, char **argv)
{
	const char *mutant = secure_getenv("LBP_MUTANT");
	const char *seen = secure_getenv("LBP_SEEN");

	if (mutant != NULL)
		lbp_mutant = atoi(mutant);
	if (seen != NULL)
		share(seen);
	if (secure_getenv("LBP_FORK") != NULL)
		serve(argc, argv);
}
