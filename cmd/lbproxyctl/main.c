/* The command line. [CTL-1], [CTL-2]. */
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../lbproxyd/process.h"
#include "../lbproxyd/tls_memory.h"
#include "command.h"
#include "lbproxy.h"
#include "memory.h"

#define DEFAULT_CONFIG "/etc/lbproxy/lbproxyd.toml"

static const char usage[] =
	"usage: lbproxyctl [-c FILE | -s SOCKET] [--json] COMMAND | --version "
	"| --help";

static const char help[] =
	"\n"
	"\n"
	"  status               what the server is doing\n"
	"  sessions             its sessions\n"
	"  top                  the status, again each second\n"
	"  drain APP UPSTREAM   has an upstream get no new sessions\n"
	"  resume APP UPSTREAM  has it get them again\n"
	"  kill SESSION-ID      ends a session\n"
	"  kill --client ID     ends all sessions of a client\n"
	"  reload               has the server load its configuration, and "
	"waits\n"
	"  explain (--cert FILE | --serial HEX | --reject LINE) [--app APP]\n"
	"      says who this is, whether it may enter, and which line "
	"decides;\n"
	"      needs no server\n"
	"\n"
	"  -c, --config FILE    lbproxyd's configuration, whose admin_socket "
	"is\n"
	"                       asked; default: " DEFAULT_CONFIG "\n"
	"  -s, --socket SOCKET  the admin socket\n"
	"      --json           print JSON\n"
	"      --client ID      a client's id\n"
	"      --cert FILE      a client's certificate (PEM)\n"
	"      --serial HEX     the serial number of one, or ID/HEX of a "
	"CA's\n"
	"      --reject LINE    a line of lbproxyd's log\n"
	"      --app APP        the application; default: the line's, or "
	"each\n"
	"      --version        print the version\n"
	"  -h, --help           print this\n"
	"\n"
	"Exit status: 0 done or let in, 1 not, 2 bad usage, 3 no server "
	"there.\n";

static const struct {
	const char *name;
	int (*run)(const struct options *options, int word_len, char **words);
} commands[] = {
	{"status", status_run},
	{"sessions", sessions_run},
	{"top", top_run},
	{"drain", drain_run},
	{"resume", resume_run},
	{"kill", kill_run},
	{"reload", reload_run},
	{"explain", explain_run},
};

int usage_error(const char *format, ...)
{
	va_list args;

	fputs("lbproxyctl: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fprintf(stderr, "; %s\n", usage);
	return EXIT_USAGE;
}

/* -1: continue; else the exit status. */
static int parse_options(struct options *options, int argc, char **argv)
{
	static const struct option longs[] = {
		{"config", required_argument, NULL, 'c'},
		{"socket", required_argument, NULL, 's'},
		{"json", no_argument, NULL, 'j'},
		{"client", required_argument, NULL, 'i'},
		{"cert", required_argument, NULL, 'e'},
		{"serial", required_argument, NULL, 'n'},
		{"reject", required_argument, NULL, 'r'},
		{"app", required_argument, NULL, 'a'},
		{"version", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "c:s:h", longs, NULL)) != -1) {
		switch (c) {
		case 'c':
			options->config = optarg;
			break;
		case 'j':
			options->json = true;
			break;
		case 'e':
			options->cert = optarg;
			break;
		case 's':
			options->socket = optarg;
			break;
		case 'i':
			options->client = optarg;
			break;
		case 'n':
			options->serial = optarg;
			break;
		case 'r':
			options->reject = optarg;
			break;
		case 'a':
			options->app = optarg;
			break;
		case 'v':
			puts("lbproxyctl " LBP_VERSION);
			return EXIT_SUCCESS;
		case 'h':
			printf("%s%s", usage, help);
			return EXIT_SUCCESS;
		default:
			return usage_error("bad option '%s'", argv[optind - 1]);
		}
	}
	return -1;
}

static int run(const struct options *options, int word_len, char **words)
{
	size_t i;

	if (word_len == 0)
		return usage_error("no command given");
	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(words[0], commands[i].name) == 0)
			return commands[i].run(
				options, word_len - 1, words + 1);
	}
	return usage_error("unknown command '%s'", words[0]);
}

int main(int argc, char **argv)
{
	struct options options = {.config = DEFAULT_CONFIG};
	int status;

	if (!process_open_standard()) {
		perror("lbproxyctl: cannot open /dev/null");
		return EXIT_USAGE;
	}
	memory_init();
	(void)tls_memory_init();
	status = parse_options(&options, argc, argv);
	if (status < 0)
		status = run(&options, argc - optind, argv + optind);
	/* It takes note of what failed before, too. */
	(void)fflush(stdout);
	if (!ferror(stdout))
		return status;
	perror("lbproxyctl: cannot write to standard output");
	return EXIT_USAGE;
}
