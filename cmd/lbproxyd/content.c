#include "content.h"

#include "file.h"
#include "server/rotation.h"

struct look {
	int dir_fd;
	uint64_t content;
};

static void add(struct look *look, const struct lbp_config_text *path)
{
	struct file file = {0};

	if (path->ptr == NULL)
		return;
	if (!file_read_regular(&file, look->dir_fd, path->ptr)) {
		look->content = lbp_rotation_add(look->content, NULL, 0);
		return;
	}
	look->content = lbp_rotation_add(look->content, file.text, file.len);
	file_release(&file);
}

static void add_app(struct look *look, const struct lbp_config_app *app)
{
	size_t i;

	for (i = 0; i < app->upstream_len; i++) {
		const struct lbp_config_upstream *upstream = &app->upstreams[i];

		add(look, &upstream->ca);
		add(look, &upstream->certificate);
		add(look, &upstream->private_key);
	}
}

uint64_t content_of(const struct lbp_config *config, int dir_fd)
{
	struct look look = {dir_fd, LBP_ROTATION_NOTHING};
	size_t i;

	add(&look, &config->certificate);
	add(&look, &config->private_key);
	for (i = 0; i < config->ca_len; i++) {
		add(&look, &config->cas[i].file);
		add(&look, &config->cas[i].crl);
	}
	for (i = 0; i < config->app_len; i++)
		add_app(&look, &config->apps[i]);
	return look.content;
}
