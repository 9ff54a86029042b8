/* Which calls fail, and with what. */
#include <errno.h>

#include "inside.h"

static void draw_fault(void)
{
	unsigned drawn = bytes_u8(kernel.bytes);

	kernel.fault_in =
		drawn == 0 ? 0 : 1 + drawn * (256 - kernel.plan.trouble) / 128;
}

/* Whoever is interrupted, or gets a part, can go on. */
static bool is_harmless(int error)
{
	return error == EINTR || error == FAULT_SHORT;
}

int kernel_fault(const int *errors, unsigned n)
{
	int error;

	kernel_stats.calls++;
	if (kernel.is_calm || kernel.plan.trouble == 0)
		return 0;
	if (kernel.fault_in == 0) {
		/* Bytes may have run out; else look once more later. */
		if (kernel.bytes->len > 0)
			draw_fault();
		return 0;
	}
	if (--kernel.fault_in > 0)
		return 0;
	draw_fault();
	kernel_stats.faults++;
	error = errors[bytes_below(kernel.bytes, n)];
	if (!is_harmless(error)) {
		kernel.faults++;
		kernel.fault_ns = kernel.now_ns;
	}
	return error;
}

size_t kernel_part(size_t n)
{
	return n < 2 ? n : 1 + bytes_below(kernel.bytes, (uint32_t)n - 1);
}

unsigned kernel_faults(void)
{
	return kernel.faults;
}

uint64_t kernel_fault_ns(void)
{
	return kernel.fault_ns;
}

bool kernel_refused_thread(void)
{
	return kernel.refused_thread;
}

void kernel_calm(bool calm)
{
	kernel.is_calm = calm;
}

bool kernel_fails(int error)
{
	kernel_point();
	errno = error;
	return error != 0;
}
