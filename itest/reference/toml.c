/* The reference configuration. */
#include <stdio.h>

#include "reference.h"

static const char head[] =
	"#:schema ./lbproxyd.schema.json\n"
	"#\n"
	"# The reference configuration of lbproxyd: every key, what it is for, "
	"what it\n"
	"# accepts, and its default. `make reference-update` writes this file "
	"from the\n"
	"# tables that the parser reads. A key that is commented out has its "
	"default, or\n"
	"# an example if there is no value for that. Paths are relative to the "
	"file.\n";

static void put_comment(const struct lbp_config_section *section,
	const struct lbp_config_key *key)
{
	struct lbp_config_message message;
	char value[VALUE_MAX];
	char text[1024];
	const char *otherwise = "none";

	if (key->required)
		snprintf(text, sizeof(text), "Required: %s.",
			accepted(key, &message));
	else {
		if (key->unset != NULL)
			otherwise = key->unset;
		else if (default_of(section, key, value))
			otherwise = value;
		snprintf(text, sizeof(text), "Accepted: %s. Default: %s.",
			accepted(key, &message), otherwise);
	}
	put_wrapped("# ", key->help);
	put_wrapped("# ", text);
}

/* Of several keys of which one is required this is the first. */
static bool is_first(const struct lbp_config_section *section,
	const struct lbp_config_key *key)
{
	return key->is_one_of && (key == section->keys || !key[-1].is_one_of);
}

static void put_key(const struct lbp_config_section *section,
	const struct lbp_config_key *key, bool is_active)
{
	bool is_needed = key->required || is_first(section, key);
	char value[VALUE_MAX];

	putchar('\n');
	put_comment(section, key);
	if (!default_of(section, key, value))
		snprintf(value, sizeof(value), "%s", key->example);
	printf("%s%s = %s\n", is_active && is_needed ? "" : "#", key->name,
		key->example != NULL ? key->example : value);
}

static void put_tables(
	const struct lbp_config_section *section, bool is_active);

/* The header of a key's table, and what is in it. */
static void put_table(const struct lbp_config_section *section,
	const struct lbp_config_key *key, bool is_active)
{
	bool is_array = key->kind->shape == LBP_CONFIG_TABLES;

	putchar('\n');
	put_wrapped("# ", key->help);
	printf("%s%s", is_active ? "" : "#", is_array ? "[[" : "[");
	if (section->path[0] != '\0')
		printf("%s.", section->path);
	printf("%s%s%s\n", key->name,
		key->kind->shape == LBP_CONFIG_MAP ? ".echo" : "",
		is_array ? "]]" : "]");
	for (size_t i = 0; i < key->section->len; i++) {
		const struct lbp_config_key *below = &key->section->keys[i];

		if (below->kind->write != NULL)
			put_key(key->section, below, is_active);
	}
	put_tables(key->section, is_active);
}

static void put_tables(const struct lbp_config_section *section, bool is_active)
{
	for (size_t i = 0; i < section->len; i++) {
		const struct lbp_config_key *key = &section->keys[i];

		/* Beside a value its tables would be an error. */
		if (key->section != NULL)
			put_table(section, key,
				is_active && !is_alternative(key));
	}
}

void put_toml(void)
{
	const struct lbp_config_section *root = &lbp_config_root_section;

	printf("%s", head);
	for (size_t i = 0; i < root->len; i++) {
		if (root->keys[i].kind->write != NULL)
			put_key(root, &root->keys[i], true);
	}
	put_tables(root, true);
}
