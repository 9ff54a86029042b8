/*
 * What the reading of one configuration keeps between its parts. Private to
 * lbp_config_*.
 */
#ifndef LBP_CONFIG_STATE_H
#define LBP_CONFIG_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/config.h"
#include "server/config_arena.h"
#include "server/config_names.h"

struct lbp_config_doc;
struct lbp_config_client_list;

struct lbp_config_reader {
	struct lbp_config *config;
	struct lbp_config_arena *kept;     /* owns the configuration */
	struct lbp_config_arena *messages; /* owns the errors */
	struct lbp_config_arena *scratch;  /* freed when reading is over */
	bool nomem; /* sticky: an allocation failed, the result is discarded */

	uint32_t file;                 /* that is being read */
	struct lbp_config_names files; /* by number; shown is the name */
	struct lbp_config_doc *docs;   /* the newest first */
	/* Lists of clients, in the order of the files, read at the end. */
	struct lbp_config_client_list *first_clients;
	struct lbp_config_client_list **next_clients;
	size_t client_len; /* of all these together */
	bool has_too_many_clients;

	struct lbp_config_found *found; /* found_len errors, the newest first */
	size_t found_len;
	size_t compared; /* known words, in search of what was meant */

	bool apps_known;                 /* every app has a unique id */
	struct lbp_config_names app_ids; /* sorted before clients are read */
	struct lbp_config_names client_ids;
	struct lbp_config_names addresses;
	bool has_ca_tables;             /* [[tls.client_ca]] */
	bool cas_known;                 /* every CA of those has a unique id */
	struct lbp_config_names ca_ids; /* sorted before clients are read */
	struct lbp_config_names serials;
	struct lbp_config_names uris;
	struct lbp_config_names dns;
	struct lbp_config_names urls; /* of the app being read, */
	struct lbp_config_names protocols;
	/* Of the client being read. */
	bool client_apps_known; /* its list of apps has no error */
	struct lbp_config_names client_apps;
	struct lbp_config_names client_unknown; /* listed, but no app's id */
};

#endif
