#include "server/explain.h"

#include <string.h>
#include <strings.h>

#include "server/config_place.h"

/* --- reasons ------------------------------------------------------------ */

/* What is known of a reason. */
struct entry {
	struct lbp_explain_reason say;
	const char *table; /* of the key that decides, NULL: none */
	const char *key;
	const char *shown;
};

static const struct entry entries[LBP_REASONS] = {
	[LBP_REASON_NONE] = {{"it is let in", "SES-1, ACL-3"}, NULL, NULL,
		NULL},
	[LBP_REASON_DONE] = {{"both directions ended cleanly", "SES-7"}, NULL,
		NULL, NULL},
	[LBP_REASON_HANDSHAKE_TIMEOUT] = {{"the TLS handshake took too long",
						  "SES-9"},
		"timeouts", "handshake", "timeouts.handshake"},
	[LBP_REASON_HANDSHAKE_FAILED] = {{"the client broke off or broke the "
					  "protocol before the handshake "
					  "completed",
						 "SES-3"},
		NULL, NULL, NULL},
	[LBP_REASON_HANDSHAKE_EVICTED] = {{"its place went to a handshake from "
					   "another source, as its own had the "
					   "most",
						  "SES-45, SRC-3"},
		"server", "max_handshakes", "server.max_handshakes"},
	[LBP_REASON_NO_CERTIFICATE] = {{"the client sent no certificate",
					       "SRV-8"},
		"tls", "client_ca", "tls.client_ca"},
	[LBP_REASON_UNTRUSTED] = {{"the certificate was not issued directly by "
				   "a configured CA",
					  "SRV-9, SRV-185"},
		"tls", "client_ca", "tls.client_ca"},
	[LBP_REASON_EXPIRED] = {{"the certificate is no longer valid", "SRV-9"},
		"tls", "client_ca", "tls.client_ca"},
	[LBP_REASON_NOT_YET_VALID] = {{"the certificate is not valid yet",
					      "SRV-9"},
		"tls", "client_ca", "tls.client_ca"},
	[LBP_REASON_REVOKED] = {{"the certificate is on the revocation list",
					"SRV-9"},
		NULL, NULL, "tls.crl"},
	[LBP_REASON_CRL_EXPIRED] = {{"the revocation list is out of date, so "
				     "that nobody can be judged",
					    "SRV-9"},
		NULL, NULL, "tls.crl"},
	[LBP_REASON_WRONG_USAGE] = {{"the certificate's key usage or extended "
				     "key usage forbids client authentication",
					    "SRV-151, SRV-152"},
		"tls", "client_ca", "tls.client_ca"},
	[LBP_REASON_BAD_CERTIFICATE] = {{"the certificate has a fault",
						"SRV-9"},
		"tls", "client_ca", "tls.client_ca"},
	[LBP_REASON_UNKNOWN_CLIENT] = {{"no client lists the serial or another "
					"name of the certificate",
					       "SES-2, ACL-7"},
		NULL, NULL, "the first of the clients"},
	[LBP_REASON_AMBIGUOUS] = {{"two clients list names of the certificate",
					  "SES-2, ACL-7"},
		NULL, NULL, NULL},
	[LBP_REASON_NOT_ALLOWED] = {{"the client may not use this application",
					    "SES-2, ACL-3"},
		NULL, NULL, "client.apps"},
	[LBP_REASON_CONCURRENT_LIMIT] = {{"the client has as many sessions "
					  "open as it may",
						 "SES-4, LIM-1"},
		NULL, NULL, "concurrent"},
	[LBP_REASON_RATE_LIMIT] = {{"the client was admitted as often as it "
				    "may be in the window",
					   "SES-4, LIM-2"},
		NULL, NULL, "connections"},
	[LBP_REASON_MAX_CONNECTIONS] =
		{{"as many sessions as "
		  "server.max_connections were open when "
		  "the handshake completed",
			 "SES-22"},
			"server", "max_connections", "server.max_connections"},
	[LBP_REASON_NO_UPSTREAM] = {{"no eligible upstream was left to try",
					    "SES-5, BAL-4"},
		"app", "upstream", "app.upstream"},
	[LBP_REASON_CLIENT_RESET] = {{"the client's TCP was reset or failed, "
				      "or it broke TLS",
					     "SES-8"},
		NULL, NULL, NULL},
	[LBP_REASON_UPSTREAM_RESET] = {{"the upstream's TCP was reset or "
					"failed, or it broke TLS",
					       "SES-8"},
		NULL, NULL, NULL},
	[LBP_REASON_CLIENT_TRUNCATED] = {{"the client's TCP ended without "
					  "close_notify",
						 "SES-8"},
		"app", "unclean_end", "app.unclean_end"},
	[LBP_REASON_UPSTREAM_TRUNCATED] = {{"the TCP of a tls:// upstream "
					    "ended without close_notify",
						   "SES-8"},
		"app", "unclean_end", "app.unclean_end"},
	[LBP_REASON_CLIENT_FLOOD] = {{"the client sent too many TLS records "
				      "without data in a row",
					     "SRV-88"},
		NULL, NULL, NULL},
	[LBP_REASON_UPSTREAM_FLOOD] = {{"a tls:// upstream sent too many TLS "
					"records without data in a row",
					       "SRV-88"},
		NULL, NULL, NULL},
	[LBP_REASON_IDLE_TIMEOUT] = {{"no byte moved for timeouts.idle",
					     "SES-11"},
		"timeouts", "idle", "timeouts.idle"},
	[LBP_REASON_DRAIN_TIMEOUT] = {{"the drain took longer than "
				       "timeouts.drain",
					      "SES-13"},
		"timeouts", "drain", "timeouts.drain"},
	[LBP_REASON_SHUTDOWN] = {{"the server was told to stop at once",
					 "SES-13"},
		NULL, NULL, NULL},
	[LBP_REASON_INTERNAL] = {{"the server ran out of memory or "
				  "descriptors, or has a fault",
					 "SES-46"},
		NULL, NULL, NULL},
	[LBP_REASON_LIFETIME] = {{"it lasted as long as timeouts.lifetime "
				  "lets it",
					 "SES-60"},
		"timeouts", "lifetime", "timeouts.lifetime"},
	[LBP_REASON_BAD_PROXY_HEADER] = {{"its first bytes, which had to be a "
					  "PROXY header, are none that is "
					  "accepted",
						 "PRX-30, PRX-31"},
		"app", "accept_proxy", "app.accept_proxy"},
	[LBP_REASON_NO_PROTOCOL] = {{"it offered protocols, and none that the "
				     "application speaks",
					    "SRV-173"},
		"app", "alpn", "app.alpn"},
	[LBP_REASON_UPSTREAM_UNTRUSTED] = {{"since a reload its tls:// "
					    "upstream is not trusted",
						   "RLD-21"},
		"app", "upstream", "app.upstream"},
	[LBP_REASON_KILLED] = {{"an operator ended it", "CTL-14"}, NULL, NULL,
		NULL},
};

