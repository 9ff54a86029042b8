#include "live.h"

#include <stdlib.h>
#include <string.h>

#include "ask.h"
#include "print.h"

/* What it answers, parsed; NULL: nothing, or no JSON. */
static json_t *get(const struct live *live, const char *path,
	const struct argument *arguments)
{
	struct reply reply;
	json_t *parsed = NULL;

	if (!ask(live->where, "GET", path, arguments, &reply))
		return NULL;
	if (reply.status == 200)
		parsed = json_loadb(reply.body, reply.len, 0, NULL);
	reply_release(&reply);
	return parsed;
}

void live_open(struct live *live, const struct options *options)
{
	*live = (struct live){.where = ask_where(options, true)};
	if (live->where == NULL)
		return;
	live->status = get(live, "/status", ask_nothing);
	live->uses = json_array();
}

void live_release(struct live *live)
{
	json_decref(live->status);
	json_decref(live->uses);
	free(live->where);
	*live = (struct live){0};
}

json_t *live_client(struct live *live, const char *app, const char *client)
{
	const struct argument arguments[] = {
		{"app", app}, {"client", client}, {NULL, NULL}};
	json_t *use;

	if (live->status == NULL)
		return NULL;
	use = get(live, "/client", arguments);
	/* The array has it from now on; it takes no NULL. */
	(void)json_array_append_new(live->uses, use);
	return use;
}

json_t *live_upstreams(const struct live *live, const char *app)
{
	size_t i;
	json_t *each;

	json_array_foreach(json_object_get(live->status, "apps"), i, each)
	{
		if (strcmp(text_of(each, "id"), app) == 0)
			return json_object_get(each, "upstreams");
	}
	return NULL;
}
