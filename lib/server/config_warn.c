/* Limits that are allowed and can take no effect. [SRV-134]. */
#include <string.h>

#include "server/config.h"
#include "server/config_message.h"

/* Where warnings go. */
struct listener {
	const struct lbp_config *config;
	void (*say)(void *user, struct lbp_config_pos pos, const char *message);
	void *user;
};

/* A table of limits: those that hold, and where it gives them. */
struct given {
	const struct lbp_limits *limits;
	const struct lbp_config_limit_places *places;
	const char *table;
	const char *app; /* its id, or "" if the table has none in its name */
	bool is_rated;   /* the window is that of some rate */
};

static void begin(struct lbp_config_message *message, const struct given *given,
	const char *key)
{
	*message = (struct lbp_config_message){.len = 0};
	lbp_config_say(message, "%s", given->table);
	lbp_config_say_escaped(message,
		(struct lbp_toml_string){given->app, strlen(given->app)});
	lbp_config_say(message, ".%s has no effect ", key);
}

static void look_at(const struct listener *listener, const struct given *given)
{
	uint32_t max = listener->config->max_connections;
	struct lbp_config_message message;

	if (given->places->concurrent.line != 0 &&
		given->limits->concurrent > max) {
		begin(&message, given, "concurrent");
		lbp_config_say(&message,
			"above server.max_connections, which is %u", max);
		listener->say(listener->user, given->places->concurrent,
			message.text);
	}
	if (given->places->window.line != 0 && !given->is_rated) {
		begin(&message, given, "window");
		lbp_config_say(&message, "without connections");
		listener->say(
			listener->user, given->places->window, message.text);
	}
}

static void look_at_client(
	const struct listener *listener, const struct lbp_config_client *client)
{
	size_t i;

	for (i = 0; i < client->grant_len; i++) {
		const struct lbp_config_grant *grant = &client->grants[i];

		look_at(listener,
			&(struct given){&grant->limits, &grant->limit_places,
				"client.limits.",
				listener->config->apps[grant->app].id.ptr,
				grant->limits.connections != 0});
	}
}

void lbp_config_warn(const struct lbp_config *config,
	void (*say)(void *user, struct lbp_config_pos pos, const char *message),
	void *user)
{
	const struct listener listener = {config, say, user};
	size_t i;

	for (i = 0; i < config->app_len; i++) {
		const struct lbp_config_app *app = &config->apps[i];

		look_at(&listener,
			&(struct given){&app->limits, &app->limit_places,
				"app.limits", "",
				app->is_rated || app->limits.connections != 0});
	}
	for (i = 0; i < config->client_len; i++)
		look_at_client(&listener, &config->clients[i]);
}