const struct lbp_explain_reason *lbp_explain_reason(enum lbp_reason reason)
{
	return &entries[reason].say;
}

const char *lbp_explain_key(enum lbp_reason reason)
{
	return entries[reason].shown;
}

enum lbp_reason lbp_explain_reason_of(const char *text)
{
	unsigned i = LBP_REASONS;

	do
		i--;
	while (i > 0 && strcmp(lbp_reason_text((enum lbp_reason)i), text) != 0);
	return (enum lbp_reason)i;
}

/* --- who it is ---------------------------------------------------------- */

/* Do two names match that certificates have? */
static bool is_same(const struct lbp_name *a, const struct lbp_name *b)
{
	if (a->kind != b->kind)
		return false;
	switch (a->kind) {
	case LBP_NAME_URI:
		return strcmp(a->text, b->text) == 0;
	case LBP_NAME_DNS:
		return strcasecmp(a->text, b->text) == 0;
	default:
		return a->issued.issuer == b->issued.issuer &&
		       lbp_serial_compare(
			       &a->issued.serial, &b->issued.serial) == 0;
	}
}

/* Where a client lists a name. */
static struct lbp_config_pos place_of(const struct lbp_config *config,
	const struct lbp_config_client *client, const struct lbp_name *name)
{
	struct lbp_name listed;
	size_t i;

	for (i = 0; i < client->serial_len; i++) {
		listed = lbp_name_of_issued(&client->serials[i].serial,
			config->cas[client->serials[i].ca].number);
		if (is_same(&listed, name))
			return client->serials[i].pos;
	}
	for (i = 0; i < client->uri_len; i++) {
		listed = lbp_name_of_uri(client->uris[i].ptr);
		if (is_same(&listed, name))
			return client->uris[i].pos;
	}
	/* The access list knows it, so it is one of these. */
	for (i = 0; i + 1 < client->dns_len; i++) {
		listed = lbp_name_of_dns(client->dns[i].ptr);
		if (is_same(&listed, name))
			break;
	}
	return client->dns[i].pos;
}

struct lbp_explain_listed lbp_explain_name(const struct lbp_config *config,
	const struct lbp_policy *policy, const struct lbp_name *name)
{
	struct lbp_explain_listed listed = {.client = LBP_NONE};

	if (lbp_acl_identify(policy->acl, name, 1, &listed.client) == LBP_OK)
		listed.pos =
			place_of(config, &config->clients[listed.client], name);
	return listed;
}

