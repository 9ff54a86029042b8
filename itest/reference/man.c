/* Lists in mdoc(7), a subsection for each table. */
#include <stdio.h>
#include <string.h>

#include "reference.h"

/* Copies a sentence so that none of its words is a macro. */
static void escape(char *to, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		bool begins = i == 0 || text[i - 1] == ' ';

		if (begins && (text[i] == '.' || text[i] == '\''))
			to = stpcpy(to, "\\&");
		if (text[i] == '\\')
			to = stpcpy(to, "\\e");
		else
			*to++ = text[i];
	}
	*to = '\0';
}

/* Each sentence begins a line. */
static void put_sentences(const char *text)
{
	char escaped[4096];

	while (*text != '\0') {
		const char *end = strstr(text, ". ");
		size_t len =
			end != NULL ? (size_t)(end - text) + 1 : strlen(text);

		escape(escaped, text, len);
		put_wrapped("", escaped);
		text += len;
		text += strspn(text, " ");
	}
}

static void put_key(const struct lbp_config_section *section,
	const struct lbp_config_key *key)
{
	struct lbp_config_message message;
	char value[VALUE_MAX];
	char text[1024];

	printf(".It Cm %s\n", key->name);
	put_sentences(key->help);
	snprintf(text, sizeof(text), "%s: %s.",
		key->required ? "Required" : "Accepted",
		accepted(key, &message));
	put_sentences(text);
	if (key->required)
		return;
	if (key->unset != NULL)
		snprintf(text, sizeof(text), "Default: %s.", key->unset);
	else if (default_of(section, key, value))
		snprintf(text, sizeof(text), "Default: %s.", value);
	else
		snprintf(text, sizeof(text), "Default: none.");
	put_sentences(text);
}

static void put_section(const struct lbp_config_section *section);

static void put_table(const struct lbp_config_section *section,
	const struct lbp_config_key *key)
{
	bool is_array = key->kind->shape == LBP_CONFIG_TABLES;

	printf(".Ss %s", is_array ? "[[" : "[");
	if (section->path[0] != '\0')
		printf("%s.", section->path);
	printf("%s%s%s\n", key->name,
		key->kind->shape == LBP_CONFIG_MAP ? ".APP" : "",
		is_array ? "]]" : "]");
	put_sentences(key->help);
	put_section(key->section);
}

/* Its values, then its tables. */
static void put_section(const struct lbp_config_section *section)
{
	printf(".Bl -tag -width \"max_connections\"\n");
	for (size_t i = 0; i < section->len; i++) {
		if (section->keys[i].kind->write != NULL)
			put_key(section, &section->keys[i]);
	}
	printf(".El\n");
	for (size_t i = 0; i < section->len; i++) {
		if (section->keys[i].section != NULL)
			put_table(section, &section->keys[i]);
	}
}

void put_man(void)
{
	printf(".Ss Before any table\n");
	put_section(&lbp_config_root_section);
}
