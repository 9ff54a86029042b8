/*
 * Which code a program runs, for ci/mutate: with a file's name in LBP_REACH,
 * that file has a byte for each byte of the program's text, and 1 where a
 * basic block was run. The file is mapped, so it says so whatever becomes of
 * the program; processes may share it. System calls are made directly: some
 * programs stand between the code under test and the C library's functions.
 */
#include <fcntl.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

extern const char __executable_start;
extern const char etext;

void __sanitizer_cov_trace_pc(void);

static char *taken;

__attribute__((constructor(101))) static void start(void)
{
	const char *path = getenv("LBP_REACH");
	size_t len = (size_t)(&etext - &__executable_start);
	void *map;
	int fd;

	if (path == NULL)
		return;
	fd = (int)syscall(SYS_openat, AT_FDCWD, path,
		O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return;
	/* Of its full size already, if files may not grow. */
	if (syscall(SYS_lseek, fd, 0, SEEK_END) >= (long)len ||
		syscall(SYS_ftruncate, fd, len) == 0) {
		map = (void *)syscall(SYS_mmap, NULL, len,
			PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (map != MAP_FAILED)
			taken = map;
	}
	syscall(SYS_close, fd);
}

void __sanitizer_cov_trace_pc(void)
{
	if (taken != NULL)
		taken[(const char *)__builtin_return_address(0) -
			&__executable_start] = 1;
}
