#include "server/config_errors.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "server/config_state.h"

struct lbp_config_found {
	struct lbp_config_found *older;
	struct lbp_config_error error;
};

struct lbp_config_pos lbp_config_pos(
	const struct lbp_config_reader *reader, struct lbp_toml_pos pos)
{
	return (struct lbp_config_pos){pos.line, pos.column, reader->file};
}

int lbp_config_pos_compare(struct lbp_config_pos a, struct lbp_config_pos b)
{
	uint64_t a_place = (uint64_t)a.line << 32 | a.column;
	uint64_t b_place = (uint64_t)b.line << 32 | b.column;

	if (a.file != b.file)
		return a.file > b.file ? 1 : -1;
	return (a_place > b_place) - (a_place < b_place);
}

void *lbp_config_alloc(struct lbp_config_reader *reader,
	struct lbp_config_arena **arena, size_t count, size_t size)
{
	void *room = lbp_config_arena_alloc(arena, count, size);

	if (room == NULL)
		reader->nomem = true;
	return room;
}

void lbp_config_add_error(struct lbp_config_reader *reader,
	struct lbp_config_pos pos, const struct lbp_config_message *message)
{
	struct lbp_config_found *found =
		lbp_config_alloc(reader, &reader->scratch, 1, sizeof(*found));
	char *text = lbp_config_alloc(
		reader, &reader->messages, message->len + 1, 1);

	if (found == NULL || text == NULL)
		return;
	memcpy(text, message->text, message->len);
	found->error = (struct lbp_config_error){pos, text};
	found->older = reader->found;
	reader->found = found;
	reader->found_len++;
}

static int compare_errors(const void *left, const void *right)
{
	const struct lbp_config_error *a = left;
	const struct lbp_config_error *b = right;
	int order = lbp_config_pos_compare(a->pos, b->pos);

	return order != 0 ? order : strcmp(a->message, b->message);
}

enum lbp_err lbp_config_take_errors(
	struct lbp_config_reader *reader, struct lbp_config_errors *errors)
{
	struct lbp_config_error *items;
	size_t len = 0;

	if (reader->nomem)
		return LBP_ERR_NOMEM;
	if (reader->found_len == 0)
		return LBP_OK;
	items = lbp_config_alloc(
		reader, &reader->messages, reader->found_len, sizeof(*items));
	if (items == NULL)
		return LBP_ERR_NOMEM;
	for (struct lbp_config_found *found = reader->found; found != NULL;
		found = found->older)
		items[len++] = found->error;
	qsort(items, len, sizeof(*items), compare_errors);
	*errors = (struct lbp_config_errors){items, len, reader->messages};
	reader->messages = NULL;
	return LBP_ERR_SYNTAX;
}
