#include "texts.h"

#include <stdlib.h>
#include <string.h>

static bool grow(struct texts *texts)
{
	size_t cap = texts->cap == 0 ? 1 : texts->cap * 2;
	struct text *items;

	if (texts->len < texts->cap)
		return true;
	items = realloc(texts->items, cap * sizeof(*items));
	if (items == NULL)
		return false;
	texts->items = items;
	texts->cap = cap;
	return true;
}

bool texts_add(struct texts *texts, const char *path, size_t include,
	struct file *file)
{
	char *copy = path != NULL ? strdup(path) : NULL;

	if ((path != NULL && copy == NULL) || !grow(texts)) {
		free(copy);
		file_release(file);
		return false;
	}
	texts->items[texts->len++] = (struct text){copy, include, *file};
	return true;
}

bool texts_copy(struct texts *copy, const struct texts *texts)
{
	size_t i;

	*copy = (struct texts){0};
	for (i = 0; i < texts->len; i++) {
		const struct text *from = &texts->items[i];
		struct file file = {.len = from->file.len};

		file.text = malloc(file.len + 1);
		if (file.text == NULL ||
			!texts_add(copy, from->path, from->include, &file)) {
			texts_release(copy);
			return false;
		}
		memcpy(copy->items[i].file.text, from->file.text, file.len);
	}
	return true;
}

void texts_drop(struct texts *texts)
{
	size_t i;

	for (i = 0; i < texts->len; i++)
		file_release(&texts->items[i].file);
}

void texts_release(struct texts *texts)
{
	size_t i;

	texts_drop(texts);
	for (i = 0; i < texts->len; i++)
		free(texts->items[i].path);
	free(texts->items);
	*texts = (struct texts){0};
}
