/*
 * The groups and signatures that handshakes may use. A stranger must not be
 * able to choose how much work its hello causes. [SRV-62], [SRV-63].
 */
#include "tls_groups.h"

#include <openssl/obj_mac.h>
#include <string.h>

/*
 * Upstreams are configured, and may need more groups; but not those whose key
 * exchange takes 0.1 s before the peer is verified.
 */
#define UPSTREAM_GROUPS "X25519:P-256:X448:P-384:P-521"

/* No SHA-1, no SHA-224, no DSA. The names are OpenSSL's. */
#define SIGNATURES                                                             \
	"ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:ed25519:ed448:"                \
	"rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:rsa_pss_rsae_sha512:"         \
	"rsa_pss_pss_sha256:rsa_pss_pss_sha384:rsa_pss_pss_sha512:"            \
	"RSA+SHA256:RSA+SHA384:RSA+SHA512"

/* No group has a longer name. */
#define NAME_MAX_LEN 32

static bool is_group(SSL_CTX *ctx, const char *name, size_t len)
{
	char text[NAME_MAX_LEN + 1];

	if (len == 0 || len > NAME_MAX_LEN)
		return false;
	memcpy(text, name, len);
	text[len] = '\0';
	return SSL_CTX_set1_groups_list(ctx, text) == 1;
}

/* The first name of a list that is not a group; NULL: all are. */
static const char *find_unknown(SSL_CTX *ctx, const char *list, size_t *len)
{
	for (;;) {
		*len = strcspn(list, ":");
		if (!is_group(ctx, list, *len))
			return list;
		if (list[*len] == '\0')
			return NULL;
		list += *len + 1;
	}
}

void tls_use_groups(SSL_CTX *ctx, const struct lbp_config *config,
	struct problems *problems)
{
	const struct lbp_config_text *groups = &config->groups;
	const char *list = groups->ptr;
	size_t len;
	const char *unknown = find_unknown(ctx, list, &len);

	if (unknown != NULL)
		problem(problems, groups->pos,
			"tls.groups: '%.*s' is not a usable group; accepted: "
			"OpenSSL names of key exchange groups, such as X25519, "
			"P-256 or P-384, joined by colons",
			(int)len, unknown);
	else if (SSL_CTX_set1_groups_list(ctx, list) != 1)
		problem(problems, groups->pos,
			"tls.groups: '%s' names a group twice; accepted: each "
			"group once",
			list);
}

bool tls_use_signatures(SSL_CTX *ctx)
{
	return SSL_CTX_set1_sigalgs_list(ctx, SIGNATURES) == 1 &&
	       SSL_CTX_set1_client_sigalgs_list(ctx, SIGNATURES) == 1;
}

bool tls_use_upstream_groups(SSL_CTX *ctx)
{
	return SSL_CTX_set1_groups_list(ctx, UPSTREAM_GROUPS) == 1;
}

/*
 * In TLS 1.2 the groups also restrict the curve of a client's key. They are
 * widened once its certificate is trusted: by then the group of the key
 * exchange has been chosen.
 */
void tls_allow_key(SSL *ssl)
{
	static const int curves[] = {
		NID_X9_62_prime256v1, NID_secp384r1, NID_secp521r1};

	if (SSL_version(ssl) == TLS1_2_VERSION)
		(void)SSL_set1_groups(ssl, curves, 3);
}
