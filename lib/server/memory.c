#include "server/memory.h"

#include <stdbool.h>
#include <string.h>

#include "server/admin.h"
#include "server/descriptors.h"
#include "server/sources_state.h"

#define KIB LBP_MEMORY_KIB

/* --- what OpenSSL has for one side of a connection ----------------------- */

/*
 * Once its handshake is done, and all of its buffers are empty: an idle session
 * takes 22.6 KiB with its struct conn, and 43.0 KiB with a tls:// upstream. A
 * silent connection takes 10.0 KiB.
 */
#define TLS_IDLE (24 * KIB)
/* The buffer of a record, with room for its header, MAC and padding. */
#define TLS_RECORD (17 * KIB)
/*
 * A message after the handshake, or in it, that has come in part: room for
 * 16 KiB, and a third more as OpenSSL's buffers grow.
 */
#define TLS_MESSAGE (22 * KIB)
/*
 * A certificate is kept decoded: one with names of 60 bytes or more takes 4.0
 * to 5.1 times its DER, and more if they are short.
 */
#define DECODED 6
/* A list of certificates at most: a client's [SRV-64], and an upstream's. */
#define TLS_CERTS (16 * KIB * DECODED)
/* A client's names, copied: 16 KiB of them, and a struct for each of 129. */
#define TLS_NAMES (24 * KIB)
/*
 * Before a list of a stranger is refused it is decoded, which takes up to 832
 * KiB for 16 KiB of empty names. A worker does one such step at a time.
 */
#define TLS_STEP (1280 * KIB)
/* A TLS session in the cache beside its certificates: 1.0 KiB, and its slot. */
#define TLS_CACHED (2 * KIB)

/* --- what a configuration takes, once ------------------------------------ */

/*
 * At least half of what was resident at most beside an empty configuration
 * while it was reloaded for the second time: 6.5 KiB for each app, 2.1 for each
 * upstream, 54.4 for each upstream with TLS and a certificate, 1,851 bytes for
 * each client with a serial and a grant, 492 to 610 for each further name, 580
 * for each further grant, 4.9 bytes for each of the text and 8.5 to 11.1 for
 * each of a list.
 */
#define APP       (8 * KIB)
#define LISTENER  (1 * KIB)
#define UPSTREAM  (3 * KIB / 2)
#define TLS_CTX   (32 * KIB)
#define CLIENT    640
#define NAME      320
#define GRANT     384
#define TEXT_BYTE 4
#define FILE_BYTE 8

/* There are two while one is reloaded. */
#define GENERATIONS 2

/* --- the rest ------------------------------------------------------------ */

/* What a thread has used of its stack at most, and its share of malloc. */
#define THREAD (256 * KIB)
/*
 * Resident with one worker and an empty configuration: 10.0 MiB, 8.0 of which
 * are of the program and its libraries. The queue of the log is the kernel's;
 * what is left of a line, and the lines kept for the admin socket, are in this.
 */
#define BASE (24 * 1024 * KIB)
/*
 * malloc cannot use all that lies between its blocks: an eighth of what comes
 * and goes.
 */
#define RESERVE_SHARE 8

/* An answer of nothing: the series that there are always, or the page. */
#define ANSWER (64 * KIB)
/* An answer's buffer doubles until it is large enough. */
#define ANSWER_GROWS 2
/* Series of /metrics for an app or upstream, and the rest of each. */
#define SERIES     16
#define SERIES_LEN 64
/* A client that is shown; and a session of a list, which may have to grow. */
#define ANSWER_CLIENT  (4 * KIB)
#define ANSWER_SESSION (3 * KIB)

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* --- sessions and handshakes --------------------------------------------- */

/* One side of a relay: what came in is decoded, what goes out is not taken. */
static uint64_t side_with_tls(void)
{
	return TLS_IDLE + 2 * TLS_RECORD + TLS_MESSAGE + TLS_CERTS;
}

static bool has_tls_upstream(const struct lbp_config *config)
{
	for (size_t a = 0; a < config->app_len; a++) {
		for (size_t u = 0; u < config->apps[a].upstream_len; u++) {
			if (config->apps[a].upstreams[u].tls)
				return true;
		}
	}
	return false;
}

static void bound_one(struct lbp_memory *out)
{
	const uint64_t conn = LBP_MEMORY_CONN + LBP_MEMORY_STATE;

	out->session = conn + 2 * LBP_MEMORY_RING + side_with_tls() + TLS_NAMES;
	out->session_tls = out->session + side_with_tls();
	out->handshake = conn + TLS_IDLE + 2 * TLS_RECORD + TLS_MESSAGE;
}

static void bound_all(struct lbp_memory *out, const struct lbp_config *config,
	const struct lbp_memory_facts *facts)
{
	uint64_t each =
		has_tls_upstream(config) ? out->session_tls : out->session;

	out->connections = config->max_connections;
	/* Those without a place may be as large. [SRV-42]. */
	out->handshakes = (uint64_t)facts->handshakes +
			  (uint64_t)facts->workers * LBP_LOOSE_PER_WORKER;
	out->parts[LBP_MEMORY_SESSIONS] = out->connections * each;
	out->parts[LBP_MEMORY_HANDSHAKES] = out->handshakes * out->handshake;
	out->parts[LBP_MEMORY_RESERVE] =
		(out->parts[LBP_MEMORY_SESSIONS] +
			out->parts[LBP_MEMORY_HANDSHAKES]) /
		RESERVE_SHARE;
}

/* --- tables -------------------------------------------------------------- */

