/* Each key of the configuration: what it accepts, and its message if not. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "config_expect.h"
#include "server/config.h"
#include "server/config_field.h"
#include "suites.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

#define INTEGER(max) "an integer from 1 to " max
#define LISTEN       "an array of one or more " LBP_CONFIG_ADDRESS
#define ID           "a unique name of " LBP_CONFIG_ID
#define SERIALS                                                                \
	"an array of one or more serial numbers, each hex like \"1A:2B:3C\", " \
	"positive and at most 20 octets"
#define APPS      "an array of one or more app ids"
#define UPSTREAMS "1 to 1024 tables, [[app.upstream]]"
#define OVERRIDES                                                              \
	"a table for each app, [client.limits.APP], with concurrent, "         \
	"connections and window"
#define URL                                                                    \
	"\"tcp://host:port\", \"tls://host:port\" (IPv6 in brackets) or "      \
	"\"unix:/path\""
#define CHAIN                                                                  \
	"the path of the PEM file with the server's certificate chain, leaf "  \
	"first"
#define SERVER_KEY "the path of the PEM file with the server's key"
#define CLIENT_CA                                                              \
	"the path of the PEM file with the one CA that issues every client "   \
	"certificate, or 1 to 16 tables, [[tls.client_ca]]"
#define CRL                                                                    \
	"the path of the PEM file with the CA's list of revoked certificates"
#define UPSTREAM_CA "the path of the PEM file with the upstream's CA"
#define PROXY_CERT                                                             \
	"the path of the PEM file with the proxy's client certificate"
#define PROXY_KEY   "the path of the PEM file with the proxy's client key"
#define CIPHERS     "OpenSSL names of TLS 1.2 cipher suites, joined by ':'"
#define SUITES      "names of TLS 1.3 cipher suites, joined by ':'"
#define GROUPS      "OpenSSL names of key exchange groups, joined by ':'"
#define ENDS        "\"reset\" or \"end\""
#define LOOPS       "\"auto\", \"select\" or \"epoll\""
#define VERSIONS    "\"1.2\" or \"1.3\""
#define LEVELS      "\"error\", \"warn\", \"info\" or \"debug\""
#define APP_TABLES  "1 to 1024 tables, [[app]]"
#define SERVER_NAME "the DNS name or IP address in the upstream's certificate"

#define FLOAT                      "a float"
#define DATE_TIME                  "an offset date-time"
#define ONE_CA                     "the path of the PEM file with this one CA"
#define MUST(key, accepted, value) key " must be " accepted ", not " value
#define UNKNOWN(key, known)        "unknown key '" key "'; accepted: " known
#define NOT_TCP                    " is accepted only with a tls:// url, and this one is tcp://"

static const char other_types_text[] =
	"[server]\n"
	"workers = 1.5\n"
	"event_loop = 1.5\n"
	"max_connections = 1.5\n"
	"max_handshakes = 1.5\n"
	"admin = 1.5\n"
	"[tls]\n"
	"certificate = 1.5\n"
	"private_key = 1.5\n"
	"client_ca = 1.5\n"
	"crl = 1.5\n"
	"min_version = 1.5\n"
	"ciphers = 1.5\n"
	"ciphersuites = 1.5\n"
	"groups = 1.5\n"
	"[log]\n"
	"level = 1.5\n"
	"[timeouts]\n"
	"handshake = 1.5\n"
	"connect = 1.5\n"
	"idle = 1.5\n"
	"drain = 1.5\n"
	"[[app]]\n"
	"id = 1.5\n"
	"listen = 1.5\n"
	"proxy_protocol = 1.5\n"
	"unclean_end = 1.5\n"
	"limits = 1.5\n"
	"health = 1.5\n"
	"upstream = 1.5\n"
	"[[app]]\n"
	"id = \"a\"\n"
	"listen = [\"h:1\", 1.5]\n"
	"limits = { concurrent = 1.5, connections = 1.5, window = 1.5 }\n"
	"[app.health]\n"
	"enabled = 1.5\n"
	"interval = 1.5\n"
	"timeout = 1.5\n"
	"rise = 1.5\n"
	"fall = 1.5\n"
	"[[app.upstream]]\n"
	"url = 1.5\n"
	"weight = 1.5\n"
	"ca = 1.5\n"
	"server_name = 1.5\n"
	"certificate = 1.5\n"
	"private_key = 1.5\n"
	"[[client]]\n"
	"id = 1.5\n"
	"serials = 1.5\n"
	"apps = 1.5\n"
	"limits = 1.5\n"
	"[[client]]\n"
	"id = \"c\"\n"
	"serials = [\"1\", 1.5]\n"
	"apps = [\"a\", 1.5]\n"
	"limits.a = 1.5\n";

static const struct want other_types_wanted[] = {
	{2, 11, MUST("server.workers", INTEGER("256"), FLOAT)},
	{3, 14, MUST("server.event_loop", LOOPS, FLOAT)},
	{4, 19, MUST("server.max_connections", INTEGER("1000000"), FLOAT)},
	{5, 18, MUST("server.max_handshakes", INTEGER("1000000"), FLOAT)},
	{6, 9, MUST("server.admin", LBP_CONFIG_ADDRESS, FLOAT)},
	{8, 15, MUST("tls.certificate", CHAIN, FLOAT)},
	{9, 15, MUST("tls.private_key", SERVER_KEY, FLOAT)},
	{10, 13, MUST("tls.client_ca", CLIENT_CA, FLOAT)},
	{11, 7, MUST("tls.crl", CRL, FLOAT)},
	{12, 15, MUST("tls.min_version", VERSIONS, FLOAT)},
	{13, 11, MUST("tls.ciphers", CIPHERS, FLOAT)},
	{14, 16, MUST("tls.ciphersuites", SUITES, FLOAT)},
	{15, 10, MUST("tls.groups", GROUPS, FLOAT)},
	{17, 9, MUST("log.level", LEVELS, FLOAT)},
	{19, 13, MUST("timeouts.handshake", LBP_CONFIG_DURATION, FLOAT)},
	{20, 11, MUST("timeouts.connect", LBP_CONFIG_DURATION, FLOAT)},
	{21, 8, MUST("timeouts.idle", LBP_CONFIG_DURATION_OR_OFF, FLOAT)},
	{22, 9, MUST("timeouts.drain", LBP_CONFIG_DURATION, FLOAT)},
	{24, 6, MUST("app.id", ID, FLOAT)},
	{25, 10, MUST("app.listen", LISTEN, FLOAT)},
	{26, 18, MUST("app.proxy_protocol", "true or false", FLOAT)},
	{27, 15, MUST("app.unclean_end", ENDS, FLOAT)},
	{28, 10,
		MUST("app.limits",
			"a table with concurrent, connections and window",
			FLOAT)},
	{29, 10, MUST("app.health", "a table, [app.health]", FLOAT)},
	{30, 12, MUST("app.upstream", UPSTREAMS, FLOAT)},
	{33, 18, MUST("app.listen", LISTEN, FLOAT)},
	{34, 25, MUST("app.limits.concurrent", INTEGER("1000000"), FLOAT)},
	{34, 44, MUST("app.limits.connections", INTEGER("1000000"), FLOAT)},
	{34, 58, MUST("app.limits.window", LBP_CONFIG_DURATION, FLOAT)},
	{36, 11, MUST("app.health.enabled", "true or false", FLOAT)},
	{37, 12, MUST("app.health.interval", LBP_CONFIG_DURATION, FLOAT)},
	{38, 11, MUST("app.health.timeout", LBP_CONFIG_DURATION, FLOAT)},
	{39, 8, MUST("app.health.rise", INTEGER("1000"), FLOAT)},
	{40, 8, MUST("app.health.fall", INTEGER("1000"), FLOAT)},
	{42, 7, MUST("app.upstream.url", URL, FLOAT)},
	{43, 10, MUST("app.upstream.weight", INTEGER("256"), FLOAT)},
	{44, 6, MUST("app.upstream.ca", UPSTREAM_CA, FLOAT)},
	{45, 15, MUST("app.upstream.server_name", SERVER_NAME, FLOAT)},
	{46, 15, MUST("app.upstream.certificate", PROXY_CERT, FLOAT)},
	{47, 15, MUST("app.upstream.private_key", PROXY_KEY, FLOAT)},
	{49, 6, MUST("client.id", ID, FLOAT)},
	{50, 11, MUST("client.serials", SERIALS, FLOAT)},
	{51, 8, MUST("client.apps", APPS, FLOAT)},
	{52, 10, MUST("client.limits", OVERRIDES, FLOAT)},
	{55, 17, MUST("client.serials", SERIALS, FLOAT)},
	{56, 14, MUST("client.apps", APPS, FLOAT)},
	{57, 12, MUST("client.limits", OVERRIDES, FLOAT)},
};

static void other_types(void)
{
	config_expect(other_types_text, other_types_wanted,
		COUNT(other_types_wanted));
}

/* What is stored of a time is as long as some text, but is none. */
static const char times_text[] = "[tls]\n"
				 "certificate = \"c\"\n"
				 "private_key = \"k\"\n"
				 "[[tls.client_ca]]\n"
				 "id = 1979-05-27T07:32:00.000000001Z\n"
				 "file = 1979-05-27T07:32:00.000000001Z\n"
				 "[timeouts]\n"
				 "idle = 1979-05-27T07:32:00.000000003Z\n"
				 "[[app]]\n"
				 "id = \"a\"\n"
				 "listen = [\"h:1\"]\n"
				 "[[app.upstream]]\n"
				 "url = \"tcp://h:1\"\n";

