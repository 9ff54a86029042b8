#include "tls_alpn.h"

#include "tls.h"

/* OpenSSL copies the name that it is told, and sends the alert. [SRV-174]. */
static int select_protocol(SSL *ssl, const unsigned char **out,
	unsigned char *out_len, const unsigned char *in, unsigned in_len,
	void *arg)
{
	struct tls *tls = SSL_get_app_data(ssl);
	struct lbp_alpn_name chosen;

	(void)arg;
	switch (tls->choose(tls->user, in, in_len, &chosen)) {
	case LBP_ALPN_IGNORED:
		return SSL_TLSEXT_ERR_NOACK;
	case LBP_ALPN_CHOSEN:
		*out = chosen.ptr;
		*out_len = chosen.len;
		return SSL_TLSEXT_ERR_OK;
	default: /* LBP_ALPN_NONE */
		tls->reason = LBP_REASON_NO_PROTOCOL;
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	}
}

void tls_alpn_use(SSL_CTX *ctx)
{
	SSL_CTX_set_alpn_select_cb(ctx, select_protocol, NULL);
}
