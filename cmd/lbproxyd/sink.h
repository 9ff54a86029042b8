/*
 * Standard error, where a line arrives whole or not at all, whatever it is: a
 * pipe, a socket, a terminal, or a file on a disk that is full. Nothing waits
 * for a reader. Any thread may call these. [LOG-7], [LOG-9], [LOG-12].
 */
#ifndef SINK_H
#define SINK_H

#include <stdbool.h>
#include <stddef.h>

/* A pipe takes this much in one piece, or not at all. */
#define SINK_LINE_MAX 4096

/*
 * Looks at what standard error is and makes room for bursts where it is a
 * pipe. To be called before the first line, while there is one thread.
 */
void sink_open(void);

/*
 * Writes a line of at most SINK_LINE_MAX bytes, its line end included. One
 * that yields is written only if the room that is left is enough for others
 * as well. False: it was not written. What did not go out of a line that was
 * begun goes out before the next one.
 */
bool sink_write(const char *line, size_t len, bool yields);

/*
 * Before the program ends: waits up to about a second for a reader, if a line
 * was begun that is not whole.
 */
void sink_flush(void);

#endif