static const struct want times_wanted[] = {
	{5, 6, MUST("tls.client_ca.id", ID ", and no '/'", DATE_TIME)},
	{6, 8, MUST("tls.client_ca.file", ONE_CA, DATE_TIME)},
	{8, 8, MUST("timeouts.idle", LBP_CONFIG_DURATION_OR_OFF, DATE_TIME)},
};

static void times_are_no_texts(void)
{
	config_expect(times_text, times_wanted, COUNT(times_wanted));
}

static const char other_tables_text[] = "server = 1.5\n"
					"tls = 1.5\n"
					"log = 1.5\n"
					"timeouts = 1.5\n"
					"app = 1.5\n"
					"client = 1.5\n";

static const struct want other_tables_wanted[] = {
	{1, 10, MUST("server", "a table, [server]", FLOAT)},
	{2, 7,
		MUST("tls",
			"a table, [tls], with certificate, private_key and "
			"client_ca",
			FLOAT)},
	{3, 7, MUST("log", "a table, [log]", FLOAT)},
	{4, 12, MUST("timeouts", "a table, [timeouts]", FLOAT)},
	{5, 7, MUST("app", APP_TABLES, FLOAT)},
	{6, 10, MUST("client", "at most 100000 tables, [[client]]", FLOAT)},
};