/* There are up to twice as many buckets as places, and the caller has one. */
static uint64_t places(uint64_t n)
{
	return n * (sizeof(struct lbp_sources_place) +
			   sizeof(struct lbp_sources_holder) +
			   4 * sizeof(uint32_t) + sizeof(void *));
}

static uint64_t cache(void)
{
	return LBP_MEMORY_CACHED *
		       (TLS_CACHED + LBP_MEMORY_CACHED_CERTS * DECODED) +
	       places(LBP_MEMORY_CACHED);
}

/* --- configurations ------------------------------------------------------ */

static uint64_t clients(const struct lbp_config *config)
{
	uint64_t n = 0;

	for (size_t i = 0; i < config->client_len; i++) {
		const struct lbp_config_client *client = &config->clients[i];

		n += CLIENT;
		n += (uint64_t)client->serial_len * NAME;
		n += (uint64_t)client->uri_len * NAME;
		n += (uint64_t)client->dns_len * NAME;
		n += (uint64_t)client->grant_len * GRANT;
	}
	return n;
}

/* The times of admissions. */
static uint64_t rings(const struct lbp_config *config)
{
	uint64_t n = 0;

	for (size_t i = 0; i < config->client_len; i++) {
		const struct lbp_config_client *client = &config->clients[i];

		for (size_t g = 0; g < client->grant_len; g++)
			n += (uint64_t)client->grants[g].limits.connections *
			     sizeof(uint64_t);
	}
	return n;
}

static uint64_t apps(const struct lbp_config *config)
{
	uint64_t n = 0;

	for (size_t a = 0; a < config->app_len; a++) {
		const struct lbp_config_app *app = &config->apps[a];

		n += APP;
		for (size_t u = 0; u < app->upstream_len; u++)
			n += UPSTREAM + (app->upstreams[u].tls ? TLS_CTX : 0);
	}
	return n;
}

static uint64_t configuration(
	const struct lbp_config *config, const struct lbp_memory_facts *facts)
{
	return apps(config) + clients(config) +
	       (uint64_t)facts->listeners * LISTENER +
	       facts->text_bytes * TEXT_BYTE + facts->file_bytes * FILE_BYTE;
}

/* --- threads ------------------------------------------------------------- */

static uint64_t worker(void)
{
	return LBP_MEMORY_WORKER + LBP_MEMORY_POLLER + THREAD + TLS_STEP +
	       LBP_MEMORY_RINGS_KEPT * LBP_MEMORY_RING;
}

/* At most one check of an upstream runs at a time. */
static uint64_t checks(const struct lbp_config *config)
{
	uint64_t n = 0;

	for (size_t a = 0; a < config->app_len; a++) {
		const struct lbp_config_app *app = &config->apps[a];

		for (size_t u = 0; app->health.enabled && u < app->upstream_len;
			u++)
			n += LBP_MEMORY_CHECK +
			     (app->upstreams[u].tls ? side_with_tls() : 0);
	}
	return n;
}

/* --- what operators ask for ---------------------------------------------- */

/* Series have the names of what they are about. */
static uint64_t answer_of_apps(const struct lbp_config *config)
{
	uint64_t n = 0;

	for (size_t a = 0; a < config->app_len; a++) {
		const struct lbp_config_app *app = &config->apps[a];
		uint64_t len = SERIES_LEN + strlen(app->id.ptr);

		n += SERIES * len;
		for (size_t u = 0; u < app->upstream_len; u++)
			n += SERIES * (len + strlen(app->upstreams[u].url.ptr));
	}
	return n;
}

static uint64_t answer(const struct lbp_config *config)
{
	return ANSWER + ANSWER_GROWS * answer_of_apps(config) +
	       least(config->client_len, LBP_ADMIN_CLIENTS_MAX) * ANSWER_CLIENT;
}

static uint64_t list_of_sessions(const struct lbp_config *config)
{
	return least((uint64_t)config->max_connections * ANSWER_SESSION,
		LBP_MEMORY_LIST_MAX);
}

static uint64_t admin(const struct lbp_config *config)
{
	uint64_t each = LBP_MEMORY_ADMIN_HEAD + answer(config);
	uint64_t n = 0;

	if (config->admin.host != NULL)
		n += THREAD + LBP_ADMIN_CONNECTIONS * each;
	if (config->admin_socket.ptr != NULL)
		n += THREAD +
		     LBP_ADMIN_CONNECTIONS * (each + list_of_sessions(config));
	return n;
}

/* --- all of it ----------------------------------------------------------- */

void lbp_memory_bound(struct lbp_memory *out, const struct lbp_config *config,
	const struct lbp_memory_facts *facts)
{
	bound_one(out);
	bound_all(out, config, facts);
	out->parts[LBP_MEMORY_CACHE] = cache();
	out->parts[LBP_MEMORY_SOURCES] = places(facts->handshakes);
	out->parts[LBP_MEMORY_LIMITS] = GENERATIONS * rings(config);
	out->parts[LBP_MEMORY_CONFIGURATIONS] =
		GENERATIONS * configuration(config, facts);
	out->parts[LBP_MEMORY_WORKERS] = facts->workers * worker();
	out->parts[LBP_MEMORY_CHECKS] = checks(config);
	out->parts[LBP_MEMORY_ADMIN] = admin(config);
	out->parts[LBP_MEMORY_BASE] = BASE;
	out->total = 0;
	for (size_t i = 0; i < LBP_MEMORY_PARTS; i++)
		out->total += out->parts[i];
}
