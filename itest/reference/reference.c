/*
 * What is told of the configuration's keys, made from the tables that the
 * parser reads. usage: reference schema|toml|man; `make reference-update`
 * writes the files. [CFG-120] to [CFG-122].
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reference.h"

/* --- text --------------------------------------------------------------- */

void put_wrapped(const char *prefix, const char *text)
{
	const size_t width = 79;
	size_t column = 0;

	while (*text != '\0') {
		size_t len = strcspn(text, " ");

		if (column > 0 && column + 1 + len > width) {
			putchar('\n');
			column = 0;
		}
		if (column == 0)
			column = (size_t)printf("%s", prefix);
		else
			column += (size_t)printf(" ");
		column += (size_t)printf("%.*s", (int)len, text);
		text += len;
		text += strspn(text, " ");
	}
	putchar('\n');
}

const char *accepted(
	const struct lbp_config_key *key, struct lbp_config_message *message)
{
	*message = (struct lbp_config_message){.len = 0};
	lbp_config_say_accepts(message, key);
	return message->text;
}

struct value {
	char *at;
	size_t room;
};

static void append(void *user, const char *text, size_t len)
{
	struct value *value = user;

	if (len >= value->room)
		abort();
	memcpy(value->at, text, len);
	value->at[len] = '\0';
	value->at += len;
	value->room -= len;
}

bool default_of(const struct lbp_config_section *section,
	const struct lbp_config_key *key, char buf[VALUE_MAX])
{
	struct value value = {buf, VALUE_MAX};
	struct lbp_config_writer writer = {.put = append, .user = &value};

	buf[0] = '\0';
	if (section->defaults == NULL || key->kind->write == NULL ||
		key->required)
		return false;
	return key->kind->write(
		&writer, key, (const char *)section->defaults + key->offset);
}

bool is_alternative(const struct lbp_config_key *key)
{
	return key->kind->shape == LBP_CONFIG_TABLES &&
	       key->kind->schema != NULL;
}

/* --- the program -------------------------------------------------------- */

static const struct {
	const char *what;
	void (*put)(void);
	const char *id; /* that requires it */
} forms[] = {
	{"schema", put_schema, "CFG-120"},
	{"toml", put_toml, "CFG-121"},
	{"man", put_man, "CFG-122"},
};

static char *read_file(const char *path)
{
	FILE *file = fopen(path, "r");
	char *text = NULL;
	size_t room = 0;

	if (file == NULL || getdelim(&text, &room, '\0', file) < 0) {
		perror(path);
		exit(2);
	}
	fclose(file);
	return text;
}

/* Does a file have in it what is made? */
static int compare(size_t form, const char *path)
{
	char *wanted = read_file(path);
	char *made = NULL;
	size_t len;
	int status;

	stdout = open_memstream(&made, &len);
	if (stdout == NULL)
		return 2;
	forms[form].put();
	fclose(stdout);
	status = strstr(wanted, made) != NULL ? EXIT_SUCCESS : EXIT_FAILURE;
	if (status != EXIT_SUCCESS)
		fprintf(stderr, "[%s] %s: it is not what the tables say\n",
			forms[form].id, path);
	free(wanted);
	free(made);
	return status;
}

int main(int argc, char **argv)
{
	size_t i;

	for (i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
		if (argc < 2 || strcmp(argv[1], forms[i].what) != 0)
			continue;
		if (argc == 3)
			return compare(i, argv[2]);
		forms[i].put();
		return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
	}
	fputs("usage: reference schema|toml|man [FILE]\n"
	      "with a FILE: does it have in it what is made?\n",
		stderr);
	return 2;
}
