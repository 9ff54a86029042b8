/* What is told to others of a client's TLS. [PRX-22]. */
#include <openssl/ssl.h>
#include <string.h>

#include "tls.h"

/* The only common name of a subject; NULL: there is none, or several. */
static const ASN1_STRING *common_name(const X509_NAME *subject)
{
	int first = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);

	if (first < 0 ||
		X509_NAME_get_index_by_NID(subject, NID_commonName, first) >= 0)
		return NULL;
	return X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, first));
}

/* False: out of memory. */
static bool describe_certificate(
	const X509 *cert, struct tls_description *description)
{
	const ASN1_STRING *name = common_name(X509_get_subject_name(cert));
	unsigned char *utf8 = NULL;
	int len = name == NULL ? 0 : ASN1_STRING_to_UTF8(&utf8, name);

	/* A reader may take a NUL for the end. */
	if (len > 0 && len <= TLS_COMMON_NAME_MAX &&
		memchr(utf8, '\0', (size_t)len) == NULL) {
		memcpy(description->common_name, utf8, (size_t)len);
		description->common_name_len = (size_t)len;
	}
	OPENSSL_free(utf8);
	/* OpenSSL reads no certificate whose names it cannot convert. */
	return len >= 0;
}

bool tls_describe(const struct tls *tls, struct tls_description *description)
{
	const unsigned char *alpn;
	unsigned alpn_len;

	SSL_get0_alpn_selected(tls->ssl, &alpn, &alpn_len);
	*description = (struct tls_description){
		.cipher = SSL_get_cipher_name(tls->ssl),
		.alpn = alpn,
		.alpn_len = alpn_len,
		.server_name =
			SSL_get_servername(tls->ssl, TLSEXT_NAMETYPE_host_name),
	};
	return describe_certificate(
		SSL_get0_peer_certificate(tls->ssl), description);
}