static void other_tables(void)
{
	config_expect(other_tables_text, other_tables_wanted,
		COUNT(other_tables_wanted));
}

static const char required_text[] = "[server]\n"
				    "[tls]\n"
				    "[log]\n"
				    "[timeouts]\n"
				    "[[app]]\n"
				    "[app.limits]\n"
				    "[app.health]\n"
				    "[[app.upstream]]\n"
				    "[[client]]\n"
				    "[client.limits.x]\n";

static const struct want required_wanted[] = {
	{2, 1,
		"tls.certificate"
		" is required: " CHAIN},
	{2, 1,
		"tls.client_ca"
		" is required: " CLIENT_CA},
	{2, 1,
		"tls.private_key"
		" is required: " SERVER_KEY},
	{5, 1,
		"app.id"
		" is required: " ID},
	{5, 1,
		"app.listen"
		" is required: " LISTEN},
	{8, 1,
		"app.upstream.url"
		" is required: " URL},
	{9, 1,
		"client.apps"
		" is required: " APPS},
	{9, 1,
		"client.id"
		" is required: " ID},
	{9, 1,
		"client.serials"
		" is required: " SERIALS "; or client.uris or client.dns"},
};

static void required(void)
{
	config_expect(required_text, required_wanted, COUNT(required_wanted));
}

static const char unknown_text[] = "x = 1\n"
				   "[server]\n"
				   "x = 1\n"
				   "[tls]\n"
				   "x = 1\n"
				   "certificate = \"c\"\n"
				   "private_key = \"k\"\n"
				   "client_ca = \"a\"\n"
				   "[log]\n"
				   "x = 1\n"
				   "[timeouts]\n"
				   "x = 1\n"
				   "[[app]]\n"
				   "x = 1\n"
				   "id = \"a\"\n"
				   "listen = [\"h:1\"]\n"
				   "[app.limits]\n"
				   "x = 1\n"
				   "[app.health]\n"
				   "x = 1\n"
				   "[[app.upstream]]\n"
				   "x = 1\n"
				   "url = \"tcp://h:1\"\n"
				   "[[client]]\n"
				   "x = 1\n"
				   "id = \"c\"\n"
				   "serials = [\"1\"]\n"
				   "apps = [\"a\"]\n"
				   "[client.limits.a]\n"
				   "x = 1\n";

static const struct want unknown_wanted[] = {
	{1, 1,
		UNKNOWN("x", "include, server, tls, log, timeouts, app, "
			     "client")},
	{3, 1,
		UNKNOWN("server.x", "workers, event_loop, max_connections, "
				    "max_handshakes, admin, admin_socket, "
				    "watch")},
	{5, 1,
		UNKNOWN("tls.x", "certificate, private_key, client_ca, crl, "
				 "min_version, expired_sessions, ciphers, "
				 "ciphersuites, groups")},
	{10, 1, UNKNOWN("log.x", "level")},
	{12, 1,
		UNKNOWN("timeouts.x", "handshake, connect, idle, lifetime, "
				      "keepalive, resolve, drain_delay, "
				      "drain")},
	{14, 1,
		UNKNOWN("app.x", "id, listen, proxy_protocol, accept_proxy, "
				 "alpn, unclean_end, timeouts, limits, health, "
				 "upstream")},
	{18, 1, UNKNOWN("app.limits.x", "concurrent, connections, window")},
	{20, 1,
		UNKNOWN("app.health.x",
			"enabled, interval, timeout, rise, fall")},
	{22, 1,
		UNKNOWN("app.upstream.x",
			"url, weight, max_connections, backup, ca, "
			"server_name, certificate, private_key")},
	{25, 1, UNKNOWN("client.x", "id, serials, uris, dns, apps, limits")},
	{30, 1,
		UNKNOWN("client.limits.a.x",
			"concurrent, connections, window")},
};

