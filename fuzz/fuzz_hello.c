/*
 * What a client may send first, against OpenSSL's reading of the same bytes:
 * nothing that was let through has a key that takes long to decode, and no
 * good certificate is turned away.
 *
 * Input: a byte; its lowest bit: TLS 1.3. The next two say what the rest is:
 * 0: a ClientHello, 1: a Certificate message, else one certificate, which is
 * put into a message as often as the remaining bits say. The rest is taken for
 * a list of protocols, too, of which every second one is the server's; and for
 * what a client sends, whole or in pieces of as many bytes as these bits say.
 */
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>

#include "oracle.h"
#include "server/alpn.h"
#include "server/hello.h"
#include "server/hello_length.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define COPIES_MAX 8
#define CERT_MAX   5000

/* Is it a key that may be used, as OpenSSL sees it? */
static bool is_good_key(const X509 *cert, EVP_PKEY *key)
{
	const ASN1_BIT_STRING *bits = X509_get0_pubkey_bitstr(cert);
	BIGNUM *exponent = NULL;
	char encoding[80] = "";
	bool is_short;

	switch (EVP_PKEY_get_base_id(key)) {
	case EVP_PKEY_RSA:
	case EVP_PKEY_RSA_PSS:
		EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &exponent);
		is_short = BN_num_bits(exponent) <= 64;
		BN_free(exponent);
		return is_short && EVP_PKEY_get_bits(key) <= 8192;
	case EVP_PKEY_EC:
		return ASN1_STRING_get0_data(bits)[0] == 4 &&
		       EVP_PKEY_get_utf8_string_param(key,
			       OSSL_PKEY_PARAM_EC_ENCODING, encoding,
			       sizeof(encoding), NULL) == 1 &&
		       strcmp(encoding, "named_curve") == 0;
	case EVP_PKEY_ED25519:
	case EVP_PKEY_ED448:
		return true;
	default:
		return false;
	}
}

/* Has OpenSSL forget how a name was encoded: it does at each change. */
static void touch(X509_NAME *name)
{
	if (X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
		    (const unsigned char *)"x", 1, -1, 0) != 1)
		abort();
	X509_NAME_ENTRY_free(
		X509_NAME_delete_entry(name, X509_NAME_entry_count(name) - 1));
}

/* Is this DER, or an encoding of the same that OpenSSL takes as well? */
static bool is_der(const X509 *cert, const uint8_t *octets, size_t len)
{
	X509 *copy = X509_dup(cert);
	unsigned char *der = NULL;
	int der_len;
	bool same;

	/* Without what OpenSSL keeps of what it read. */
	if (copy == NULL)
		abort();
	touch(X509_get_issuer_name(copy));
	touch(X509_get_subject_name(copy));
	if (i2d_re_X509_tbs(copy, NULL) <= 0)
		abort();
	der_len = i2d_X509(copy, &der);
	same = der_len > 0 && (size_t)der_len == len &&
	       memcmp(der, octets, len) == 0;
	OPENSSL_free(der);
	X509_free(copy);
	return same;
}

/* Likewise of the key in it: that of RSA is a structure of its own. */
static bool is_der_key(const X509 *cert, const EVP_PKEY *key)
{
	const ASN1_BIT_STRING *bits = X509_get0_pubkey_bitstr(cert);
	unsigned char *der = NULL;
	int der_len;
	bool same;

	if (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA &&
		EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA_PSS)
		return true;
	der_len = i2d_PublicKey(key, &der);
	same = der_len > 0 && der_len == ASN1_STRING_length(bits) &&
	       memcmp(der, ASN1_STRING_get0_data(bits), (size_t)der_len) == 0;
	OPENSSL_free(der);
	return same;
}

