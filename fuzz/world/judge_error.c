/* What SPEC.md says of the lines about what the server lacks. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "oracle.h"
#include "world.h"

/* What a failed call of the made-up kernel may have said. */
static const int errors[] = {EMFILE, ENFILE, EADDRNOTAVAIL, EADDRINUSE, EAGAIN,
	ENOMEM, ENOBUFS, ENOSPC, EPERM, EACCES, ENETDOWN, EAFNOSUPPORT, EIO,
	ENOENT, EISDIR, ENOSYS};

/* What could not be done; is_often: it may fail again and again. */
static const struct {
	const char *message;
	bool is_often;
} messages[] = {
	{"cannot accept", true},
	{"cannot check", true},
	{"cannot dial", true},
	{"cannot read a PROXY header", true},
	{"cannot relay", true},
	{"cannot shake hands", true},
	{"cannot start TLS", true},
	{"cannot watch", true},
	{"cannot watch a listener", true},
	{"cannot listen", false},
	{"cannot load the configuration", false},
	{"cannot open the admin socket", false},
	{"cannot resolve names in the background", false},
	{"cannot start", false},
	{"cannot start a thread", false},
	{"cannot start a worker", false},
	{"cannot start accepting connections", false},
	{"cannot take what was passed", false},
};

#define MESSAGES (sizeof(messages) / sizeof(*messages))
#define ERRORS   (sizeof(errors) / sizeof(*errors))

/* Lines of one of these are about one thing that has run out. */
static enum world_lack lack_of(int error)
{
	switch (error) {
	case EMFILE:
	case ENFILE:
		return LACK_DESCRIPTORS;
	case EADDRNOTAVAIL:
	case EADDRINUSE:
	case EAGAIN:
		return LACK_PORTS;
	default:
		return LACK_OTHER;
	}
}

/*
 * The server tells of a lack a second after it last occurred. A line has the
 * time at which it is written, and a thread that has decided to write one may
 * be switched away before it does.
 */
#define TOLD_ANEW_NS (500 * KERNEL_MS)

static void judge_often(const char *line, int error)
{
	uint64_t *told = &world.told_ns[lack_of(error)];
	uint64_t now = line_time_ns(line);

	ORACLE("SRV-142", *told == 0 || now >= *told + TOLD_ANEW_NS,
		"it has just been said: %s", line);
	*told = now;
}

static int error_of(const char *line)
{
	size_t i = 0;

	while (i < ERRORS && !line_has(line, "cause", strerror(errors[i])))
		i++;
	return i < ERRORS ? errors[i] : 0;
}

static void judge_lack(const char *line)
{
	int error = error_of(line);
	size_t i = 0;

	ORACLE("SRV-110", world_was_short(), "there is no cause: %s", line);
	while (i < MESSAGES && !line_has(line, "message", messages[i].message))
		i++;
	ORACLE("LOG-8", i < MESSAGES, "what could not be done? %s", line);
	ORACLE("LOG-8", line_has(line, "level", "error"), "no error: %s", line);
	ORACLE("SRV-110",
		error != 0 || line_has(line, "cause", "out of memory"),
		"for what reason? %s", line);
	world.errors++;
	if (messages[i].is_often)
		judge_often(line, error);
}

/* In words of the server's, the system's or OpenSSL's, which is kernel/tls.c.
 */
static bool is_cause(const char *cause)
{
	static const char *const causes[] = {"timed out",
		"timed out in the TLS handshake",
		"timed out before it took the PROXY header",
		"connected to itself", "closed after the TLS handshake",
		"reset after the connect", "reset in the TLS handshake",
		"certificate verify failed", "the peer closed the connection",
		"unexpected message", "unexpected record",
		"the handshake failed", "closed before its first byte",
		"reset before its first byte", "its checks succeed",
		"its name has an address", "no upstream is eligible",
		"its certificate is not trusted since a reload"};
	static const int faults[] = {ECONNREFUSED, ECONNRESET, ETIMEDOUT,
		EHOSTUNREACH, ENETUNREACH, EHOSTDOWN, EPIPE};

	for (size_t i = 0; i < sizeof(causes) / sizeof(*causes); i++) {
		if (line_is(cause, causes[i]))
			return true;
	}
	for (size_t i = 0; i < sizeof(faults) / sizeof(*faults); i++) {
		if (line_is(cause, strerror(faults[i])))
			return true;
	}
	return strncmp(cause, "\"cannot resolve 'n", 18) == 0;
}

void judge_cause(const char *line)
{
	ORACLE("SRV-109", error_of(line) == 0, "its fault? %s", line);
	ORACLE("SRV-97", is_cause(line_find(line, "cause")),
		"what does it mean? %s", line);
}

/* About the configuration, or what its names stand for. */
static bool is_advice(const char *line)
{
	return line_find(line, "file") != NULL ||
	       line_find(line, "limit") != NULL ||
	       strstr(line, "\"a name has no address any more") != NULL;
}

void judge_error(const char *line)
{
	if (is_advice(line))
		return;
	if (line_find(line, "dropped") != NULL) {
		world.dropped += line_number(line, "dropped");
		ORACLE("LOG-7", kernel_log_refused(), "none was: %s", line);
		return;
	}
	judge_lack(line);
}