static void unknown(void)
{
	config_expect(unknown_text, unknown_wanted, COUNT(unknown_wanted));
}

static const char too_little_text[] =
	"[server]\n"
	"workers = 0\n"
	"max_connections = 0\n"
	"max_handshakes = 0\n"
	"event_loop = \"\"\n"
	"admin = \"\"\n"
	"[tls]\n"
	"certificate = \"\"\n"
	"private_key = \"\"\n"
	"client_ca = \"\"\n"
	"crl = \"\"\n"
	"min_version = \"1.20\"\n"
	"ciphers = \"\"\n"
	"ciphersuites = \"\"\n"
	"groups = \"\"\n"
	"[log]\n"
	"level = \"inf\"\n"
	"[timeouts]\n"
	"handshake = \"0s\"\n"
	"connect = \"8761h\"\n"
	"idle = \"\"\n"
	"drain = \"x\"\n"
	"[[app]]\n"
	"id = \"\"\n"
	"listen = []\n"
	"unclean_end = \"res\"\n"
	"limits = { concurrent = 0, connections = 0, window = \"0s\" }\n"
	"health = { interval = \"0s\", timeout = \"0s\", rise = 0, fall = 0 }\n"
	"upstream = []\n"
	"[[app]]\n"
	"id = \"a\"\n"
	"listen = [\"\"]\n"
	"[[app.upstream]]\n"
	"url = \"\"\n"
	"weight = 0\n"
	"[[app.upstream]]\n"
	"url = \"tls://h:1\"\n"
	"ca = \"\"\n"
	"server_name = \"\"\n"
	"certificate = \"\"\n"
	"private_key = \"\"\n"
	"[[client]]\n"
	"id = \"\"\n"
	"serials = []\n"
	"apps = []\n"
	"limits = {}\n"
	"[[client]]\n"
	"id = \"c\"\n"
	"serials = [\"\", \"0\"]\n"
	"apps = [\"\"]\n"
	"[client.limits.\"\"]\n"
	"concurrent = 0\n"
	"connections = 0\n"
	"window = \"0s\"\n";