static void check_cert(enum lbp_err err, const uint8_t *octets, size_t len)
{
	const unsigned char *at = octets;
	X509 *cert = d2i_X509(NULL, &at, (long)len);
	EVP_PKEY *key = cert == NULL ? NULL : X509_get0_pubkey(cert);

	if (key != NULL) {
		ORACLE("SRV-102", err != LBP_OK || is_good_key(cert, key),
			"a key of type %d and %d bits is let through",
			EVP_PKEY_get_base_id(key), EVP_PKEY_get_bits(key));
		ORACLE("SRV-102",
			err == LBP_OK || !is_good_key(cert, key) ||
				!is_der(cert, octets, len) ||
				!is_der_key(cert, key),
			"a good key is refused: %s", lbp_err_text(err));
	}
	X509_free(cert);
	ERR_clear_error();
}

static size_t put(uint8_t *out, size_t number, unsigned octets)
{
	for (unsigned i = 0; i < octets; i++)
		out[i] = (uint8_t)(number >> 8 * (octets - 1 - i));
	return octets;
}

static size_t get(const uint8_t *in, unsigned octets)
{
	size_t number = 0;

	while (octets-- > 0)
		number = number << 8 | *in++;
	return number;
}

/* Of copies without extensions, at bytes in all, all but the first. */
static void check_hidden(uint8_t *message, size_t at, size_t len)
{
	size_t first = 4 + 3 + len;
	size_t others = at - first - 2;

	lbp_certs_hide_others(message, at);
	ORACLE("SRV-67",
		get(message + 4, 3) == len &&
			get(message + first, 2) == others &&
			(others == 0 ||
				get(message + first + 4, 2) == others - 4),
		"%zu bytes are hidden as they should not be", others);
}

/* The message with so many copies of a certificate. */
static enum lbp_err check_copies(
	const uint8_t *octets, size_t len, unsigned copies, bool is_tls13)
{
	static uint8_t message[COPIES_MAX * (CERT_MAX + 8) + 8];
	size_t start = is_tls13 ? 4 : 3;
	size_t at = start;
	enum lbp_err err;

	message[0] = 0;
	for (unsigned i = 0; i < copies; i++) {
		at += put(message + at, len, 3);
		memcpy(message + at, octets, len);
		at += len;
		at += put(message + at, 0, is_tls13 ? 2 : 0);
	}
	put(message + start - 3, at - start, 3);
	err = lbp_certs_check(message, at, is_tls13);
	if (err == LBP_OK && is_tls13 && copies > 0)
		check_hidden(message, at, len);
	return err;
}

static void check_many(
	const uint8_t *octets, size_t len, unsigned copies, bool is_tls13)
{
	enum lbp_err one, err;

	if (len > CERT_MAX)
		return;
	one = check_copies(octets, len, 1, is_tls13);
	check_cert(one, octets, len);
	err = check_copies(octets, len, copies, is_tls13);
	ORACLE("SRV-64", err != LBP_OK || (copies <= 4 && copies * len < 16384),
		"%u certificates of %zu bytes", copies, len);
	if (copies <= 3 && copies > 0)
		ORACLE("SRV-64", err == one || copies * (len + 5) > 16380,
			"%u copies are %s", copies, lbp_err_text(err));
}

/* The n-th name of a list, NULL: there is none, and *rest is not empty if the
 * list is malformed. */
static const uint8_t *name_of(
	const uint8_t *list, size_t len, unsigned n, size_t *rest)
{
	size_t at = 0;

	while (at < len && at + 1 + list[at] <= len && n-- > 0)
		at += 1 + (size_t)list[at];
	*rest = len - at;
	return at < len && at + 1 + list[at] <= len ? list + at : NULL;
}

/* Every second name, the last one first, as far as there is room. */
static void make_ours(struct lbp_alpn *ours, const uint8_t *list, size_t len)
{
	const uint8_t *name;
	size_t rest;
	unsigned n = 0;

	while (n < 8 && name_of(list, len, n, &rest) != NULL)
		n++;
	while (n-- > 0) {
		name = name_of(list, len, n, &rest);
		if (n % 2 == 0 && name[0] > 0)
			(void)lbp_alpn_add(ours, name + 1, name[0]);
	}
}

