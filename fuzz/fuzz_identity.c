/*
 * From a certificate's DER to the serial that names a client, against
 * OpenSSL's own printing of the same number.
 *
 * Input: a byte; even: the rest is a certificate. Odd: the rest is the content
 * of the INTEGER that is the serial of a certificate made here. All of that
 * certificate is read again for every eighth length only: the rest of it is
 * always the same, and takes most of the time.
 */
#include <ctype.h>
#include <openssl/err.h>
#include <openssl/provider.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "../cmd/lbproxyd/tls_revoked.h"
#include "oracle.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define CONTENT_MAX 1000

/* What stands before and after the serial; nothing in it is checked. */
static const uint8_t version[] = {0xa0, 3, 2, 1, 2};
static const uint8_t after[] = {
	/* signature: ecdsa-with-SHA256 */
	0x30, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2,
	/* issuer: no name */
	0x30, 0,
	/* validity */
	0x30, 30, 0x17, 13, '2', '0', '0', '1', '0', '1', '0', '0', '0', '0',
	'0', '0', 'Z', 0x17, 13, '3', '0', '0', '1', '0', '1', '0', '0', '0',
	'0', '0', '0', 'Z',
	/* subject: no name */
	0x30, 0,
	/* a public key, of P-256 and without its point */
	0x30, 24, 0x30, 19, 6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, 6, 8,
	0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7, 3, 1, 0};
static const uint8_t signature[] = {
	0x30, 10, 6, 8, 0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2, 3, 1, 0};

/* Appends a header of DER for len bytes of content. */
static size_t put_header(uint8_t *out, uint8_t tag, size_t len)
{
	out[0] = tag;
	out[1] = 0x82;
	out[2] = (uint8_t)(len >> 8);
	out[3] = (uint8_t)len;
	if (len > 0xff)
		return 4;
	/* DER wants the shortest form. */
	out[1] = len < 0x80 ? (uint8_t)len : 0x81;
	out[2] = (uint8_t)len;
	return len < 0x80 ? 2 : 3;
}

static size_t put(uint8_t *out, const uint8_t *bytes, size_t len)
{
	memcpy(out, bytes, len);
	return len;
}

static size_t make_certificate(uint8_t *out, const uint8_t *content, size_t len)
{
	uint8_t tbs[CONTENT_MAX + sizeof(version) + sizeof(after) + 8];
	size_t tbs_len = 0;
	uint8_t header[4];
	size_t header_len;
	size_t n;

	tbs_len += put(tbs, version, sizeof(version));
	tbs_len += put_header(tbs + tbs_len, 2, len);
	tbs_len += put(tbs + tbs_len, content, len);
	tbs_len += put(tbs + tbs_len, after, sizeof(after));
	header_len = put_header(header, 0x30, tbs_len);
	n = put_header(out, 0x30, header_len + tbs_len + sizeof(signature));
	n += put(out + n, header, header_len);
	n += put(out + n, tbs, tbs_len);
	return n + put(out + n, signature, sizeof(signature));
}

/* What a number printed in hex should be as a serial. */
static enum lbp_err read_printed(const char *hex, char *text)
{
	size_t digits;

	if (*hex == '-')
		return LBP_ERR_RANGE;
	while (*hex == '0')
		hex++;
	digits = strlen(hex);
	if (digits == 0 || digits > 2 * LBP_SERIAL_MAX)
		return LBP_ERR_RANGE;
	if (digits % 2 != 0)
		*text++ = '0';
	for (; digits > 0; digits--) {
		*text++ = (char)toupper((unsigned char)*hex++);
		if (digits % 2 != 0 && digits > 1)
			*text++ = ':';
	}
	*text = '\0';
	return LBP_OK;
}

static enum lbp_err serial_of(const X509 *cert, struct lbp_serial *serial)
{
	return revoked_serial(X509_get0_serialNumber(cert), serial);
}

static void check_against(
	const X509 *cert, const char *printed, const char *how)
{
	char want[LBP_SERIAL_TEXT_MAX] = "";
	char got[LBP_SERIAL_TEXT_MAX] = "";
	struct lbp_serial serial;
	enum lbp_err got_err = serial_of(cert, &serial);
	enum lbp_err want_err = read_printed(printed, want);

	ORACLE("SRV-10", got_err == want_err, "%s instead of %s for %s (%s)",
		lbp_err_text(got_err), lbp_err_text(want_err), printed, how);
	if (got_err == LBP_OK)
		lbp_serial_format(&serial, got);
	ORACLE("SRV-10", strcmp(got, want) == 0, "%s instead of %s (%s)", got,
		want, how);
}