static const struct want too_little_wanted[] = {
	{2, 11, MUST("server.workers", INTEGER("256"), "0")},
	{3, 19, MUST("server.max_connections", INTEGER("1000000"), "0")},
	{4, 18, MUST("server.max_handshakes", INTEGER("1000000"), "0")},
	{5, 14, MUST("server.event_loop", LOOPS, "''")},
	{6, 9, MUST("server.admin", LBP_CONFIG_ADDRESS, "'': it is empty")},
	{8, 15, MUST("tls.certificate", CHAIN, "'': it is empty")},
	{9, 15, MUST("tls.private_key", SERVER_KEY, "'': it is empty")},
	{10, 13, MUST("tls.client_ca", CLIENT_CA, "'': it is empty")},
	{11, 7, MUST("tls.crl", CRL, "'': it is empty")},
	{12, 15, MUST("tls.min_version", VERSIONS, "'1.20'")},
	{13, 11, MUST("tls.ciphers", CIPHERS, "'': it is empty")},
	{14, 16, MUST("tls.ciphersuites", SUITES, "'': it is empty")},
	{15, 10, MUST("tls.groups", GROUPS, "'': it is empty")},
	{17, 9, MUST("log.level", LEVELS, "'inf'")},
	{19, 13, MUST("timeouts.handshake", LBP_CONFIG_DURATION, "'0s'")},
	{20, 11, MUST("timeouts.connect", LBP_CONFIG_DURATION, "'8761h'")},
	{21, 8, MUST("timeouts.idle", LBP_CONFIG_DURATION_OR_OFF, "''")},
	{22, 9, MUST("timeouts.drain", LBP_CONFIG_DURATION, "'x'")},
	{24, 6, MUST("app.id", ID, "'': it is empty")},
	{25, 10, MUST("app.listen", LISTEN, "empty")},
	{26, 15, MUST("app.unclean_end", ENDS, "'res'")},
	{27, 25, MUST("app.limits.concurrent", INTEGER("1000000"), "0")},
	{27, 42, MUST("app.limits.connections", INTEGER("1000000"), "0")},
	{27, 54, MUST("app.limits.window", LBP_CONFIG_DURATION, "'0s'")},
	{28, 23, MUST("app.health.interval", LBP_CONFIG_DURATION, "'0s'")},
	{28, 39, MUST("app.health.timeout", LBP_CONFIG_DURATION, "'0s'")},
	{28, 52, MUST("app.health.rise", INTEGER("1000"), "0")},
	{28, 62, MUST("app.health.fall", INTEGER("1000"), "0")},
	{29, 12, MUST("app.upstream", UPSTREAMS, "empty")},
	{32, 11, MUST("app.listen", LISTEN, "'': it is empty")},
	{34, 7,
		MUST("app.upstream.url", URL,
			"'': it does not start with tcp://, tls:// or unix:")},
	{35, 10, MUST("app.upstream.weight", INTEGER("256"), "0")},
	{38, 6, MUST("app.upstream.ca", UPSTREAM_CA, "'': it is empty")},
	{39, 15,
		MUST("app.upstream.server_name", SERVER_NAME,
			"'': the host is empty")},
	{40, 15,
		MUST("app.upstream.certificate", PROXY_CERT,
			"'': it is empty")},
	{41, 15,
		MUST("app.upstream.private_key", PROXY_KEY, "'': it is empty")},
	{43, 6, MUST("client.id", ID, "'': it is empty")},
	{44, 11, MUST("client.serials", SERIALS, "empty")},
	{45, 8, MUST("client.apps", APPS, "empty")},
	{49, 12,
		MUST("client.serials", SERIALS,
			"'': it is not pairs of hex digits")},
	{49, 16,
		MUST("client.serials", SERIALS,
			"'0': it is zero or longer than 20 octets")},
	{52, 14, MUST("client.limits..concurrent", INTEGER("1000000"), "0")},
	{53, 15, MUST("client.limits..connections", INTEGER("1000000"), "0")},
	{54, 10, MUST("client.limits..window", LBP_CONFIG_DURATION, "'0s'")},
};

static void too_little(void)
{
	config_expect(
		too_little_text, too_little_wanted, COUNT(too_little_wanted));
}

static const char too_much_text[] =
	"[server]\n"
	"workers = 257\n"
	"max_connections = 1000001\n"
	"max_handshakes = 1000001\n"
	"[tls]\n"
	"certificate = \"c\"\n"
	"private_key = \"k\"\n"
	"client_ca = \"a\"\n"
	"groups = \"g\\u0080\"\n"
	"[[app]]\n"
	"id = \"a\"\n"
	"listen = [\"h:1\"]\n"
	"unclean_end = \"ends\"\n"
	"limits = { concurrent = 1000001, connections = 1000001 }\n"
	"health = { rise = 1001, fall = 1001 }\n"
	"upstream = [{ url = \"tcp://h:1\", weight = 257 }]\n"
	"[[client]]\n"
	"id = \"c\"\n"
	"serials = [\"1\"]\n"
	"apps = [\"a\"]\n"
	"limits.a = { concurrent = 1000001, connections = 4294967297 }\n";

static const struct want too_much_wanted[] = {
	{2, 11, MUST("server.workers", INTEGER("256"), "257")},
	{3, 19, MUST("server.max_connections", INTEGER("1000000"), "1000001")},
	{4, 18, MUST("server.max_handshakes", INTEGER("1000000"), "1000001")},
	{9, 10,
		MUST("tls.groups", GROUPS,
			"'g\\u0080': it has a control character")},
	{13, 15, MUST("app.unclean_end", ENDS, "'ends'")},
	{14, 25, MUST("app.limits.concurrent", INTEGER("1000000"), "1000001")},
	{14, 48, MUST("app.limits.connections", INTEGER("1000000"), "1000001")},
	{15, 19, MUST("app.health.rise", INTEGER("1000"), "1001")},
	{15, 32, MUST("app.health.fall", INTEGER("1000"), "1001")},
	{16, 43, MUST("app.upstream.weight", INTEGER("256"), "257")},
	{21, 27,
		MUST("client.limits.a.concurrent", INTEGER("1000000"),
			"1000001")},
	{21, 50,
		MUST("client.limits.a.connections", INTEGER("1000000"),
			"4294967297")},
};

static void too_much(void)
{
	config_expect(too_much_text, too_much_wanted, COUNT(too_much_wanted));
}

static const char no_app_text[] = "app = []\n"
				  "[tls]\n"
				  "certificate = \"c\"\n"
				  "private_key = \"k\"\n"
				  "client_ca = \"a\"\n";

static const struct want no_app_wanted[] = {
	{1, 7, MUST("app", APP_TABLES, "empty")},
};

