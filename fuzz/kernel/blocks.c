/* Where the library is compiled so, a thread can be interrupted in it too. */
#include "calls.h"
#include "inside.h"

void __sanitizer_cov_trace_pc(void);

/* Called between any two basic blocks. */
void __sanitizer_cov_trace_pc(void)
{
	kernel_point();
}
