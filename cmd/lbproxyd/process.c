#include "process.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <unistd.h>

#include "log.h"

/* More than any kernel supports, in masks of CPU_SETSIZE. */
#define CPU_SETS (65536 / CPU_SETSIZE)

bool process_open_standard(void)
{
	int fd;

	/* open returns the lowest free number. */
	do {
		fd = open("/dev/null", O_RDWR);
		/* Without /dev, anything that takes no bytes will do. */
		if (fd < 0)
			fd = open("/", O_RDONLY | O_DIRECTORY);
	} while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd < 0)
		return false;
	close(fd);
	return true;
}

/* Without /proc: tries as many as can matter to select. */
static uint32_t try_descriptors(void)
{
	uint32_t n = 0;
	int fd;

	for (fd = STDERR_FILENO + 1; fd < FD_SETSIZE; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

uint32_t process_inherited(void)
{
	DIR *dir = opendir("/proc/self/fd");
	uint32_t n = 0;
	const struct dirent *entry;
	long fd;

	if (dir == NULL)
		return try_descriptors();
	while ((entry = readdir(dir)) != NULL) {
		/* "." and ".." become 0. */
		fd = strtol(entry->d_name, NULL, 10);
		n += fd > STDERR_FILENO && fd != dirfd(dir);
	}
	closedir(dir);
	return n;
}

/*
 * Signals of log rotators, timers, power supplies, terminals and file size
 * limits, which would end or stop the process by default.
 */
static const int ignored[] = {SIGPIPE, SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM,
	SIGPROF, SIGIO, SIGPWR, SIGSTKFLT, SIGXFSZ, SIGTTOU};

void process_ignore_signals(void)
{
	struct sigaction action = {.sa_handler = SIG_IGN};
	sigset_t blocked;
	size_t i;
	int number;

	sigemptyset(&action.sa_mask);
	for (i = 0; i < sizeof(ignored) / sizeof(*ignored); i++)
		sigaction(ignored[i], &action, NULL);
	for (number = SIGRTMIN; number <= SIGRTMAX; number++)
		sigaction(number, &action, NULL);
	/* A signal that comes early stays pending until its handler is set. */
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGHUP);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
}

void process_handle_signals(void (*handler)(int number))
{
	struct sigaction action = {.sa_handler = handler};

	sigemptyset(&action.sa_mask);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	sigprocmask(SIG_SETMASK, &action.sa_mask, NULL);
}

uint32_t process_cpus(void)
{
	cpu_set_t sets[CPU_SETS];

	/* Fails if the kernel's mask is larger than this one, or hidden. */
	if (sched_getaffinity(0, sizeof(sets), sets) != 0)
		return 1;
	return (uint32_t)CPU_COUNT_S(sizeof(sets), sets);
}

void process_allow_descriptors(uint64_t needed)
{
	struct rlimit limit, raised;
	struct log_line line;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= needed)
		return;
	raised = limit;
	raised.rlim_cur = limit.rlim_max < needed ? limit.rlim_max : needed;
	if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
		limit = raised;
	if (limit.rlim_cur >= needed)
		return;
	log_begin(&line, LBP_LOG_WARN, "error");
	log_string(&line, "message",
		"the descriptor limit is below what max_connections and "
		"max_handshakes need");
	log_uint(&line, "limit", limit.rlim_cur);
	log_uint(&line, "needed", needed);
	log_end(&line);
}