static void no_app(void)
{
	config_expect(no_app_text, no_app_wanted, COUNT(no_app_wanted));
}

static const char url_keys_text[] = "[tls]\n"
				    "certificate = \"c\"\n"
				    "private_key = \"k\"\n"
				    "client_ca = \"a\"\n"
				    "[[app]]\n"
				    "id = \"a\"\n"
				    "listen = [\"h:1\"]\n"
				    "[[app.upstream]]\n"
				    "url = \"tcp://h:1\"\n"
				    "ca = \"c\"\n"
				    "server_name = \"n\"\n"
				    "certificate = \"c\"\n"
				    "private_key = \"k\"\n"
				    "[[app.upstream]]\n"
				    "url = \"tls://h:1\"\n"
				    "certificate = \"c\"\n"
				    "[[app.upstream]]\n"
				    "url = \"tls://h:2\"\n"
				    "private_key = \"k\"\n"
				    "ca = \"c\"\n"
				    "[[app.upstream]]\n"
				    "url = \"tls://H:2\"\n"
				    "ca = \"c\"\n"
				    "[[app.upstream]]\n"
				    "url = \"udp://h:1\"\n"
				    "certificate = \"c\"\n";

static const struct want url_keys_wanted[] = {
	{10, 1, "app.upstream.ca" NOT_TCP},
	{11, 1, "app.upstream.server_name" NOT_TCP},
	{12, 1, "app.upstream.certificate" NOT_TCP},
	{13, 1, "app.upstream.private_key" NOT_TCP},
	{14, 1,
		"app.upstream.ca is required with a tls:// url: the path of "
		"the PEM file with the upstream's CA"},
	{16, 1,
		"app.upstream.certificate must come with private_key, the path "
		"of its key"},
	{19, 1,
		"app.upstream.private_key must come with certificate, the path "
		"of its certificate"},
	{22, 7,
		"app.upstream.url 'tls://H:2' is already on line 18 "
		"(app.upstream.url) and must be unique"},
	{25, 7,
		MUST("app.upstream.url", URL,
			"'udp://h:1': it does not start with tcp://, "
			"tls:// or unix:")},
};

static void url_keys(void)
{
	config_expect(url_keys_text, url_keys_wanted, COUNT(url_keys_wanted));
}

static const char other_ids_text[] = "[tls]\n"
				     "certificate = \"c\"\n"
				     "private_key = \"k\"\n"
				     "client_ca = \"a\"\n"
				     "[[app]]\n"
				     "id = 1\n"
				     "listen = [\"h:1\"]\n"
				     "upstream = [{ url = \"tcp://h:1\" }]\n"
				     "[[app]]\n"
				     "id = 1\n"
				     "listen = [\"h:2\"]\n"
				     "upstream = [{ url = \"tcp://h:1\" }]\n"
				     "[[app]]\n"
				     "id = \"e\"\n"
				     "listen = [\"h:3\"]\n"
				     "upstream = [{ url = \"tcp://h:1\" }]\n"
				     "[[client]]\n"
				     "id = false\n"
				     "serials = [\"1\"]\n"
				     "apps = [\"e\"]\n"
				     "[[client]]\n"
				     "id = false\n"
				     "serials = [\"2\"]\n"
				     "apps = [\"e\"]\n";

static const struct want other_ids_wanted[] = {
	{6, 6, MUST("app.id", ID, "an integer")},
	{10, 6, MUST("app.id", ID, "an integer")},
	{18, 6, MUST("client.id", ID, "a boolean")},
	{22, 6, MUST("client.id", ID, "a boolean")},
};

static void other_ids(void)
{
	config_expect(
		other_ids_text, other_ids_wanted, COUNT(other_ids_wanted));
}

static bool is_text(const struct lbp_config_text *text, const char *want,
	uint32_t line, uint32_t column)
{
	return text->ptr != NULL && strcmp(text->ptr, want) == 0 &&
	       text->pos.line == line && text->pos.column == column;
}

static bool is_address(const struct lbp_config_address *address,
	const char *host, uint16_t port, uint32_t line, uint32_t column)
{
	return address->host != NULL && strcmp(address->host, host) == 0 &&
	       address->port == port && address->pos.line == line &&
	       address->pos.column == column;
}

