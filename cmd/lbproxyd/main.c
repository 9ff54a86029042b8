/* The command line. [SRV-1], [SRV-2]. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "lbproxy.h"
#include "process.h"
#include "server.h"
#include "show.h"
#include "snapshot.h"
#include "tls_memory.h"

#define EXIT_USAGE 2

static const char usage[] =
	"usage: lbproxyd -c FILE [--check [--show]] | --version | --help";

static const char help[] =
	"\n\n"
	"A TCP load balancer that admits clients by their certificates.\n"
	"\n"
	"  -c, --config FILE  the configuration (TOML)\n"
	"  -t, --check        check it and every file it names, then exit\n"
	"      --show         print it too, with defaults and where each "
	"value\n"
	"                     comes from\n"
	"      --version      print the version\n"
	"  -h, --help         print this\n"
	"\n"
	"SIGTERM and SIGINT let sessions finish; a second one stops at once.\n"
	"The log goes to standard error, one JSON object per line.\n";

struct options {
	const char *file;
	bool check;
	bool show;
};

/* -1: continue; else the exit status. */
static int judge_options(const struct options *options, int argc, char **argv)
{
	if (optind < argc)
		fprintf(stderr, "lbproxyd: unexpected '%s'; %s\n", argv[optind],
			usage);
	else if (options->file == NULL)
		fprintf(stderr, "lbproxyd: no configuration file given; %s\n",
			usage);
	else if (options->show && !options->check)
		fprintf(stderr, "lbproxyd: --show needs --check; %s\n", usage);
	else
		return -1;
	return EXIT_USAGE;
}

/* The same. */
static int parse_options(struct options *options, int argc, char **argv)
{
	static const struct option longs[] = {
		{"config", required_argument, NULL, 'c'},
		{"check", no_argument, NULL, 't'},
		{"show", no_argument, NULL, 's'},
		{"version", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'},
		{NULL, 0, NULL, 0},
	};
	int c;

	opterr = 0;
	while ((c = getopt_long(argc, argv, "c:th", longs, NULL)) != -1) {
		switch (c) {
		case 'c':
			options->file = optarg;
			break;
		case 't':
			options->check = true;
			break;
		case 's':
			options->show = true;
			break;
		case 'v':
			puts("lbproxyd " LBP_VERSION);
			return EXIT_SUCCESS;
		case 'h':
			printf("%s%s", usage, help);
			return EXIT_SUCCESS;
		default:
			fprintf(stderr, "lbproxyd: bad option '%s'; %s\n",
				argv[optind - 1], usage);
			return EXIT_USAGE;
		}
	}
	return judge_options(options, argc, argv);
}

/* Prints what there is to say of a configuration without errors. */
static int check(struct snapshot *snapshot, bool shows)
{
	snapshot_warn(snapshot);
	notices_print(&snapshot->notices);
	return shows && !show_print(snapshot) ? EXIT_FAILURE : EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
	struct options options = {0};
	struct snapshot *snapshot;
	uint32_t inherited;
	int status;

	if (!process_open_standard()) {
		perror("lbproxyd: cannot open /dev/null");
		return EXIT_FAILURE;
	}
	process_ignore_signals();
	(void)tls_memory_init();
	inherited = process_inherited();
	status = parse_options(&options, argc, argv);
	if (status >= 0)
		return status;
	snapshot = snapshot_load(options.file, inherited, NULL);
	if (snapshot == NULL)
		return EXIT_USAGE;
	if (options.check) {
		status = check(snapshot, options.show);
	} else {
		status = server_run(snapshot);
		snapshot = NULL;
	}
	snapshot_free(snapshot);
	return status;
}
