#include "server/session_timeouts.h"

struct lbp_session_timeouts lbp_session_timeouts_of(
	const struct lbp_config *config, const struct lbp_config_app *app)
{
	return (struct lbp_session_timeouts){
		.handshake_ns = config->handshake_ns,
		.connect_ns = app->timeouts.connect_ns,
		.idle_ns = app->timeouts.idle_ns,
		.linger_ns = LBP_SERVER_LINGER_NS,
	};
}
