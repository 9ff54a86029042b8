/*
 * Standard error, to which a line is written whole or not at all, be it a pipe,
 * a socket, a terminal, or a file on a full disk. Nothing blocks on a reader.
 * Any thread may call these. [LOG-7], [LOG-9], [LOG-12].
 */
#ifndef SINK_H
#define SINK_H

#include <stdbool.h>
#include <stddef.h>

/* A pipe takes a write of this size as a whole or not at all. */
#define SINK_LINE_MAX 4096

/*
 * Finds out what standard error is; if it is a pipe, enlarges its buffer for
 * bursts. To be called before the first line, while there is only one thread.
 */
void sink_open(void);

/*
 * Writes a line of at most SINK_LINE_MAX bytes, including its line end. One
 * that yields is written only if enough room is left for others. False: it was
 * not written. The rest of a partly written line is written before the next
 * one.
 */
bool sink_write(const char *line, size_t len, bool yields);

/*
 * To be called before the program ends: if a line is partly written, waits up
 * to about a second for a reader.
 */
void sink_flush(void);

#endif
