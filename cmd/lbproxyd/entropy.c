#include "entropy.h"

#include <errno.h>
#include <sys/random.h>

bool entropy_draw(void *bytes, size_t len)
{
	ssize_t n;

	/* So few bytes come at once, or not at all. */
	do {
		n = getrandom(bytes, len, 0);
	} while (n < 0 && errno == EINTR);
	return n == (ssize_t)len;
}