static void stored_globals(const struct lbp_config *config)
{
	CU_ASSERT_EQUAL(config->workers, 1);
	CU_ASSERT_EQUAL(config->event_loop, LBP_EVENT_LOOP_SELECT);
	CU_ASSERT_EQUAL(config->event_loop_pos.line, 3);
	CU_ASSERT_EQUAL(config->event_loop_pos.column, 14);
	CU_ASSERT_EQUAL(config->max_connections, 1);
	CU_ASSERT_EQUAL(config->max_handshakes, 1);
	CU_ASSERT(is_address(&config->admin, "d", 1, 6, 9));
	CU_ASSERT(is_text(&config->certificate, "sixteen letters!", 8, 15));
	CU_ASSERT(is_text(&config->private_key, "sixteen letters?", 9, 15));
	CU_ASSERT(is_text(&config->cas[0].file, "a", 10, 13));
	CU_ASSERT(is_text(&config->cas[0].crl, "r", 11, 7));
	CU_ASSERT_EQUAL(config->min_version, LBP_TLS_1_3);
	CU_ASSERT(is_text(&config->ciphers, "x", 13, 11));
	CU_ASSERT(is_text(&config->ciphersuites, "y", 14, 16));
	CU_ASSERT(is_text(&config->groups, "z", 15, 10));
	CU_ASSERT_EQUAL(config->log_level, LBP_LOG_WARN);
	CU_ASSERT_EQUAL(config->handshake_ns, 1000000);
	CU_ASSERT_EQUAL(config->timeouts.connect_ns, 2000000);
	CU_ASSERT_EQUAL(config->timeouts.idle_ns, 3000000);
	CU_ASSERT_EQUAL(config->drain_ns, 4000000);
}

static void stored_app(const struct lbp_config_app *app)
{
	CU_ASSERT(is_text(&app->id, "e", 24, 6));
	CU_ASSERT_EQUAL_FATAL(app->listen_len, 2);
	CU_ASSERT(is_address(&app->listen[0], "h", 1, 25, 11));
	CU_ASSERT(is_address(&app->listen[1], "::1", 2, 25, 18));
	CU_ASSERT_TRUE(app->proxy_protocol);
	CU_ASSERT_EQUAL(app->unclean_end, LBP_UNCLEAN_END);
	CU_ASSERT_EQUAL(app->limits.concurrent, 1);
	CU_ASSERT_EQUAL(app->limits.connections, 1);
	CU_ASSERT_EQUAL(app->limits.window_ns, 1000000);
	CU_ASSERT_FALSE(app->health.enabled);
	CU_ASSERT_EQUAL(app->health.interval_ns, 5000000);
	CU_ASSERT_EQUAL(app->health.timeout_ns, 6000000);
	CU_ASSERT_EQUAL(app->health.rise, 1);
	CU_ASSERT_EQUAL(app->health.fall, 1);
}

static void stored_upstream(const struct lbp_config_upstream *upstream)
{
	CU_ASSERT(is_text(&upstream->url, "tls://i:3", 39, 7));
	CU_ASSERT(is_address(&upstream->address, "i", 3, 39, 7));
	CU_ASSERT_TRUE(upstream->tls);
	CU_ASSERT_EQUAL(upstream->weight, 1);
	CU_ASSERT(is_text(&upstream->ca, "b", 41, 6));
	CU_ASSERT(is_text(&upstream->server_name, "n", 42, 15));
	CU_ASSERT(is_text(&upstream->certificate, "p", 43, 15));
	CU_ASSERT(is_text(&upstream->private_key, "q", 44, 15));
}

static void stored_client(const struct lbp_config_client *client)
{
	CU_ASSERT(is_text(&client->id, "l", 46, 6));
	CU_ASSERT_EQUAL_FATAL(client->serial_len, 2);
	CU_ASSERT_EQUAL(client->serials[0].serial.len, 1);
	CU_ASSERT_EQUAL(client->serials[0].serial.octets[0], 1);
	CU_ASSERT_EQUAL(client->serials[1].serial.len, 2);
	CU_ASSERT_EQUAL(client->serials[1].serial.octets[0], 2);
	CU_ASSERT_EQUAL(client->serials[1].serial.octets[1], 3);
	CU_ASSERT_EQUAL_FATAL(client->grant_len, 1);
	CU_ASSERT_EQUAL(client->grants[0].app, 0);
	CU_ASSERT_EQUAL(client->grants[0].limits.concurrent, 2);
	CU_ASSERT_EQUAL(client->grants[0].limits.connections, 1);
	CU_ASSERT_EQUAL(client->grants[0].limits.window_ns, 1000000);
}

