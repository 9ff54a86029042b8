#include "config_texts.h"

#include <CUnit/CUnit.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/config.h"

const char config_contract[] =
	"[server]\n"
	"workers         = 2              # event-loop threads; default: th"
	"e number of CPUs\n"
	"event_loop      = \"auto\"         # \"select\", \"epoll\" (Linux)"
	", or \"auto\": select while every descriptor\n"
	"                                 # that max_connections can need f"
	"its FD_SETSIZE, else epoll\n"
	"max_connections = 400            # client connections over all app"
	"s; default 400\n"
	"admin           = \"127.0.0.1:9900\"   # status page, metrics, hea"
	"lth; default: off\n"
	"\n"
	"[tls]                            # towards clients\n"
	"certificate = \"server.pem\"       # required: chain, leaf first\n"
	"private_key = \"server.key\"       # required\n"
	"client_ca   = \"ca.pem\"           # required: exactly one CA, whi"
	"ch issues every client certificate\n"
	"crl         = \"ca.crl\"           # optional, PEM\n"
	"min_version = \"1.2\"              # \"1.2\" or \"1.3\"\n"
	"ciphers      = \"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GC"
	"M-SHA256\"  # TLS 1.2, OpenSSL names; optional\n"
	"ciphersuites = \"TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384\"  "
	"            # TLS 1.3; optional\n"
	"\n"
	"[log]\n"
	"level = \"info\"                   # \"error\", \"warn\", \"info\""
	" (a line per session and reject), \"debug\"\n"
	"\n"
	"[timeouts]                       # durations: integer + ms, s, m o"
	"r h\n"
	"handshake = \"5s\"\n"
	"connect   = \"3s\"                 # one attempt to one upstream, "
	"its TLS handshake included\n"
	"idle      = \"10m\"                # no byte in either direction\n"
	"drain     = \"30s\"\n"
	"\n"
	"[[app]]\n"
	"id     = \"echo\"                  # required, unique\n"
	"listen = [\"127.0.0.1:9001\"]      # required: one or more \"host:"
	"port\", IPv6 in brackets\n"
	"proxy_protocol = false           # true: send a PROXY v2 header to"
	" upstreams\n"
	"limits = { concurrent = 100, connections = 200, window = \"1m\" } "
	"  # for each client of this app;\n"
	"                                 # each part optional: no cap, no "
	"rate, window \"1m\"\n"
	"\n"
	"[app.health]                     # active checks\n"
	"enabled  = true                  # default true, with the values b"
	"elow; upstreams start eligible\n"
	"interval = \"2s\"\n"
	"timeout  = \"1s\"\n"
	"rise     = 2\n"
	"fall     = 3\n"
	"\n"
	"[[app.upstream]]                 # one or more\n"
	"url    = \"tcp://127.0.0.1:7001\"  # required; tcp:// or tls://\n"
	"weight = 1                       # 1..256\n"
	"\n"
	"[[app.upstream]]\n"
	"url         = \"tls://127.0.0.1:7443\"\n"
	"ca          = \"upstream-ca.pem\"  # required for tls://\n"
	"server_name = \"db.internal\"      # name that is verified and sen"
	"t as SNI; default: the url's host\n"
	"certificate = \"proxy-client.pem\" # optional: the proxy's client "
	"certificate for this upstream\n"
	"private_key = \"proxy-client.key\"\n"
	"\n"
	"[[client]]\n"
	"id      = \"alice\"                # required, unique: how logs an"
	"d metrics name this client\n"
	"serials = [\"1A:2B:3C\"]           # required, one or more: certif"
	"icate serial numbers, hex, upper or\n"
	"                                 # lower case, colons and leading "
	"zeros allowed; a second serial lets\n"
	"                                 # a certificate be renewed withou"
	"t a gap\n"
	"apps    = [\"echo\"]               # required, one or more: the ap"
	"ps this client may use\n"
	"\n"
	"[client.limits.echo]             # overrides the app's limits for "
	"this client\n"
	"concurrent = 5\n"
	"";

void text_add(struct text *text, const char *format, ...)
{
	va_list args;

	if (text->cap - text->len < 512) {
		text->cap = text->cap * 2 + 4096;
		text->ptr = realloc(text->ptr, text->cap);
		if (text->ptr == NULL)
			abort();
	}
	va_start(args, format);
	text->len += (size_t)vsnprintf(
		text->ptr + text->len, text->cap - text->len, format, args);
	va_end(args);
}

struct lbp_config *config_of_text(const char *text, size_t len)
{
	struct lbp_config_errors errors;
	struct lbp_config *config;
	enum lbp_err err = lbp_config_parse(text, len, &config, &errors);

	CU_ASSERT_EQUAL(err, LBP_OK);
	CU_ASSERT_EQUAL(errors.len, 0);
	CU_ASSERT_PTR_NULL(errors.items);
	if (errors.len != 0)
		(void)printf("%u:%u: %s\n", errors.items[0].pos.line,
			errors.items[0].pos.column, errors.items[0].message);
	lbp_config_errors_release(&errors);
	return config;
}

struct lbp_config *config_of(const char *text)
{
	return config_of_text(text, strlen(text));
}

void config_has_error(const char *text, size_t len, uint32_t line,
	uint32_t column, const char *message)
{
	struct lbp_config_errors errors;
	struct lbp_config *config;

	CU_ASSERT_EQUAL(
		lbp_config_parse(text, len, &config, &errors), LBP_ERR_SYNTAX);
	CU_ASSERT_PTR_NULL(config);
	CU_ASSERT_EQUAL(errors.len, 1);
	if (errors.len >= 1) {
		CU_ASSERT_EQUAL(errors.items[0].pos.line, line);
		CU_ASSERT_EQUAL(errors.items[0].pos.column, column);
		CU_ASSERT_NSTRING_EQUAL(
			errors.items[0].message, message, strlen(message));
	}
	lbp_config_errors_release(&errors);
	CU_ASSERT_EQUAL(errors.len, 0);
	CU_ASSERT_PTR_NULL(errors.items);
	CU_ASSERT_PTR_NULL(errors.arena);
	lbp_config_errors_release(&errors);
}
