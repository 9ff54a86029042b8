#include "server/service.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base.h"

#define NS_PER_US 1000

/* Beyond the drain: for its last sessions to be reset, and the log written. */
#define STOP_SPARE_NS (5 * LBP_NS_PER_S)

bool lbp_service_number(const char *text, uint64_t *out)
{
	uint64_t n = 0;
	const char *c;

	for (c = text; *c >= '0' && *c <= '9'; c++) {
		uint64_t digit = (uint64_t)(*c - '0');

		if (n > (UINT64_MAX - digit) / 10)
			return false;
		n = n * 10 + digit;
	}
	*out = n;
	return c != text && *c == '\0';
}

size_t lbp_service_socket(const char *text, char path[LBP_SERVICE_PATH_MAX])
{
	size_t len = strlen(text);

	if ((text[0] != '/' && text[0] != '@') || len < 2 ||
		len >= LBP_SERVICE_PATH_MAX)
		return 0;
	memcpy(path, text, len + 1);
	if (text[0] == '@')
		path[0] = '\0';
	return len;
}

uint64_t lbp_service_watchdog_ns(
	const char *usec, const char *pid, uint64_t own_pid)
{
	uint64_t n;

	if (pid != NULL && (!lbp_service_number(pid, &n) || n != own_pid))
		return 0;
	if (usec == NULL || !lbp_service_number(usec, &n) ||
		n > UINT64_MAX / NS_PER_US)
		return 0;
	return n * NS_PER_US / 2;
}

static const char *reload_text(enum lbp_service_reload reload)
{
	static const char *const texts[] = {
		[LBP_SERVICE_RELOAD_NONE] = "",
		[LBP_SERVICE_RELOAD_DONE] = ", last reload: done",
		[LBP_SERVICE_RELOAD_REFUSED] =
			", last reload: refused, as the log says",
	};

	return texts[reload];
}

void lbp_service_status(
	const struct lbp_service *service, char text[LBP_SERVICE_STATUS_MAX])
{
	if (service->is_draining)
		snprintf(text, LBP_SERVICE_STATUS_MAX,
			"draining; sessions: %" PRIu32 ", for at most %" PRIu64
			" s",
			service->sessions,
			service->left_ns / LBP_NS_PER_S +
				(service->left_ns % LBP_NS_PER_S != 0));
	else
		snprintf(text, LBP_SERVICE_STATUS_MAX,
			"apps: %zu, sessions: %" PRIu32 " of %" PRIu32
			", generation: %" PRIu64 "%s",
			service->apps, service->sessions, service->max_sessions,
			service->generation, reload_text(service->reload));
}

uint64_t lbp_service_stop_usec(uint64_t drain_delay_ns, uint64_t drain_ns)
{
	uint64_t room = UINT64_MAX - STOP_SPARE_NS;

	if (drain_delay_ns > room || drain_ns > room - drain_delay_ns)
		return UINT64_MAX / NS_PER_US;
	return (drain_delay_ns + drain_ns + STOP_SPARE_NS) / NS_PER_US;
}
