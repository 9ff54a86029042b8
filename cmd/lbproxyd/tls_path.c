#include "tls_path.h"

/* Shared by the copies that OpenSSL makes of a session. */
struct path {
	_Atomic(unsigned) references;
	struct trust_chain chain;
};

static int place = -1; /* of paths, in what sessions hold for others */

static void drop(struct path *path)
{
	unsigned i;

	if (path == NULL || atomic_fetch_sub(&path->references, 1) > 1)
		return;
	for (i = 0; i < path->chain.len; i++)
		X509_free(path->chain.certs[i]);
	OPENSSL_free(path);
}

static void session_freed(void *session, void *path, CRYPTO_EX_DATA *all,
	int index, long argl, void *argp)
{
	(void)session, (void)all, (void)index, (void)argl, (void)argp;
	drop(path);
}

static int session_copied(CRYPTO_EX_DATA *to, const CRYPTO_EX_DATA *from,
	void **path, int index, long argl, void *argp)
{
	struct path *shared = *path;

	(void)to, (void)from, (void)index, (void)argl, (void)argp;
	if (shared != NULL)
		atomic_fetch_add(&shared->references, 1);
	return 1;
}

bool tls_path_init(void)
{
	if (place < 0)
		place = SSL_SESSION_get_ex_new_index(
			0, NULL, NULL, session_copied, session_freed);
	return place >= 0;
}

bool tls_path_set(SSL_SESSION *session, const struct trust_chain *chain)
{
	struct path *before = SSL_SESSION_get_ex_data(session, place);
	struct path *path = OPENSSL_zalloc(sizeof(*path));
	unsigned i;

	if (path == NULL)
		return false;
	atomic_init(&path->references, 1);
	path->chain.ca = chain->ca;
	for (i = 0; i < chain->len; i++) {
		/* Without a lock it cannot fail. */
		(void)X509_up_ref(chain->certs[i]);
		path->chain.certs[path->chain.len++] = chain->certs[i];
	}
	if (SSL_SESSION_set_ex_data(session, place, path) == 1) {
		drop(before);
		return true;
	}
	drop(path);
	return false;
}

const struct trust_chain *tls_path_of(const SSL_SESSION *session)
{
	const struct path *path = SSL_SESSION_get_ex_data(session, place);

	return path == NULL ? NULL : &path->chain;
}
