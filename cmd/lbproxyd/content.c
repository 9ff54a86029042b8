#include "content.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "file.h"
#include "server/rotation.h"

/* Looks at the files of a configuration, one after the other. */
struct look {
	int dir_fd;
	/* A file that is named; path is never NULL. */
	void (*see)(struct look *look, const char *path);
	uint64_t content; /* what see makes of them */
	uint64_t bytes;
	int error; /* the first one; 0: none */
};

static void add(struct look *look, const struct lbp_config_text *path)
{
	if (path->ptr != NULL)
		look->see(look, path->ptr);
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

static void add_all(struct look *look, const struct lbp_config *config)
{
	size_t i;

	add(look, &config->certificate);
	add(look, &config->private_key);
	for (i = 0; i < config->ca_len; i++) {
		add(look, &config->cas[i].file);
		add(look, &config->cas[i].crl);
	}
	for (i = 0; i < config->app_len; i++)
		add_app(look, &config->apps[i]);
}

static void see_content(struct look *look, const char *path)
{
	struct file file = {0};

	if (!file_read_regular(&file, look->dir_fd, path)) {
		look->content = lbp_rotation_add(look->content, NULL, 0);
		return;
	}
	look->content = lbp_rotation_add(look->content, file.text, file.len);
	file_release(&file);
}

uint64_t content_of(const struct lbp_config *config, int dir_fd)
{
	struct look look = {.dir_fd = dir_fd,
		.see = see_content,
		.content = LBP_ROTATION_NOTHING};

	add_all(&look, config);
	return look.content;
}

static void see_size(struct look *look, const char *path)
{
	struct stat stat;

	if (fstatat(look->dir_fd, path, &stat, 0) == 0)
		look->bytes += (uint64_t)stat.st_size;
	else if (look->error == 0)
		look->error = errno;
}

bool content_bytes(const struct lbp_config *config, int dir_fd, uint64_t *bytes)
{
	struct look look = {.dir_fd = dir_fd, .see = see_size};

	add_all(&look, config);
	*bytes = look.bytes;
	errno = look.error;
	return look.error == 0;
}
