#include "server/config_place.h"

#include <string.h>

const struct lbp_toml_entry *lbp_config_place_key(
	const struct lbp_toml_table *table, const char *name)
{
	return table != NULL ? lbp_toml_get(table, name, strlen(name)) : NULL;
}

const struct lbp_toml_table *lbp_config_place_table(
	const struct lbp_toml_table *table, const char *name)
{
	const struct lbp_toml_entry *entry = lbp_config_place_key(table, name);

	return entry != NULL && entry->value.type == LBP_TOML_TABLE
		       ? entry->value.as.table
		       : NULL;
}

const struct lbp_toml_table *lbp_config_place_item(
	const struct lbp_toml_table *table, const char *name, size_t i)
{
	const struct lbp_toml_entry *entry = lbp_config_place_key(table, name);
	const struct lbp_toml_array *array;

	if (entry == NULL || entry->value.type != LBP_TOML_ARRAY)
		return NULL;
	array = entry->value.as.array;
	return i < array->len && array->items[i].type == LBP_TOML_TABLE
		       ? array->items[i].as.table
		       : NULL;
}
