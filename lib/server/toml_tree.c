#include "server/toml_tree.h"

#include <stdlib.h>
#include <string.h>

struct lbp_toml_table *lbp_tree_table(
	struct lbp_toml *doc, enum lbp_tree_kind kind, unsigned depth)
{
	struct whole {
		struct lbp_toml_table table; /* first, so that free() gets it */
		struct lbp_toml_index index;
	} *whole = calloc(1, sizeof(*whole));

	if (!whole)
		return NULL;
	whole->index.kind = kind;
	whole->index.depth = depth;
	whole->index.next_owned = doc->tables;
	whole->table.index = &whole->index;
	doc->tables = &whole->table;
	return &whole->table;
}

struct lbp_tree_array *lbp_tree_array(struct lbp_toml *doc, bool of_tables)
{
	struct lbp_tree_array *array = calloc(1, sizeof(*array));

	if (!array)
		return NULL;
	array->of_tables = of_tables;
	array->next_owned = doc->arrays;
	doc->arrays = array;
	return array;
}

/*
 * Twice as many bytes as there are now always fit a size_t, because no object
 * has more than PTRDIFF_MAX. A text of less than 4 GiB has far fewer than
 * UINT32_MAX keys.
 */
static size_t larger(size_t cap)
{
	return cap == 0 ? 2 : cap * 2;
}

static bool grow_table(struct lbp_toml_table *table)
{
	struct lbp_toml_index *index = table->index;
	size_t cap = larger(index->cap);
	struct lbp_toml_entry *entries;
	struct lbp_tree_node *nodes;

	entries = realloc(table->entries, cap * sizeof(*entries));
	if (!entries)
		return false;
	table->entries = entries;
	nodes = realloc(index->nodes, cap * sizeof(*nodes));
	if (!nodes)
		return false;
	index->nodes = nodes;
	index->cap = cap;
	return true;
}

struct lbp_toml_value *lbp_tree_push(
	struct lbp_tree_array *array, const struct lbp_toml_value *value)
{
	struct lbp_toml_value *items = array->array.items;
	size_t cap = array->cap;

	if (array->array.len == cap) {
		cap = larger(cap);
		items = realloc(items, cap * sizeof(*items));
		if (!items)
			return NULL;
		array->array.items = items;
		array->cap = cap;
	}
	items[array->array.len] = *value;
	return &items[array->array.len++];
}

/* Any total order will do; the shorter key is the smaller one. */
static int compare(struct lbp_toml_string a, struct lbp_toml_string b)
{
	if (a.len != b.len)
		return a.len < b.len ? -1 : 1;
	return a.len == 0 ? 0 : memcmp(a.ptr, b.ptr, a.len);
}

static uint32_t level(const struct lbp_toml_index *index, uint32_t at)
{
	return at == 0 ? 0 : index->nodes[at - 1].level;
}

/*
 * The two steps that keep an AA tree in balance (A. Andersson, "Balanced
 * search trees made simple", 1993): skew turns a left link to the same level
 * into a right one, split lifts the middle of two such right links. After an
 * insertion below it, and a skew, a node always has a right link: at level 1
 * that is the new one, and above level 1 no node is without.
 */
static uint32_t skew(struct lbp_toml_index *index, uint32_t at)
{
	struct lbp_tree_node *node = &index->nodes[at - 1];
	uint32_t left = node->child[0];

	if (level(index, left) != node->level)
		return at;
	node->child[0] = index->nodes[left - 1].child[1];
	index->nodes[left - 1].child[1] = at;
	return left;
}

static uint32_t split(struct lbp_toml_index *index, uint32_t at)
{
	struct lbp_tree_node *node = &index->nodes[at - 1];
	uint32_t right = node->child[1];
	uint32_t far = index->nodes[right - 1].child[1];

	if (level(index, far) != node->level)
		return at;
	node->child[1] = index->nodes[right - 1].child[0];
	index->nodes[right - 1].child[0] = at;
	index->nodes[right - 1].level++;
	return right;
}

/* Puts entry number fresh - 1 under at; as deep as the tree, O(log n). */
static uint32_t insert(
	struct lbp_toml_table *table, uint32_t at, uint32_t fresh)
{
	struct lbp_toml_index *index = table->index;
	uint32_t *child;
	int order;

	if (at == 0)
		return fresh;
	order = compare(
		table->entries[fresh - 1].key, table->entries[at - 1].key);
	child = &index->nodes[at - 1].child[order > 0];
	*child = insert(table, *child, fresh);
	return split(index, skew(index, at));
}

struct lbp_toml_entry *lbp_tree_add(struct lbp_toml_table *table,
	struct lbp_toml_string key, struct lbp_toml_pos pos)
{
	struct lbp_toml_index *index = table->index;
	struct lbp_toml_entry *entry;

	if (table->len == index->cap && !grow_table(table))
		return NULL;
	entry = &table->entries[table->len];
	*entry = (struct lbp_toml_entry){.key = key, .pos = pos};
	index->nodes[table->len] = (struct lbp_tree_node){.level = 1};
	table->len++;
	index->top = insert(table, index->top, (uint32_t)table->len);
	return entry;
}

struct lbp_toml_entry *lbp_tree_find(
	struct lbp_toml_table *table, struct lbp_toml_string key)
{
	uint32_t at = table->index->top;

	while (at != 0) {
		int order = compare(key, table->entries[at - 1].key);

		if (order == 0)
			return &table->entries[at - 1];
		at = table->index->nodes[at - 1].child[order > 0];
	}
	return NULL;
}

const struct lbp_toml_entry *lbp_toml_get(
	const struct lbp_toml_table *table, const char *key, size_t key_len)
{
	struct lbp_toml_string wanted = {.ptr = key, .len = key_len};

	/* Finding changes nothing; the result is const again. */
	return lbp_tree_find((struct lbp_toml_table *)table, wanted);
}

const struct lbp_toml_table *lbp_toml_root(const struct lbp_toml *doc)
{
	return doc->root;
}

void lbp_toml_free(struct lbp_toml *doc)
{
	if (!doc)
		return;
	while (doc->tables) {
		struct lbp_toml_table *table = doc->tables;

		doc->tables = table->index->next_owned;
		free(table->index->nodes);
		free(table->entries);
		free(table);
	}
	while (doc->arrays) {
		struct lbp_tree_array *array = doc->arrays;

		doc->arrays = array->next_owned;
		free(array->array.items);
		free(array);
	}
	free(doc->strings);
	free(doc);
}
