/* What this process uses, as /proc says. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "process.h"
#include "server/figures.h"

static uint64_t count_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *entry;
	uint64_t n = 0;

	if (dir == NULL)
		return 0;
	while ((entry = readdir(dir)) != NULL)
		n += entry->d_name[0] != '.';
	closedir(dir);
	/* Without the directory itself. */
	return n - 1;
}

/* Reads a file of /proc, cut to what there is room for. */
static bool read_text(const char *path, char *text, size_t cap)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return false;
	n = read(fd, text, cap - 1);
	close(fd);
	text[n < 0 ? 0 : n] = '\0';
	return n > 0;
}

static void read_memory(struct lbp_process_figures *figures)
{
	uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
	char text[256];
	char *end;

	if (!read_text("/proc/self/statm", text, sizeof(text)))
		return;
	figures->virtual_bytes = strtoull(text, &end, 10) * page;
	figures->resident_bytes = strtoull(end, NULL, 10) * page;
}

/* The field after so many spaces, counted from the process's name on. */
static uint64_t field_of(const char *stat, unsigned spaces)
{
	const char *at = strrchr(stat, ')');

	while (at != NULL && spaces-- > 0)
		at = strchr(at + 1, ' ');
	return at == NULL ? 0 : strtoull(at + 1, NULL, 10);
}

/* Its age is in ticks since the boot; see proc(5), starttime. */
static void read_start(struct lbp_process_figures *figures)
{
	uint64_t ticks = (uint64_t)sysconf(_SC_CLK_TCK);
	struct timespec boot;
	char text[1024];

	if (!read_text("/proc/self/stat", text, sizeof(text)))
		return;
	clock_gettime(CLOCK_BOOTTIME, &boot);
	figures->started_s = (int64_t)time(NULL) - (int64_t)boot.tv_sec +
			     (int64_t)(field_of(text, 20) / ticks);
}

static uint64_t ns_of(const struct timeval *time)
{
	return (uint64_t)time->tv_sec * LBP_NS_PER_S +
	       (uint64_t)time->tv_usec * 1000;
}

void process_figures(struct lbp_process_figures *figures)
{
	struct rlimit limit;
	struct rusage usage;

	*figures = (struct lbp_process_figures){
		.descriptors = count_descriptors()};
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0)
		figures->max_descriptors = limit.rlim_cur;
	getrusage(RUSAGE_SELF, &usage);
	figures->cpu_ns = ns_of(&usage.ru_utime) + ns_of(&usage.ru_stime);
	read_memory(figures);
	read_start(figures);
}
