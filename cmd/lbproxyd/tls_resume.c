/*
 * Which TLS sessions are resumed, and until when. [SRV-12], [SRV-68] to
 * [SRV-71].
 */
#include "tls_resume.h"

#include "app.h"
#include "clock.h"
#include "server/memory.h"
#include "tls_path.h"
#include "tls_private.h"

/* Bytes of certificates with which a session is kept at most, in DER. */
#define CERTS_MAX 4096

/* The most TLS sessions kept for resumption. [SRV-69]. */
#define CACHE_SESSIONS 4096

_Static_assert(CACHE_SESSIONS <= LBP_MEMORY_CACHED &&
		       CERTS_MAX <= LBP_MEMORY_CACHED_CERTS,
	"memory.h says less");

static bool is_tls13(const SSL *ssl)
{
	return SSL_version(ssl) == TLS1_3_VERSION;
}

/* Its certificates are by far the largest part of a session. */
static bool is_small(const SSL_SESSION *session)
{
	const struct trust_chain *chain = tls_path_of(session);
	int size = 0;
	unsigned i;

	for (i = 0; chain != NULL && i < chain->len; i++)
		size += i2d_X509(chain->certs[i], NULL);
	return size > 0 && size <= CERTS_MAX;
}

/* Keeps a session, unless its certificates are too long. [SRV-69]. */
static void keep(const struct tls *tls, SSL_SESSION *session)
{
	if (is_small(session))
		cache_put(tls->cache, session,
			&(struct cache_entry){.client = tls->client,
				.full_ns = tls->full_ns,
				.era = tls->trust->era});
}

/* OpenSSL has a new session; in TLS 1.3 it comes with the ticket. */
static int made(SSL *ssl, SSL_SESSION *session)
{
	struct tls *tls = SSL_get_app_data(ssl);

	/* In TLS 1.2 it comes before the client is admitted. [SRV-68]. */
	if (is_tls13(ssl))
		keep(tls, session);
	return 0;
}

static SSL_SESSION *find(SSL *ssl, const unsigned char *id, int len, int *copy)
{
	struct tls *tls = SSL_get_app_data(ssl);

	/* The reference is the caller's. */
	*copy = 0;
	return cache_find(tls->cache, id, (size_t)len, clock_now_ns(),
		tls->trust->era, &tls->full_ns);
}

/* OpenSSL has found that a session cannot be resumed. */
static void unfit(SSL_CTX *ctx, SSL_SESSION *session)
{
	cache_drop(SSL_CTX_get_app_data(ctx), session);
}

/* How long a connection's TLS session may still be resumed. */
static long seconds_left(const struct tls *tls)
{
	uint64_t age_s = (clock_now_ns() - tls->full_ns) / LBP_NS_PER_S;

	return age_s < CACHE_LIFETIME_S ? CACHE_LIFETIME_S - (long)age_s : 0;
}

/* The lifetime in a new ticket is what is left of the session's. */
static int set_life(SSL *ssl, void *arg)
{
	SSL_SESSION *session = SSL_get_session(ssl);

	(void)arg;
	return (int)SSL_SESSION_set_timeout(
		session, seconds_left(SSL_get_app_data(ssl)));
}

void tls_resume_install(struct tls_server *server)
{
	static const unsigned char context[] = "lbproxyd";
	SSL_CTX *ctx = server->ctx;

	SSL_CTX_set_session_id_context(ctx, context, sizeof(context) - 1);
	SSL_CTX_set_session_cache_mode(
		ctx, SSL_SESS_CACHE_SERVER | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx, made);
	SSL_CTX_sess_set_get_cb(ctx, find);
	SSL_CTX_sess_set_remove_cb(ctx, unfit);
	SSL_CTX_set_timeout(ctx, CACHE_LIFETIME_S);
	SSL_CTX_set_session_ticket_cb(ctx, set_life, NULL, NULL);
	/* A ticket is sent with the first bytes to the client. [SRV-71]. */
	SSL_CTX_set_num_tickets(ctx, 0);
}

void tls_server_follow(struct tls_server *server, struct cache *cache,
	const struct tls_server *before)
{
	/* Contexts outlive their servers, as long as connections use them. */
	SSL_CTX_set_app_data(server->ctx, cache);
	server->cache = cache;
	if (before == NULL)
		return;
	server->trust->era = before->trust->era;
	if (!trust_keeps(server->trust, before->trust))
		server->trust->era++;
}

struct cache *tls_cache_new(void)
{
	return cache_new(CACHE_SESSIONS);
}

void tls_cache_free(struct cache *cache)
{
	cache_free(cache);
}

static bool is_unfit(const SSL_SESSION *session, uint64_t era, const void *user)
{
	const struct trust *trust = user;
	const struct trust_chain *chain = tls_path_of(session);

	return era != trust->era || chain == NULL ||
	       trust_judge(trust, chain) != LBP_REASON_NONE;
}

void tls_cache_purge(struct cache *cache, const struct tls_server *server)
{
	cache_purge(cache, is_unfit, server->trust);
}

void tls_resume_begin(struct tls *tls, struct tls_server *server)
{
	tls->trust = server->trust;
	tls->cache = server->cache;
	tls->full_ns = 0;
	tls->client = LBP_NONE;
	tls->owes_ticket = false;
}

/* Certificates other than the leaf are not needed, and not kept. */
static void drop_chain(SSL *ssl)
{
	STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);

	while (sk_X509_num(chain) > 0)
		X509_free(sk_X509_pop(chain));
}

void tls_resume_handshaken(struct tls *tls)
{
	if (tls->cache == NULL || SSL_session_reused(tls->ssl) == 1)
		return;
	tls->full_ns = clock_now_ns();
	drop_chain(tls->ssl);
}

void tls_admitted(struct tls *tls, uint32_t client)
{
	if (tls->client != LBP_NONE)
		return;
	tls->client = client;
	if (is_tls13(tls->ssl))
		tls->owes_ticket = true;
	else if (SSL_session_reused(tls->ssl) != 1)
		keep(tls, SSL_get_session(tls->ssl));
}

/*
 * If a client closes without having read a ticket that it did not ask for, its
 * kernel resets the connection and what it has sent is lost. So a ticket is
 * sent along with data, in one packet, which the client reads. Out of memory,
 * there is no ticket.
 */
void tls_resume_send_ticket(struct tls *tls)
{
	tls->owes_ticket = false;
	if (seconds_left(tls) <= 0 || SSL_new_session_ticket(tls->ssl) != 1)
		return;
	tls->has_more = true;
	(void)SSL_do_handshake(tls->ssl);
	tls->has_more = false;
	/* It has made one for reading, and would keep it until then. */
	(void)SSL_free_buffers(tls->ssl);
}
