/*
 * Standard error made up: what the log's sink finds there, how much it takes
 * and when, and oracles on each byte that it is given. Linked with the calls
 * wrapped that the sink makes.
 */
#ifndef LBP_FUZZ_LOG_SINK_H
#define LBP_FUZZ_LOG_SINK_H

#include <sys/types.h>

#include "../../cmd/lbproxyd/sink.h"
#include "model/model_log.h"

enum log_sink_kind {
	LOG_SINK_TERMINAL,
	LOG_SINK_FILE,
	LOG_SINK_TORN_FILE, /* somebody left a line without its end */
	LOG_SINK_SOCKET,
	LOG_SINK_PIPE,
	LOG_SINK_SHARED_PIPE, /* that can't be opened once more */
	LOG_SINK_KINDS,
};

/* One line, a report of dropped ones before it. */
#define LOG_SINK_LINES 2

struct log_sink {
	bool capture; /* else all calls are real */
	enum log_sink_kind kind;
	unsigned outcomes; /* of the next attempts, two bits each */
	unsigned cut;      /* how many sixteenths a cut write takes */
	bool interrupts;   /* a refusal of write is EINTR, once */
	bool is_full;      /* more than half is used */
	bool is_shared;    /* others write to the same file */
	bool refused;      /* an attempt, or a part of it */
	/* Begun since the test cleared len, and not taken back. */
	struct model_log_line lines[LOG_SINK_LINES];
	size_t len;
	/* The line that is under way, and how much of it has arrived. */
	char line[SINK_LINE_MAX];
	size_t line_len;
	size_t line_at;
	off_t size; /* of a file, */
	off_t at;   /* and where the next write goes */
};

extern struct log_sink log_sink;

/* Standard error is this from now on, as after a start. */
void log_sink_open(enum log_sink_kind kind);

/* Did only a part of the last line arrive? */
bool log_sink_is_torn(void);

/* Is it the end of a file that nobody else writes to? */
bool log_sink_can_take_back(void);

#endif
