/* What the program's commands have in common. */
#ifndef COMMAND_H
#define COMMAND_H

#include <stdbool.h>

/* Exit statuses beside EXIT_SUCCESS, done, and EXIT_FAILURE, not done. */
#define EXIT_USAGE     2
#define EXIT_NO_SERVER 3

/* What the command line gave; NULL: not given. */
struct options {
	const char *config; /* has a default */
	const char *socket;
	bool json;
	const char *client;
	const char *cert;
	const char *serial;
	const char *reject;
	const char *app;
};

/* Each returns an exit status; words are what follows the command's name. */
int status_run(const struct options *options, int word_len, char **words);
int sessions_run(const struct options *options, int word_len, char **words);
int top_run(const struct options *options, int word_len, char **words);
int drain_run(const struct options *options, int word_len, char **words);
int resume_run(const struct options *options, int word_len, char **words);
int kill_run(const struct options *options, int word_len, char **words);
int reload_run(const struct options *options, int word_len, char **words);
int explain_run(const struct options *options, int word_len, char **words);

/* Prints what is wrong with the command line, and returns EXIT_USAGE. */
__attribute__((format(printf, 1, 2))) int usage_error(const char *format, ...);

#endif