/* The first of ours that is among theirs, as it is written. */
static void check_choice(const uint8_t *list, size_t len)
{
	struct lbp_alpn ours = {0};
	struct lbp_alpn_name chosen = {NULL, 0};
	enum lbp_alpn_choice want = LBP_ALPN_NONE;
	enum lbp_alpn_choice got;
	const uint8_t *mine, *name = NULL;
	size_t rest;

	make_ours(&ours, list, len);
	for (unsigned i = 0; want == LBP_ALPN_NONE; i++) {
		mine = name_of(ours.list, ours.len, i, &rest);
		if (mine == NULL)
			break;
		for (unsigned n = 0; want == LBP_ALPN_NONE; n++) {
			name = name_of(list, len, n, &rest);
			if (name == NULL)
				break;
			if (mine[0] == name[0] &&
				memcmp(mine + 1, name + 1, mine[0]) == 0)
				want = LBP_ALPN_CHOSEN;
		}
	}
	/* A list that is malformed at its end is none at all. */
	for (unsigned n = 0; name_of(list, len, n, &rest) != NULL; n++)
		continue;
	if (rest > 0)
		want = LBP_ALPN_NONE;
	if (ours.len == 0)
		want = LBP_ALPN_IGNORED;
	got = lbp_alpn_choose(&ours, list, len, &chosen);
	ORACLE("SRV-173", got == want, "choice %d instead of %d", (int)got,
		(int)want);
	if (got == LBP_ALPN_CHOSEN)
		ORACLE("SRV-173",
			chosen.ptr == name + 1 && chosen.len == name[0],
			"another name is chosen");
}

/* In pieces of so many bytes. */
static void limit(uint8_t *bytes, size_t len, size_t piece)
{
	struct lbp_hello_length state = {0};
	size_t at;

	for (at = 0; at < len; at += piece)
		lbp_hello_length_limit(&state, bytes + at,
			len - at < piece ? len - at : piece);
}

/* However it comes, the same is made of it. */
static void check_length(const uint8_t *data, size_t len, size_t piece)
{
	uint8_t *whole = malloc(2 * len + 1);
	uint8_t *pieces = whole + len;

	if (whole == NULL)
		abort();
	memcpy(whole, data, len);
	memcpy(pieces, data, len);
	limit(whole, len, len + 1);
	limit(pieces, len, piece);
	ORACLE("SRV-346", memcmp(whole, pieces, len) == 0,
		"changed in another way, in pieces of %zu bytes", piece);
	free(whole);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	bool is_tls13 = len > 0 && data[0] % 2 != 0;
	uint8_t *copy;
	enum lbp_err err;

	if (len == 0)
		return 0;
	/* Of its very length, for a read beyond it to be seen. */
	copy = malloc(len - 1 + (len == 1));
	if (copy == NULL)
		abort();
	memcpy(copy, data + 1, len - 1);
	check_choice(copy, len - 1);
	check_length(copy, len - 1, data[0] / 8 + 1u);
	switch (data[0] / 2 % 4) {
	case 0:
		err = lbp_hello_check(copy, len - 1);
		ORACLE("SRV-65", len - 1 <= 8192 || err == LBP_ERR_RANGE,
			"a hello of %zu bytes", len - 1);
		ORACLE("SRV-65", len - 1 >= 38 || err == LBP_ERR_SYNTAX,
			"a hello of %zu bytes", len - 1);
		break;
	case 1:
		err = lbp_certs_check(copy, len - 1, is_tls13);
		ORACLE("SRV-64", len - 1 <= 16384 || err == LBP_ERR_RANGE,
			"a list of %zu bytes", len - 1);
		break;
	default:
		check_many(copy, len - 1, data[0] / 8 % COPIES_MAX, is_tls13);
		break;
	}
	free(copy);
	return 0;
}
