/* Limits that are allowed but can have no effect. [SRV-134]. */
#include <string.h>

#include "server/config.h"
#include "server/config_message.h"

/* Where warnings go. */
struct output {
	const struct lbp_config *config;
	void (*say)(void *user, struct lbp_config_pos pos, const char *message);
	void *user;
};

/* A table of limits: the limits that apply, and where they were given. */
struct given {
	const struct lbp_limits *limits;
	const struct lbp_config_limit_places *places;
	const char *table;
	const char *app; /* its id, or "" if the name of the table has none */
	bool is_rated;   /* some rate uses the window */
};

static void begin_message(struct lbp_config_message *message,
	const struct given *given, const char *key)
{
	*message = (struct lbp_config_message){.len = 0};
	lbp_config_say(message, "%s", given->table);
	lbp_config_say_escaped(message,
		(struct lbp_toml_string){given->app, strlen(given->app)});
	lbp_config_say(message, ".%s has no effect ", key);
}

static void check_limits(const struct output *output, const struct given *given)
{
	uint32_t max = output->config->max_connections;
	struct lbp_config_message message;

	if (given->places->concurrent.line != 0 &&
		given->limits->concurrent > max) {
		begin_message(&message, given, "concurrent");
		lbp_config_say(&message,
			"above server.max_connections, which is %u", max);
		output->say(
			output->user, given->places->concurrent, message.text);
	}
	if (given->places->window.line != 0 && !given->is_rated) {
		begin_message(&message, given, "window");
		lbp_config_say(&message, "without connections");
		output->say(output->user, given->places->window, message.text);
	}
}

static void check_client(
	const struct output *output, const struct lbp_config_client *client)
{
	size_t i;

	for (i = 0; i < client->grant_len; i++) {
		const struct lbp_config_grant *grant = &client->grants[i];

		check_limits(
			output, &(struct given){&grant->limits,
					&grant->limit_places, "client.limits.",
					output->config->apps[grant->app].id.ptr,
					grant->limits.connections != 0});
	}
}

void lbp_config_warn(const struct lbp_config *config,
	void (*say)(void *user, struct lbp_config_pos pos, const char *message),
	void *user)
{
	const struct output output = {config, say, user};
	size_t i;

	for (i = 0; i < config->app_len; i++) {
		const struct lbp_config_app *app = &config->apps[i];

		check_limits(&output,
			&(struct given){&app->limits, &app->limit_places,
				"app.limits", "",
				app->is_rated || app->limits.connections != 0});
	}
	for (i = 0; i < config->client_len; i++)
		check_client(&output, &config->clients[i]);
}
