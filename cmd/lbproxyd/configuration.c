#include "configuration.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "include.h"

/* More included files are a mistake. [CFG-78]. */
#define FILES_MAX 100000

static const struct lbp_config_pos start = {1, 1, 0};

/* What reading a configuration's files needs. */
struct reading {
	struct lbp_config_reader *reader;
	struct texts *texts;
	const char *own;  /* the path of the configuration's own file */
	size_t len;       /* of all included texts */
	bool is_too_much; /* [CFG-78] */
	bool is_nomem;
};

static bool read_own(struct texts *texts, struct problems *problems)
{
	struct file file = {0};
	int fd = open(problems->file, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || !file_read(&file, fd)) {
		problem(problems, start,
			"cannot read the file: %s; accepted: a TOML file",
			fd < 0 ? strerror(errno) : file.why);
		if (fd >= 0)
			close(fd);
		return false;
	}
	close(fd);
	if (texts_add(texts, NULL, 0, &file))
		return true;
	problem(problems, start, "out of memory");
	return false;
}

static void reject(struct reading *reading, size_t include, const char *path,
	const char *what, const char *why)
{
	char text[FILE_WHY_MAX + 64];

	snprintf(text, sizeof(text), "%s%s", what, why);
	lbp_config_reject_include(reading->reader, include, path, text);
}

/* There is another file to be read, of len bytes. */
static bool fits(
	struct reading *reading, size_t include, const char *path, size_t len)
{
	reading->len += len;
	if (reading->texts->len <= FILES_MAX && reading->len <= FILE_MAX)
		return true;
	reading->is_too_much = true;
	reject(reading, include, path, "",
		reading->len > FILE_MAX
			? "brings the included files to more than 64 MiB"
			: "is one more than 100000 included files");
	return false;
}

/* A read buffer is larger than most of these files. */
static void shrink(struct file *file)
{
	char *text = realloc(file->text, file->len + 1);

	if (text != NULL)
		file->text = text;
}

static void add_file(struct reading *reading, size_t include, const char *path)
{
	struct file file;
	const struct text *text;

	if (!file_read_regular(&file, AT_FDCWD, path)) {
		reject(reading, include, path, "cannot be read: ", file.why);
		return;
	}
	if (!fits(reading, include, path, file.len)) {
		file_release(&file);
		return;
	}
	shrink(&file);
	if (!texts_add(reading->texts, path, include, &file)) {
		reading->is_nomem = true;
		return;
	}
	text = &reading->texts->items[reading->texts->len - 1];
	lbp_config_add(reading->reader, include, text->path, text->file.text,
		text->file.len);
}

static void add_item(struct reading *reading, size_t item, const char *pattern)
{
	struct include include;
	size_t i;

	if (include_find(&include, reading->own, pattern)) {
		for (i = 0; i < include.len && !reading->is_too_much; i++)
			add_file(reading, item, include.paths[i]);
	} else if (include.why != NULL) {
		reject(reading, item, pattern,
			"cannot be searched for: ", include.why);
	} else {
		reading->is_nomem = true;
	}
	include_release(&include);
}

static void add_included(struct reading *reading)
{
	const struct lbp_config_text *includes;
	size_t len, i;

	includes = lbp_config_includes(reading->reader, &len);
	for (i = 0; i < len && !reading->is_too_much; i++) {
		if (includes[i].ptr != NULL)
			add_item(reading, i, includes[i].ptr);
	}
}

/* The files as they were read before. */
static void add_again(struct reading *reading)
{
	size_t i;

	for (i = 1; i < reading->texts->len; i++) {
		const struct text *text = &reading->texts->items[i];

		lbp_config_add(reading->reader, text->include, text->path,
			text->file.text, text->file.len);
	}
}

/* Says what is wrong, if anything is. */
static struct lbp_config *finish(
	struct reading *reading, struct problems *problems)
{
	struct lbp_config_errors errors;
	struct lbp_config *config;
	enum lbp_err err = lbp_config_end(reading->reader, &config, &errors);
	size_t i;

	if (err == LBP_ERR_NOMEM || reading->is_nomem) {
		problem(problems, start, "out of memory");
		lbp_config_free(config);
		config = NULL;
	} else {
		for (i = 0; i < errors.len; i++)
			problem(problems, errors.items[i].pos, "%s",
				errors.items[i].message);
	}
	lbp_config_errors_release(&errors);
	return config;
}

struct lbp_config *configuration_load(
	struct texts *texts, struct problems *problems)
{
	struct reading reading = {.texts = texts, .own = problems->file};
	bool is_again = texts->len > 0;
	const struct file *own;

	if (!is_again && !read_own(texts, problems))
		return NULL;
	own = &texts->items[0].file;
	reading.reader = lbp_config_begin(problems->file, own->text, own->len);
	if (reading.reader == NULL) {
		problem(problems, start, "out of memory");
		return NULL;
	}
	if (is_again)
		add_again(&reading);
	else
		add_included(&reading);
	return finish(&reading, problems);
}
