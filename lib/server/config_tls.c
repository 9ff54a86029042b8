/* The keys of [tls]. [CFG-21]. */
#include "server/config_ca.h"
#include "server/config_field.h"
#include "server/config_root.h"

#define AT(member) offsetof(struct lbp_config, member)
#define LEN(array) (sizeof(array) / sizeof((array)[0]))

static const char *const tls_versions[] = {"1.2", "1.3", NULL};
static const char *const expired_sessions[] = {"close", "keep", NULL};

static const struct lbp_config_key tls_keys[] = {
	{.name = "certificate",
		.kind = &lbp_config_text,
		.offset = AT(certificate),
		.required = true,
		.accepts = "the path of the PEM file with the server's "
			   "certificate chain, leaf first",
		.help = "The server's certificate. Like every file that is "
			"named here it is a regular file, and each block in it "
			"is either used or an error.",
		.example = "\"server.pem\""},
	{.name = "private_key",
		.kind = &lbp_config_text,
		.offset = AT(private_key),
		.required = true,
		.accepts = "the path of the PEM file with the server's key",
		.help = "The key of the certificate; both may be in one file.",
		.example = "\"server.key\""},
	{.name = "client_ca",
		.kind = &lbp_config_cas,
		.required = true,
		.max = LBP_CAS_MAX,
		.section = &lbp_config_ca_section,
		.accepts = "the path of the PEM file with the one CA that "
			   "issues every client certificate, or 1 to 16 "
			   "tables, [[tls.client_ca]]",
		.help = "Who issues the clients' certificates. A CA stays the "
			"same, with its clients' sessions, while its name and "
			"key do.",
		.example = "\"ca.pem\""},
	{.name = "crl",
		.kind = &lbp_config_crl,
		.accepts = "the path of the PEM file with the CA's list of "
			   "revoked certificates",
		.help = "One or more lists of the CA, all of which count. With "
			"[[tls.client_ca]] each CA has its own.",
		.unset = "no certificate is revoked",
		.example = "\"ca.crl\""},
	{.name = "min_version",
		.kind = &lbp_config_choice,
		.offset = AT(min_version),
		.choices = tls_versions,
		.help = "The oldest version of TLS that clients may use."},
	{.name = "expired_sessions",
		.kind = &lbp_config_choice,
		.offset = AT(expired_sessions),
		.choices = expired_sessions,
		.help = "What happens to open sessions whose certificate, or "
			"its CA's, expires."},
	{.name = "ciphers",
		.kind = &lbp_config_text,
		.offset = AT(ciphers),
		.accepts = "OpenSSL names of TLS 1.2 cipher suites, joined "
			   "by ':'",
		.help = "The cipher suites of TLS 1.2, the most wanted one "
			"first: the server's order counts. Each must be known.",
		.unset = "ECDHE with AES-GCM or ChaCha20-Poly1305",
		.example = "\"ECDHE-ECDSA-AES128-GCM-SHA256:"
			   "ECDHE-RSA-AES128-GCM-SHA256\""},
	{.name = "ciphersuites",
		.kind = &lbp_config_text,
		.offset = AT(ciphersuites),
		.accepts = "names of TLS 1.3 cipher suites, joined by ':'",
		.help = "The cipher suites of TLS 1.3, likewise.",
		.unset = "those of OpenSSL",
		.example = "\"TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384\""},
	{.name = "groups",
		.kind = &lbp_config_text,
		.offset = AT(groups),
		.accepts = "OpenSSL names of key exchange groups, joined by "
			   "':'",
		.help = "The groups for the key exchange. A stranger chooses "
			"among them, so slow ones cost the server."},
};

const struct lbp_config_section lbp_config_tls_section = {
	"tls", tls_keys, LEN(tls_keys), &lbp_config_defaults};