/* The same number as a configuration would have it, pasted from a tool. */
static void check_pasted(const X509 *cert, const char *printed, const char *how)
{
	struct lbp_serial got = {{0}, 0};
	struct lbp_serial want = {{0}, 0};
	enum lbp_err want_err = serial_of(cert, &want);
	enum lbp_err got_err =
		lbp_serial_from_hex(&got, printed, strlen(printed));

	if (*printed == '-')
		want_err = LBP_ERR_SYNTAX;
	ORACLE("SER-1", got_err == want_err, "%s instead of %s for %s (%s)",
		lbp_err_text(got_err), lbp_err_text(want_err), printed, how);
	ORACLE("SER-1", memcmp(&got, &want, sizeof(got)) == 0,
		"%s is read as another serial (%s)", printed, how);
}

/* As a number. */
static void check_number(const X509 *cert)
{
	static BIGNUM *kept;
	BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), kept);
	char *hex = number != NULL ? BN_bn2hex(number) : NULL;

	if (hex == NULL)
		abort();
	kept = number;
	check_against(cert, hex, "BN_bn2hex");
	check_pasted(cert, hex, "BN_bn2hex");
	OPENSSL_free(hex);
}

/*
 * As `openssl x509 -serial` prints it; a backslash and a line end are after
 * each 35 octets. A new BIO for each would take a quarter of the time.
 */
static void check_text(const X509 *cert)
{
	static BIO *bio;
	char hex[2 * CONTENT_MAX + 200];
	size_t n = 0;
	char *text;
	long len;

	if (bio == NULL)
		bio = BIO_new(BIO_s_mem());
	if (bio == NULL || BIO_reset(bio) != 1 ||
		i2a_ASN1_INTEGER(bio, X509_get0_serialNumber(cert)) < 0)
		abort();
	len = BIO_get_mem_data(bio, &text);
	for (long i = 0; i < len && n + 1 < sizeof(hex); i++) {
		if (text[i] != '\\' && text[i] != '\n')
			hex[n++] = text[i];
	}
	hex[n] = '\0';
	/* What is cut off here is out of range all the same. */
	check_against(cert, hex, "i2a_ASN1_INTEGER");
	check_pasted(cert, hex, "i2a_ASN1_INTEGER");
}

/* As the octets in the DER, which lib reads by itself. */
static void check_content(const X509 *cert, const uint8_t *content, size_t len)
{
	struct lbp_serial got = {{0}, 0};
	struct lbp_serial want = {{0}, 0};
	enum lbp_err got_err = serial_of(cert, &got);
	enum lbp_err want_err = lbp_serial_from_der(&want, content, len);

	ORACLE("SER-3", got_err == want_err, "%s and %s", lbp_err_text(got_err),
		lbp_err_text(want_err));
	ORACLE("SER-3", memcmp(&got, &want, sizeof(got)) == 0,
		"two serials of one certificate");
}

static X509 *read_certificate(const uint8_t *der, size_t len)
{
	const unsigned char *at = der;

	return d2i_X509(NULL, &at, (long)len);
}

/* A certificate of which nothing but the serial is read. */
static X509 *read_serial(const uint8_t *content, size_t len)
{
	static X509 *cert;
	uint8_t der[CONTENT_MAX + 4];
	size_t der_len = put_header(der, 2, len);
	const unsigned char *at = der;
	ASN1_INTEGER *serial;

	if (cert == NULL)
		cert = X509_new();
	der_len += put(der + der_len, content, len);
	serial = d2i_ASN1_INTEGER(NULL, &at, (long)der_len);
	if (serial == NULL)
		return NULL;
	if (cert == NULL || X509_set_serialNumber(cert, serial) != 1 ||
		X509_up_ref(cert) != 1)
		abort();
	ASN1_INTEGER_free(serial);
	return cert;
}

static X509 *make_serial(const uint8_t *content, size_t len)
{
	uint8_t der[CONTENT_MAX + 256];

	if (len > CONTENT_MAX)
		return NULL;
	if (len % 8 != 0)
		return read_serial(content, len);
	return read_certificate(der, make_certificate(der, content, len));
}

/*
 * To decode the public key of a certificate takes OpenSSL a hundred times as
 * long as all the rest. Without an algorithm it leaves the key as it is.
 */
static void start(void)
{
	static OSSL_PROVIDER *provider;

	if (provider == NULL)
		provider = OSSL_PROVIDER_load(NULL, "null");
	if (provider == NULL)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	X509 *cert;
	bool made;

	start();
	if (len == 0)
		return 0;
	made = data[0] % 2 != 0;
	cert = made ? make_serial(data + 1, len - 1)
		    : read_certificate(data + 1, len - 1);
	if (cert != NULL) {
		check_number(cert);
		check_text(cert);
		if (made)
			check_content(cert, data + 1, len - 1);
	}
	X509_free(cert);
	if (ERR_peek_error() != 0)
		ERR_clear_error();
	return 0;
}
