/* Two threads change the health of one upstream. */
#ifndef INTERLEAVE_HEALTH_H
#define INTERLEAVE_HEALTH_H

#include <stdbool.h>

void health_start(void);
void health_judge(bool all_over);

/* The server has written a line on it. */
void health_line(bool is_up);

#endif