/* Every key, with its least value or one that is not the default. */
static void each_key_is_stored(void)
{
	static const char text[] =
		"[server]\nworkers = 1\nevent_loop = \"select\"\n"
		"max_connections = 1\nmax_handshakes = 1\nadmin = \"d:1\"\n"
		"[tls]\ncertificate = \"sixteen letters!\"\n"
		"private_key = \"sixteen letters?\"\nclient_ca = \"a\"\n"
		"crl = \"r\"\nmin_version = \"1.3\"\nciphers = \"x\"\n"
		"ciphersuites = \"y\"\ngroups = \"z\"\n[log]\nlevel = "
		"\"warn\"\n"
		"[timeouts]\nhandshake = \"1ms\"\nconnect = \"2ms\"\n"
		"idle = \"3ms\"\ndrain = \"4ms\"\n"
		"[[app]]\nid = \"e\"\nlisten = [\"h:1\", \"[::1]:2\"]\n"
		"proxy_protocol = true\nunclean_end = \"end\"\n"
		"[app.limits]\nconcurrent = 1\nconnections = 1\n"
		"window = \"1ms\"\n"
		"[app.health]\nenabled = false\ninterval = \"5ms\"\n"
		"timeout = \"6ms\"\nrise = 1\nfall = 1\n"
		"[[app.upstream]]\nurl = \"tls://i:3\"\nweight = 1\n"
		"ca = \"b\"\nserver_name = \"n\"\ncertificate = \"p\"\n"
		"private_key = \"q\"\n"
		"[[client]]\nid = \"l\"\nserials = [\"01\", \"0203\"]\n"
		"apps = [\"e\"]\nlimits.e.concurrent = 2\n";
	struct lbp_config_errors errors;
	struct lbp_config *config;

	CU_ASSERT_EQUAL_FATAL(
		lbp_config_parse(text, sizeof(text) - 1, &config, &errors),
		LBP_OK);
	stored_globals(config);
	CU_ASSERT_EQUAL_FATAL(config->app_len, 1);
	stored_app(&config->apps[0]);
	CU_ASSERT_EQUAL_FATAL(config->apps[0].upstream_len, 1);
	stored_upstream(&config->apps[0].upstreams[0]);
	CU_ASSERT_EQUAL_FATAL(config->client_len, 1);
	stored_client(&config->clients[0]);
	lbp_config_free(config);
}

static enum lbp_expired_sessions expired_sessions(const char *line)
{
	struct lbp_config_errors errors;
	struct lbp_config *config;
	enum lbp_expired_sessions got;
	char text[512];

	snprintf(text, sizeof(text),
		"[tls]\ncertificate = \"c\"\nprivate_key = \"k\"\n"
		"client_ca = \"a\"\n%s[[app]]\nid = \"e\"\n"
		"listen = [\"h:1\"]\n"
		"[[app.upstream]]\nurl = \"tcp://i:1\"\n",
		line);
	CU_ASSERT_EQUAL_FATAL(
		lbp_config_parse(text, strlen(text), &config, &errors), LBP_OK);
	got = config->expired_sessions;
	lbp_config_free(config);
	return got;
}

static void sessions_of_expired_certificates(void)
{
	CU_ASSERT_EQUAL(expired_sessions(""), LBP_EXPIRED_CLOSE);
	CU_ASSERT_EQUAL(expired_sessions("expired_sessions = \"close\"\n"),
		LBP_EXPIRED_CLOSE);
	CU_ASSERT_EQUAL(expired_sessions("expired_sessions = \"keep\"\n"),
		LBP_EXPIRED_KEEP);
}

void suite_config_keys(void)
{
	CU_pSuite suite = CU_add_suite("config_keys", NULL, NULL);

	CU_add_test(suite, "[RLD-20] sessions of expired certificates",
		sessions_of_expired_certificates);
	CU_add_test(suite,
		"[CFG-12][CFG-20][CFG-21][CFG-22][CFG-23][CFG-25][CFG-26]"
		"[CFG-27][CFG-29][CFG-30] each key has its type",
		other_types);
	CU_add_test(suite, "[CFG-12] times are no texts", times_are_no_texts);
	CU_add_test(
		suite, "[CFG-12][CFG-24] each table is a table", other_tables);
	CU_add_test(suite,
		"[CFG-11][CFG-21][CFG-24][CFG-27][CFG-29] each required key is",
		required);
	CU_add_test(suite, "[CFG-10] each table has its keys", unknown);
	CU_add_test(suite,
		"[CFG-12][CFG-20][CFG-25][CFG-26][CFG-27] each least value",
		too_little);
	CU_add_test(suite,
		"[CFG-12][CFG-20][CFG-25][CFG-26][CFG-27] each largest value",
		too_much);
	CU_add_test(suite, "[CFG-24] no app is not enough", no_app);
	CU_add_test(
		suite, "[CFG-14][CFG-28] what goes with which url", url_keys);
	CU_add_test(suite, "[CFG-12][CFG-14] what is no id is not twice",
		other_ids);
	CU_add_test(suite,
		"[CFG-20][CFG-21][CFG-22][CFG-23][CFG-24][CFG-25][CFG-26]"
		"[CFG-27][CFG-29][CFG-30] each key is stored",
		each_key_is_stored);
}
