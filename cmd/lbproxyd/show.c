#include "show.h"

#include <stdio.h>
#include <stdlib.h>

#include "server/config_show.h"
#include "server/memory.h"
#include "worker.h"

_Static_assert(sizeof(struct conn) <= LBP_MEMORY_CONN &&
		       RING_BYTES <= LBP_MEMORY_RING &&
		       sizeof(struct worker) <= LBP_MEMORY_WORKER,
	"memory.h says less");

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

/* [MEM-1]. False: the files that it names cannot be looked at. */
static bool show_memory(const struct snapshot *snapshot)
{
	struct lbp_memory_facts facts = {.workers = snapshot->workers,
		.handshakes = snapshot->handshakes,
		.listeners = snapshot->listeners};
	struct lbp_memory memory;
	size_t i;

	if (!snapshot_file_bytes(snapshot, &facts.file_bytes)) {
		perror("lbproxyd: cannot look at the files that are named");
		return false;
	}
	for (i = 0; i < snapshot->texts.len; i++)
		facts.text_bytes += snapshot->texts.items[i].file.len;
	lbp_memory_bound(&memory, snapshot->config, &facts);
	lbp_memory_show(&memory, put, stdout);
	return true;
}

/* False: an error says why not. */
static bool show_config(const struct snapshot *snapshot)
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
	return err == LBP_OK || out_of_memory();
}

bool show_print(const struct snapshot *snapshot)
{
	if (!show_config(snapshot) || !show_memory(snapshot))
		return false;
	/* It takes note of what failed before, too. */
	(void)fflush(stdout);
	if (!ferror(stdout))
		return true;
	perror("lbproxyd: cannot write to standard output");
	return false;
}
