/*
 * What a service manager says to the server, in environment variables, and what
 * it is told: systemd's protocol, sd_notify(3) and sd_watchdog_enabled(3).
 * Source: SPEC.md [SVC-*].
 */
#ifndef LBP_SERVICE_H
#define LBP_SERVICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Of the path of a socket (sun_path), and of its abstract name. */
#define LBP_SERVICE_PATH_MAX 108

/* Room for the status, and the final NUL. */
#define LBP_SERVICE_STATUS_MAX 192

enum lbp_service_reload {
	LBP_SERVICE_RELOAD_NONE, /* there was none */
	LBP_SERVICE_RELOAD_DONE,
	LBP_SERVICE_RELOAD_REFUSED,
};

struct lbp_service {
	bool is_draining;
	uint32_t sessions;
	uint32_t max_sessions;
	size_t apps;
	uint64_t generation;
	enum lbp_service_reload reload; /* the last one */
	uint64_t left_ns; /* while it drains: that takes no longer */
};

/*
 * Reads a decimal number without a sign. False: the text is none, or the number
 * is too large; *out is undefined.
 */
bool lbp_service_number(const char *text, uint64_t *out);

/*
 * Writes where NOTIFY_SOCKET says that the service manager listens: a path, or
 * after '@' an abstract name, which begins with NUL. Returns the length, or 0
 * if the text is neither; path is undefined then. [SVC-1].
 */
size_t lbp_service_socket(const char *text, char path[LBP_SERVICE_PATH_MAX]);

/*
 * Returns how often a sign of life is due, by WATCHDOG_USEC and WATCHDOG_PID,
 * each of which may be NULL: half of the time after which the server counts as
 * hung. 0: none is, as nobody waits for one from the process pid. [SVC-5].
 */
uint64_t lbp_service_watchdog_ns(
	const char *usec, const char *pid, uint64_t own_pid);

/* Writes the status, one line without its end. [SVC-4]. */
void lbp_service_status(
	const struct lbp_service *service, char text[LBP_SERVICE_STATUS_MAX]);

/*
 * Returns the time in microseconds within which a drain that begins now is
 * over, at most UINT64_MAX / 1000. [SVC-3].
 */
uint64_t lbp_service_stop_usec(uint64_t drain_delay_ns, uint64_t drain_ns);

#endif
