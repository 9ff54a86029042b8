/* JSON Schema, draft 7. */
#include <stdio.h>

#include "reference.h"

static void put_object(const struct lbp_config_section *section, int depth);

static void indent(int depth)
{
	printf("\n%*s", 2 * depth, "");
}

static void put_text(const char *text)
{
	putchar('"');
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			putchar('\\');
		putchar(*text);
	}
	putchar('"');
}

/* Members of a value's schema, or of an array's items'. */
static void put_value(const struct lbp_config_key *key)
{
	if (key->choices != NULL) {
		printf("\"enum\": [");
		for (size_t i = 0; key->choices[i] != NULL; i++)
			printf("%s\"%s\"", i > 0 ? ", " : "", key->choices[i]);
		printf("]");
	} else if (key->kind->schema != NULL) {
		printf("%s", key->kind->schema);
	} else {
		printf("\"type\": \"integer\", \"minimum\": %llu, "
		       "\"maximum\": %llu",
			(unsigned long long)key->min,
			(unsigned long long)key->max);
	}
}

static void put_bounds(const struct lbp_config_key *key)
{
	if (key->required)
		printf(", \"minItems\": 1");
	if (key->max != 0)
		printf(", \"maxItems\": %llu", (unsigned long long)key->max);
}

static void put_tables(const struct lbp_config_key *key, int depth)
{
	printf("\"type\": \"array\"");
	put_bounds(key);
	printf(", \"items\": {");
	put_object(key->section, depth + 1);
	indent(depth);
	printf("}");
}

/* The members that say what a key's value may be. */
static void put_type(const struct lbp_config_key *key, int depth)
{
	if (is_alternative(key)) {
		printf("\"oneOf\": [{");
		put_value(key);
		printf("}, {");
		put_tables(key, depth);
		printf("}]");
		return;
	}
	switch (key->kind->shape) {
	case LBP_CONFIG_VALUE:
		put_value(key);
		break;
	case LBP_CONFIG_ARRAY:
		printf("\"type\": \"array\"");
		put_bounds(key);
		printf(", \"items\": {");
		put_value(key);
		printf("}");
		break;
	case LBP_CONFIG_TABLE:
		put_object(key->section, depth);
		break;
	case LBP_CONFIG_TABLES:
		put_tables(key, depth);
		break;
	case LBP_CONFIG_MAP:
		printf("\"type\": \"object\", \"additionalProperties\": {");
		put_object(key->section, depth + 1);
		indent(depth);
		printf("}");
		break;
	}
}

static void put_key(const struct lbp_config_section *section,
	const struct lbp_config_key *key, int depth)
{
	struct lbp_config_message message;
	char text[1024];
	char value[VALUE_MAX];

	indent(depth);
	printf("\"%s\": {", key->name);
	indent(depth + 1);
	snprintf(text, sizeof(text), "%s Accepted: %s.%s%s%s", key->help,
		accepted(key, &message), key->unset != NULL ? " Default: " : "",
		key->unset != NULL ? key->unset : "",
		key->unset != NULL ? "." : "");
	printf("\"description\": ");
	put_text(text);
	printf(",");
	indent(depth + 1);
	if (default_of(section, key, value)) {
		printf("\"default\": %s,", value);
		indent(depth + 1);
	}
	put_type(key, depth + 1);
	indent(depth);
	printf("}");
}

static void put_required(const struct lbp_config_section *section)
{
	bool is_first = true;

	for (size_t i = 0; i < section->len; i++) {
		if (!section->keys[i].required)
			continue;
		printf("%s\"%s\"", is_first ? "\"required\": [" : ", ",
			section->keys[i].name);
		is_first = false;
	}
	if (!is_first)
		printf("], ");
}

static void put_one_of(const struct lbp_config_section *section)
{
	bool is_first = true;

	for (size_t i = 0; i < section->len; i++) {
		if (!section->keys[i].is_one_of)
			continue;
		printf("%s{\"required\": [\"%s\"]}",
			is_first ? "\"anyOf\": [" : ", ",
			section->keys[i].name);
		is_first = false;
	}
	if (!is_first)
		printf("], ");
}

static void put_object(const struct lbp_config_section *section, int depth)
{
	printf("\"type\": \"object\", \"additionalProperties\": false, ");
	put_required(section);
	put_one_of(section);
	printf("\"properties\": {");
	for (size_t i = 0; i < section->len; i++) {
		put_key(section, &section->keys[i], depth + 1);
		if (i + 1 < section->len)
			printf(",");
	}
	indent(depth);
	printf("}");
}

void put_schema(void)
{
	printf("{\n  \"$schema\": "
	       "\"http://json-schema.org/draft-07/schema#\",\n"
	       "  \"title\": \"The configuration of lbproxyd\",\n  ");
	put_object(&lbp_config_root_section, 1);
	printf("\n}\n");
}