struct lbp_explain_verdict lbp_explain_identify(const struct lbp_config *config,
	const struct lbp_policy *policy, const struct lbp_name *names,
	size_t name_len)
{
	struct lbp_explain_verdict verdict = {.client = LBP_NONE};
	struct lbp_explain_listed listed = {.client = LBP_NONE};
	enum lbp_err err =
		lbp_acl_identify(policy->acl, names, name_len, &verdict.client);

	for (size_t i = 0; i < name_len && listed.client == LBP_NONE; i++)
		listed = lbp_explain_name(config, policy, &names[i]);
	verdict.pos = listed.pos;
	if (err == LBP_ERR_AMBIGUOUS)
		verdict.reason = LBP_REASON_AMBIGUOUS;
	else if (err != LBP_OK)
		verdict.reason = LBP_REASON_UNKNOWN_CLIENT;
	return verdict;
}

/* --- where it may enter ------------------------------------------------- */

const struct lbp_config_grant *lbp_explain_grant(
	const struct lbp_config *config, uint32_t client, uint32_t app)
{
	const struct lbp_config_client *from = &config->clients[client];

	for (size_t i = 0; i < from->grant_len; i++) {
		if (from->grants[i].app == app)
			return &from->grants[i];
	}
	return NULL;
}

struct lbp_explain_verdict lbp_explain_authorize(
	const struct lbp_config *config, const struct lbp_policy *policy,
	uint32_t client, uint32_t app)
{
	struct lbp_explain_verdict verdict = {.client = client};
	const struct lbp_config_grant *grant =
		lbp_explain_grant(config, client, app);

	if (lbp_acl_authorize(policy->acl, client, app) != LBP_OK)
		verdict.reason = LBP_REASON_NOT_ALLOWED;
	/* A client has at least one grant. */
	verdict.pos = grant != NULL ? grant->pos
				    : config->clients[client].grants[0].pos;
	return verdict;
}

/* --- keys --------------------------------------------------------------- */

static struct lbp_config_pos pos_of(const struct lbp_toml_entry *entry)
{
	struct lbp_config_pos pos = {0};

	if (entry != NULL) {
		pos.line = entry->value.pos.line;
		pos.column = entry->value.pos.column;
	}
	return pos;
}

/* Of a limit: the client's own, or the app's. */
static struct lbp_config_pos limit_pos(const struct lbp_config *config,
	enum lbp_reason reason, const struct lbp_config_grant *grant)
{
	const struct lbp_config_limit_places *own = &grant->limit_places;
	const struct lbp_config_limit_places *all =
		&config->apps[grant->app].limit_places;

	if (reason == LBP_REASON_CONCURRENT_LIMIT)
		return own->concurrent.line != 0 ? own->concurrent
						 : all->concurrent;
	return own->connections.line != 0 ? own->connections : all->connections;
}

/* In the configuration's own file. */
static struct lbp_config_pos key_pos(const struct lbp_toml_table *root,
	const struct entry *entry, uint32_t app)
{
	const struct lbp_toml_table *of_app =
		lbp_config_place_item(root, "app", app);
	const struct lbp_toml_table *own;

	if (entry->key == NULL)
		return pos_of(NULL);
	if (strcmp(entry->table, "app") == 0)
		return pos_of(lbp_config_place_key(of_app, entry->key));
	/* Of timeouts, the app's own go first. */
	own = lbp_config_place_table(of_app, entry->table);
	if (lbp_config_place_key(own, entry->key) != NULL)
		return pos_of(lbp_config_place_key(own, entry->key));
	return pos_of(lbp_config_place_key(
		lbp_config_place_table(root, entry->table), entry->key));
}

struct lbp_config_pos lbp_explain_place(const struct lbp_config *config,
	const struct lbp_toml_table *root, enum lbp_reason reason,
	const struct lbp_explain_about *about)
{
	switch (reason) {
	case LBP_REASON_CONCURRENT_LIMIT:
	case LBP_REASON_RATE_LIMIT:
		return about->grant != NULL
			       ? limit_pos(config, reason, about->grant)
			       : pos_of(NULL);
	case LBP_REASON_REVOKED:
	case LBP_REASON_CRL_EXPIRED:
		return config->cas[about->ca].crl.pos;
	case LBP_REASON_UNKNOWN_CLIENT:
		return config->client_len > 0
			       ? config->clients[0].id.pos
			       : (struct lbp_config_pos){1, 1, 0};
	default:
		return key_pos(root, &entries[reason], about->app);
	}
}
