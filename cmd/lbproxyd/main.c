/* The command line. [SRV-1], [SRV-2], [SRV-7]. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "lbproxy.h"
#include "problem.h"
#include "process.h"
#include "server.h"
#include "snapshot.h"
#include "tls_memory.h"

#define EXIT_USAGE 2

static const char usage[] =
	"usage: lbproxyd -c FILE [--check] | --version | --help";

static const char help[] =
	"\n\nA TCP load balancer that admits clients by their "
	"certificates.\n\n  -c, --config FILE  the configuration (TOML)\n  -t, "
	"--check        check it and every file it names, then exit\n      "
	"--version      print the version\n  -h, --help         print "
	"this\n\nSIGTERM and SIGINT let sessions finish; a second one stops at "
	"once.\nThe log goes to standard error, one JSON object per line.\n";

struct options {
	const char *file;
	bool check;
};

/* -1: continue; else the exit status. */
static int parse_options(struct options *options, int argc, char **argv)
{
	static const struct option longs[] = {
		{"config", required_argument, NULL, 'c'},
		{"check", no_argument, NULL, 't'},
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
	if (options->file != NULL && optind == argc)
		return -1;
	if (optind < argc)
		fprintf(stderr, "lbproxyd: unexpected '%s'; %s\n", argv[optind],
			usage);
	else
		fprintf(stderr, "lbproxyd: no configuration file given; %s\n",
			usage);
	return EXIT_USAGE;
}

/* Settings that are checked, but not supported by this version. */
static bool is_built(const struct lbp_config *config, const char *file)
{
	struct problems problems = {.file = file};
	size_t i;

	if (config->cas[0].id.ptr != NULL)
		problem(&problems, config->cas[0].id.pos,
			"[[tls.client_ca]] is not implemented yet; accepted in "
			"this version: tls.client_ca = \"PATH\"");
	for (i = 0; i < config->client_len; i++) {
		const struct lbp_config_client *client = &config->clients[i];

		if (client->uri_len + client->dns_len > 0)
			problem(&problems, client->id.pos,
				"client.uris and client.dns are not "
				"implemented yet; accepted in this version: "
				"client.serials");
	}

	if (config->admin.host != NULL)
		problem(&problems, config->admin.pos,
			"server.admin is not implemented yet; accepted in this "
			"version: no admin key");
	for (i = 0; i < config->app_len; i++) {
		if (config->apps[i].accept_proxy_len > 0)
			problem(&problems, config->apps[i].accept_proxy_pos,
				"app.accept_proxy is not implemented yet; "
				"accepted in this version: []");
	}
	return problems.count == 0;
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
	snapshot = snapshot_load(options.file, inherited);
	if (snapshot == NULL)
		return EXIT_USAGE;
	if (options.check) {
		snapshot_warn(snapshot);
		notices_print(&snapshot->notices);
		status = EXIT_SUCCESS;
	} else if (!is_built(snapshot->config, options.file)) {
		status = EXIT_USAGE;
	} else {
		status = server_run(snapshot);
	}
	snapshot_free(snapshot);
	return status;
}
