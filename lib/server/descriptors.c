#include "server/descriptors.h"

#include <stdbool.h>
#include <stddef.h>

#include "server/admin.h"

/* Standard streams, signal pipe, and what libraries open now and then. */
#define DESCRIPTORS_BASE 16
/* A wake-up, the event loop's own, and connections without a place. */
#define DESCRIPTORS_PER_WORKER (3 + LBP_LOOSE_PER_WORKER)

uint64_t lbp_descriptors_needed(const struct lbp_config *config,
	uint32_t workers, uint32_t listeners, uint32_t inherited)
{
	uint64_t n = DESCRIPTORS_BASE;
	size_t i;

	n += (uint64_t)workers * DESCRIPTORS_PER_WORKER;
	n += listeners;
	/* They use up numbers, whichever those are. */
	n += inherited;
	/* A client's connection and its upstream's. */
	n += (uint64_t)config->max_connections * 2;
	/* A client's connection, before there is a session. */
	n += config->max_handshakes;
	if (config->admin.host != NULL)
		n += LBP_ADMIN_DESCRIPTORS;
	if (config->admin_socket.ptr != NULL)
		n += LBP_ADMIN_DESCRIPTORS;
	/* At most one check of an upstream runs at a time. */
	for (i = 0; i < config->app_len; i++) {
		if (config->apps[i].health.enabled)
			n += config->apps[i].upstream_len;
	}
	return n;
}

enum lbp_err lbp_descriptors_event_loop(const struct lbp_config *config,
	uint64_t needed, uint64_t select_max, enum lbp_event_loop *out)
{
	bool fits = needed <= select_max;
	bool fits_with_one =
		fits || needed - select_max < config->max_handshakes;

	if (config->event_loop == LBP_EVENT_LOOP_SELECT && !fits_with_one)
		return LBP_ERR_RANGE;
	if (config->event_loop == LBP_EVENT_LOOP_AUTO)
		*out = fits && needed <= LBP_AUTO_SELECT_MAX
			       ? LBP_EVENT_LOOP_SELECT
			       : LBP_EVENT_LOOP_EPOLL;
	else
		*out = config->event_loop;
	return LBP_OK;
}

uint32_t lbp_descriptors_handshakes(const struct lbp_config *config,
	enum lbp_event_loop loop, uint64_t needed, uint64_t select_max)
{
	if (loop != LBP_EVENT_LOOP_SELECT || needed <= select_max)
		return config->max_handshakes;
	return config->max_handshakes - (uint32_t)(needed - select_max);
}
