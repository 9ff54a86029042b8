/* Which fields a line has, and of what level it is: the table in SPEC.md. */
#include <stdio.h>
#include <string.h>

#include "oracle.h"
#include "world.h"

#define KIND(what) #what "_added", #what "_removed", #what "_changed"
#define FIELDS_MAX 16

/* In their order; with a ? those that are there if they apply. */
static const struct {
	const char *id;
	const char *event;
	const char *level;
	const char *only; /* a field that makes it this one; NULL: none */
	const char *fields[FIELDS_MAX];
} rows[] = {
	{"LOG-19", "ready", "info", NULL,
		{"workers", "event_loop", "provider", "listen"}},
	{"LOG-3", "session", "info", NULL,
		{"app", "client", "serial", "?name", "peer", "?upstream", "tls",
			"resumed", "bytes_up", "bytes_down", "duration_ms",
			"reason", "?cause"}},
	{"LOG-20", "reject", "info", "suppressed",
		{"peer", "reason", "suppressed"}},
	{"LOG-4", "reject", "info", NULL,
		{"app", "?client", "?serial", "?name", "peer", "reason"}},
	{"LOG-21", "upstream_down", "warn", NULL, {"app", "upstream", "cause"}},
	{"LOG-22", "upstream_up", "info", NULL, {"app", "upstream", "cause"}},
	{"LOG-23", "drain", "info", NULL, {"connections"}},
	{"LOG-27", "reload", "info", "apps_added",
		{"ok", "cause", "generation", "duration_ms", KIND(apps),
			KIND(upstreams), KIND(clients)}},
	{"LOG-27", "reload", "error", NULL,
		{"ok", "cause", "generation", "duration_ms"}},
	{"LOG-28", "admin", "info", NULL,
		{"command", "uid", "?app", "?upstream", "?session", "?client",
			"?sessions"}},
	{"LOG-24", "stopped", "info", NULL, {"cut"}},
};

#define ROWS (sizeof(rows) / sizeof(*rows))

/* Copies the next key of a line's object; what follows it, or NULL. */
static const char *next_key(const char *at, char *key, size_t max)
{
	const char *end;

	/* Values have neither escapes nor objects in them. */
	while (*at != '{' && *at != ',')
		if (*at++ == '\0')
			return NULL;
	end = at[1] == '"' ? strchr(at + 2, '"') : NULL;
	if (end == NULL || end[1] != ':' || (size_t)(end - at) > max)
		return next_key(at + 1, key, max);
	memcpy(key, at + 2, (size_t)(end - at) - 2);
	key[end - at - 2] = '\0';
	return end[2] == '"' ? strchr(end + 3, '"') : end + 2;
}

static bool has_fields(const char *line, const char *const *fields)
{
	static const char *const first[] = {"ts", "level", "event"};
	char key[40];
	size_t n = 0;

	while ((line = next_key(line, key, sizeof(key))) != NULL) {
		if (n++ < 3) {
			if (strcmp(key, first[n - 1]) != 0)
				return false;
			continue;
		}
		while (*fields != NULL && **fields == '?' &&
			strcmp(*fields + 1, key) != 0)
			fields++;
		if (*fields == NULL ||
			strcmp(*fields + (**fields == '?'), key) != 0)
			return false;
		fields++;
	}
	while (*fields != NULL && **fields == '?')
		fields++;
	return n >= 3 && *fields == NULL;
}

void judge_fields(const char *line)
{
	size_t i = 0;

	while (i < ROWS &&
		(!line_has(line, "event", rows[i].event) ||
			(rows[i].only != NULL &&
				line_find(line, rows[i].only) == NULL)))
		i++;
	if (i == ROWS)
		return;
	ORACLE("LOG-25", has_fields(line, rows[i].fields),
		"not the fields of [%s]: %s", rows[i].id, line);
	ORACLE("LOG-25", line_has(line, "level", rows[i].level),
		"not the level of [%s]: %s", rows[i].id, line);
}
