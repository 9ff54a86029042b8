#include "show.h"

#include <stdio.h>
#include <stdlib.h>

#include "server/config_show.h"

static void put(void *user, const char *text, size_t len)
{
	(void)fwrite(text, 1, len, user);
}

static bool out_of_memory(void)
{
	fputs("lbproxyd: cannot show the configuration: out of memory\n",
		stderr);
	return false;
}

bool show_print(const struct snapshot *snapshot)
{
	const struct texts *texts = &snapshot->texts;
	struct lbp_config_source *sources =
		calloc(texts->len, sizeof(*sources));
	enum lbp_err err;
	size_t i;

	if (sources == NULL)
		return out_of_memory();
	for (i = 0; i < texts->len; i++) {
		const struct text *text = &texts->items[i];

		sources[i] = (struct lbp_config_source){
			text->path != NULL ? text->path
					   : snapshot->notices.file,
			text->file.text, text->file.len};
	}
	err = lbp_config_show(snapshot->config, sources, put, stdout);
	free(sources);
	if (err != LBP_OK)
		return out_of_memory();
	/* It takes note of what failed before, too. */
	(void)fflush(stdout);
	if (!ferror(stdout))
		return true;
	perror("lbproxyd: cannot write to standard output");
	return false;
}
