/*
 * Private to the TOML parser: building the tree.
 *
 * The document owns all tables and arrays in two flat lists, so it can be freed
 * in any state and without recursion. Entries and items move when their table
 * or array grows; tables and arrays themselves do not.
 */
#ifndef LBP_TOML_TREE_H
#define LBP_TOML_TREE_H

#include "server/toml.h"

/* How a table was made, which decides what may still be added to it. */
enum lbp_tree_kind {
	LBP_TREE_HEADER,   /* [a], [[a]] or the root: no second definition */
	LBP_TREE_IMPLICIT, /* the a of [a.b]: [a] may still come */
	LBP_TREE_DOTTED,   /* the a of a.b = 1: [a] may no longer come */
	LBP_TREE_INLINE,   /* {...}: nothing may be added */
};

struct lbp_tree_node {
	uint32_t child[2]; /* entry number + 1; 0 is none */
	uint32_t level;
};

/* The private part of a table. */
struct lbp_toml_index {
	struct lbp_tree_node *nodes; /* one per entry, an AA tree by key */
	uint32_t top;                /* entry number + 1; 0 is none */
	size_t cap;                  /* of nodes and of the table's entries */
	enum lbp_tree_kind kind;
	unsigned depth; /* 0 is the root */
	struct lbp_toml_table *next_owned;
};

struct lbp_tree_array {
	struct lbp_toml_array array; /* first, so that pointers convert */
	size_t cap;
	bool of_tables; /* made by [[a]], which may add to it */
	struct lbp_tree_array *next_owned;
};

struct lbp_toml {
	struct lbp_toml_table *root;
	struct lbp_toml_table *tables; /* all of them, the root too */
	struct lbp_tree_array *arrays; /* all of them */
	char *strings;                 /* all keys and strings */
};

/* Makes an empty table or array, owned by doc; NULL: out of memory. */
struct lbp_toml_table *lbp_tree_table(
	struct lbp_toml *doc, enum lbp_tree_kind kind, unsigned depth);
struct lbp_tree_array *lbp_tree_array(struct lbp_toml *doc, bool of_tables);

/* Like lbp_toml_get, but mutable; valid until the table grows. */
struct lbp_toml_entry *lbp_tree_find(
	struct lbp_toml_table *table, struct lbp_toml_string key);

/*
 * Adds a key that the table does not have yet; the caller sets the value. The
 * entry is valid until the table grows. NULL: out of memory; the table is
 * unchanged.
 */
struct lbp_toml_entry *lbp_tree_add(struct lbp_toml_table *table,
	struct lbp_toml_string key, struct lbp_toml_pos pos);

/* Appends an item. NULL: out of memory; the array is unchanged. */
struct lbp_toml_value *lbp_tree_push(
	struct lbp_tree_array *array, const struct lbp_toml_value *value);

#endif
