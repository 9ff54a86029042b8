#include "config_text.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_NS UINT64_C(1000000000)

struct writer {
	FILE *out;
	enum config_style style;
	unsigned depth; /* inline tables that are open */
	bool first;     /* nothing stands in the innermost one */
};

/* --- values ------------------------------------------------------------- */

/* One character of a text that is known to be UTF-8. */
static uint32_t take_character(const char **text)
{
	const unsigned char *at = (const unsigned char *)*text;
	unsigned more = at[0] < 0xc0   ? 0
			: at[0] < 0xe0 ? 1
			: at[0] < 0xf0 ? 2
				       : 3;
	uint32_t code = more == 0 ? at[0] : at[0] & (0x3fu >> more);

	for (unsigned i = 1; i <= more; i++)
		code = code << 6 | (at[i] & 0x3f);
	*text += 1 + more;
	return code;
}

static void put_escaped(struct writer *writer, const char *text)
{
	fputc('"', writer->out);
	while (*text != '\0') {
		uint32_t code = take_character(&text);

		if (code >= '-' && code <= 'z' && code != '\\')
			fputc((int)code, writer->out);
		else if (code <= 0xffff)
			fprintf(writer->out, "\\u%04X", code);
		else
			fprintf(writer->out, "\\U%08X", code);
	}
	fputc('"', writer->out);
}

static void put_string(struct writer *writer, const char *text)
{
	if (writer->style == CONFIG_DENSE && strchr(text, '\'') == NULL &&
		strlen(text) % 2 == 0) {
		fprintf(writer->out, "'%s'", text);
		return;
	}
	if (writer->style == CONFIG_DENSE) {
		put_escaped(writer, text);
		return;
	}
	fputc('"', writer->out);
	for (; *text != '\0'; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', writer->out);
		fputc(*text, writer->out);
	}
	fputc('"', writer->out);
}

/* In milliseconds, or in the largest unit; 0 is off. */
static void put_duration(struct writer *writer, uint64_t ns)
{
	static const struct {
		uint64_t ns;
		const char *name;
	} units[] = {{3600 * SECOND_NS, "h"}, {60 * SECOND_NS, "m"},
		{SECOND_NS, "s"}, {SECOND_NS / 1000, "ms"}};
	unsigned i = writer->style == CONFIG_DENSE ? 0 : 3;

	if (ns == 0) {
		put_string(writer, "off");
		return;
	}
	while (i < 3 && ns % units[i].ns != 0)
		i++;
	fprintf(writer->out, "\"%llu%s\"",
		(unsigned long long)(ns / units[i].ns), units[i].name);
}

/* As a basic string: an id may have what others do not. */
static void put_serial(struct writer *writer, const struct lbp_config *config,
	const struct lbp_config_serial *listed)
{
	const struct lbp_serial *serial = &listed->serial;
	const char *id = config->cas[listed->ca].id.ptr;

	fputc('"', writer->out);
	/* Without an id it is the first one's. */
	if (id != NULL && (listed->ca > 0 || writer->style == CONFIG_PLAIN))
		fprintf(writer->out, "%s/", id);
	for (unsigned i = 0; i < serial->len; i++) {
		if (writer->style == CONFIG_DENSE)
			fprintf(writer->out, "%02x", serial->octets[i]);
		else
			fprintf(writer->out, "%s%02X", i > 0 ? ":" : "",
				serial->octets[i]);
	}
	fputc('"', writer->out);
}

static void put_address(struct writer *writer, const char *scheme,
	const struct lbp_config_address *address)
{
	char text[512];
	const char *format =
		strchr(address->host, ':') != NULL ? "%s[%s]:%u" : "%s%s:%u";

	snprintf(text, sizeof(text), format, scheme, address->host,
		address->port);
	put_string(writer, text);
}

/* --- keys and tables ---------------------------------------------------- */

static void put_key(struct writer *writer, const char *key)
{
	if (writer->depth == 0)
		fputc('\n', writer->out);
	else if (!writer->first)
		fputs(", ", writer->out);
	writer->first = false;
	fprintf(writer->out, "%s = ", key);
}

/* A table by itself, or the one after i others of an array. */
static void open_table(
	struct writer *writer, const char *path, size_t i, bool is_item)
{
	const char *key = strrchr(path, '.');

	if (writer->style == CONFIG_PLAIN) {
		fprintf(writer->out, is_item ? "\n\n[[%s]]" : "\n\n[%s]", path);
		return;
	}
	if (i > 0)
		fputs(", ", writer->out);
	else
		put_key(writer, key != NULL ? key + 1 : path);
	fputs(is_item && i == 0 ? "[{" : "{", writer->out);
	writer->depth++;
	writer->first = true;
}

static void close_table(struct writer *writer, bool is_last_item)
{
	if (writer->style == CONFIG_PLAIN)
		return;
	fputs(is_last_item ? "}]" : "}", writer->out);
	writer->depth--;
	writer->first = false;
}

static bool is_left_out(const struct writer *writer, bool is_default)
{
	return is_default && writer->style == CONFIG_DENSE;
}

static void write_number(struct writer *writer, const char *key, uint32_t value,
	uint32_t otherwise)
{
	if (is_left_out(writer, value == otherwise))
		return;
	put_key(writer, key);
	fprintf(writer->out, "%u", value);
}

static void write_bool(
	struct writer *writer, const char *key, bool value, bool otherwise)
{
	if (is_left_out(writer, value == otherwise))
		return;
	put_key(writer, key);
	fputs(value ? "true" : "false", writer->out);
}

static void write_duration(struct writer *writer, const char *key, uint64_t ns,
	uint64_t otherwise_ns)
{
	if (is_left_out(writer, ns == otherwise_ns))
		return;
	put_key(writer, key);
	put_duration(writer, ns);
}

/* By default there is none, and none is no "off". */
static void write_delay(struct writer *writer, const char *key, uint64_t ns)
{
	if (ns != 0)
		write_duration(writer, key, ns, 0);
	else if (!is_left_out(writer, true)) {
		put_key(writer, key);
		put_string(writer, "0s");
	}
}

static void write_name(struct writer *writer, const char *key,
	const char *const *names, unsigned value, unsigned otherwise)
{
	if (is_left_out(writer, value == otherwise))
		return;
	put_key(writer, key);
	put_string(writer, names[value]);
}

static void write_text(struct writer *writer, const char *key,
	const struct lbp_config_text *text)
{
	if (text->ptr == NULL)
		return;
	put_key(writer, key);
	put_string(writer, text->ptr);
}

/* --- the configuration -------------------------------------------------- */

static void write_server(struct writer *writer, const struct lbp_config *config)
{
	static const char *const loops[] = {"auto", "select", "epoll"};

	open_table(writer, "server", 0, false);
	/* No value stands for the number of CPUs. */
	if (config->workers != 0)
		write_number(writer, "workers", config->workers, 0);
	write_name(writer, "event_loop", loops, config->event_loop,
		LBP_EVENT_LOOP_AUTO);
	write_number(writer, "max_connections", config->max_connections, 400);
	write_number(writer, "max_handshakes", config->max_handshakes, 256);
	if (config->admin.host != NULL) {
		put_key(writer, "admin");
		put_address(writer, "", &config->admin);
	}
	write_duration(writer, "watch", config->watch_ns, 0);
	close_table(writer, false);
}

static void write_ca(
	struct writer *writer, const struct lbp_config *config, size_t i)
{
	const struct lbp_config_ca *ca = &config->cas[i];

	open_table(writer, "tls.client_ca", i, true);
	write_text(writer, "id", &ca->id);
	write_text(writer, "file", &ca->file);
	write_text(writer, "crl", &ca->crl);
	write_bool(writer, "chain", ca->chain, false);
	close_table(writer, i + 1 == config->ca_len);
}

static void write_tls(struct writer *writer, const struct lbp_config *config)
{
	static const char *const versions[] = {"1.2", "1.3"};
	static const char *const expired[] = {"close", "keep"};

	open_table(writer, "tls", 0, false);
	write_text(writer, "certificate", &config->certificate);
	write_text(writer, "private_key", &config->private_key);
	if (config->cas[0].id.ptr == NULL) {
		write_text(writer, "client_ca", &config->cas[0].file);
		write_text(writer, "crl", &config->cas[0].crl);
	}
	write_name(writer, "min_version", versions, config->min_version,
		LBP_TLS_1_2);
	write_name(writer, "expired_sessions", expired,
		config->expired_sessions, LBP_EXPIRED_CLOSE);
	write_text(writer, "ciphers", &config->ciphers);
	write_text(writer, "ciphersuites", &config->ciphersuites);
	if (writer->style == CONFIG_PLAIN ||
		strcmp(config->groups.ptr, "X25519:P-256") != 0)
		write_text(writer, "groups", &config->groups);
	for (size_t i = 0; config->cas[0].id.ptr != NULL && i < config->ca_len;
		i++)
		write_ca(writer, config, i);
	close_table(writer, false);
}

static void write_timeouts(struct writer *writer,
	const struct lbp_config_timeouts *timeouts,
	const struct lbp_config_timeouts *otherwise)
{
	write_duration(
		writer, "connect", timeouts->connect_ns, otherwise->connect_ns);
	write_duration(writer, "idle", timeouts->idle_ns, otherwise->idle_ns);
	write_duration(writer, "lifetime", timeouts->lifetime_ns,
		otherwise->lifetime_ns);
}

static void write_log_and_timeouts(
	struct writer *writer, const struct lbp_config *config)
{
	static const char *const levels[] = {"error", "warn", "info", "debug"};

	open_table(writer, "log", 0, false);
	write_name(writer, "level", levels, config->log_level, LBP_LOG_INFO);
	close_table(writer, false);
	open_table(writer, "timeouts", 0, false);
	write_duration(
		writer, "handshake", config->handshake_ns, 5 * SECOND_NS);
	write_timeouts(writer, &config->timeouts,
		&(struct lbp_config_timeouts){
			3 * SECOND_NS, 600 * SECOND_NS, 0});
	write_duration(
		writer, "keepalive", config->keepalive_ns, 60 * SECOND_NS);
	write_duration(writer, "resolve", config->resolve_ns, 30 * SECOND_NS);
	write_delay(writer, "drain_delay", config->drain_delay_ns);
	write_duration(writer, "drain", config->drain_ns, 30 * SECOND_NS);
	close_table(writer, false);
}

/* Nothing stands for no cap and for no rate. */
static void write_limits(struct writer *writer, const struct lbp_limits *limits,
	const struct lbp_limits *otherwise)
{
	if (limits->concurrent != 0)
		write_number(writer, "concurrent", limits->concurrent,
			otherwise->concurrent);
	if (limits->connections != 0)
		write_number(writer, "connections", limits->connections,
			otherwise->connections);
	write_duration(
		writer, "window", limits->window_ns, otherwise->window_ns);
}

static void write_upstream(
	struct writer *writer, const struct lbp_config_upstream *upstream)
{
	bool named =
		upstream->server_name.ptr != NULL &&
		strcmp(upstream->server_name.ptr, upstream->address.host) != 0;

	put_key(writer, "url");
	if (upstream->is_unix)
		put_string(writer, upstream->url.ptr);
	else
		put_address(writer, upstream->tls ? "tls://" : "tcp://",
			&upstream->address);
	write_number(writer, "weight", upstream->weight, 1);
	write_number(writer, "max_connections", upstream->max_connections, 0);
	write_bool(writer, "backup", upstream->backup, false);
	write_text(writer, "ca", &upstream->ca);
	if (!is_left_out(writer, !named))
		write_text(writer, "server_name", &upstream->server_name);
	write_text(writer, "certificate", &upstream->certificate);
	write_text(writer, "private_key", &upstream->private_key);
}

static void write_health(
	struct writer *writer, const struct lbp_health_options *health)
{
	open_table(writer, "app.health", 0, false);
	write_bool(writer, "enabled", health->enabled, true);
	write_duration(writer, "interval", health->interval_ns, 2 * SECOND_NS);
	write_duration(writer, "timeout", health->timeout_ns, SECOND_NS);
	write_number(writer, "rise", health->rise, 2);
	write_number(writer, "fall", health->fall, 3);
	close_table(writer, false);
}

static void put_network(
	struct writer *writer, const struct lbp_network *network)
{
	bool is_v4 = network->bits >= 96 && lbp_ip_is_v4(&network->ip);
	char ip[INET6_ADDRSTRLEN], text[INET6_ADDRSTRLEN + 4];

	inet_ntop(is_v4 ? AF_INET : AF_INET6,
		network->ip.octets + (is_v4 ? 12 : 0), ip, sizeof(ip));
	snprintf(text, sizeof(text), network->bits == 128 ? "%s" : "%s/%d", ip,
		network->bits - (is_v4 ? 96 : 0));
	put_string(writer, text);
}

static void write_networks(
	struct writer *writer, const struct lbp_config_app *app)
{
	if (is_left_out(writer, app->accept_proxy_len == 0))
		return;
	put_key(writer, "accept_proxy");
	fputs("[", writer->out);
	for (size_t i = 0; i < app->accept_proxy_len; i++) {
		fputs(i == 0 ? "" : ", ", writer->out);
		put_network(writer, &app->accept_proxy[i]);
	}
	fputs("]", writer->out);
}

static void write_alpn(struct writer *writer, const struct lbp_alpn *alpn)
{
	char name[LBP_ALPN_BYTES_MAX + 1];

	if (is_left_out(writer, alpn->len == 0))
		return;
	put_key(writer, "alpn");
	fputs("[", writer->out);
	for (size_t at = 0; at < alpn->len; at += 1 + (size_t)alpn->list[at]) {
		snprintf(name, sizeof(name), "%.*s", (int)alpn->list[at],
			(const char *)alpn->list + at + 1);
		fputs(at == 0 ? "" : ", ", writer->out);
		put_string(writer, name);
	}
	fputs("]", writer->out);
}

static void write_app(struct writer *writer, const struct lbp_config *config,
	const struct lbp_config_app *app)
{
	static const char *const ends[] = {"reset", "end"};
	const struct lbp_limits none = {0, 0, 60 * SECOND_NS};

	write_text(writer, "id", &app->id);
	put_key(writer, "listen");
	for (size_t i = 0; i < app->listen_len; i++) {
		fputs(i == 0 ? "[" : ", ", writer->out);
		put_address(writer, "", &app->listen[i]);
	}
	fputs("]", writer->out);
	write_bool(writer, "proxy_protocol", app->proxy_protocol, false);
	write_networks(writer, app);
	write_alpn(writer, &app->alpn);
	write_name(writer, "unclean_end", ends, app->unclean_end,
		LBP_UNCLEAN_RESET);
	open_table(writer, "app.timeouts", 0, false);
	write_timeouts(writer, &app->timeouts, &config->timeouts);
	close_table(writer, false);
	open_table(writer, "app.limits", 0, false);
	write_limits(writer, &app->limits, &none);
	close_table(writer, false);
	write_health(writer, &app->health);
	for (size_t i = 0; i < app->upstream_len; i++) {
		open_table(writer, "app.upstream", i, true);
		write_upstream(writer, &app->upstreams[i]);
		close_table(writer, i + 1 == app->upstream_len);
	}
}

static void write_grant_limits(struct writer *writer,
	const struct lbp_config *config, const struct lbp_config_grant *grant)
{
	const struct lbp_config_app *app = &config->apps[grant->app];
	char path[LBP_ID_MAX + 32];

	/* An id may have points of its own, after the last of which a key in
	 * an inline table would begin. */
	if (writer->style == CONFIG_DENSE) {
		fputs(writer->first ? "" : ", ", writer->out);
		put_escaped(writer, app->id.ptr);
		fputs(" = {", writer->out);
		writer->depth++;
		writer->first = true;
	} else {
		snprintf(path, sizeof(path), "client.limits.\"%s\"",
			app->id.ptr);
		open_table(writer, path, 0, false);
	}
	write_limits(writer, &grant->limits, &app->limits);
	close_table(writer, false);
}

static void write_list(struct writer *writer, const char *key,
	const struct lbp_config_text *texts, size_t len)
{
	if (is_left_out(writer, len == 0))
		return;
	put_key(writer, key);
	fputs("[", writer->out);
	for (size_t i = 0; i < len; i++) {
		fputs(i == 0 ? "" : ", ", writer->out);
		put_string(writer, texts[i].ptr);
	}
	fputs("]", writer->out);
}

static void write_client(struct writer *writer, const struct lbp_config *config,
	const struct lbp_config_client *client)
{
	write_text(writer, "id", &client->id);
	if (!is_left_out(writer, client->serial_len == 0)) {
		put_key(writer, "serials");
		fputs("[", writer->out);
		for (size_t i = 0; i < client->serial_len; i++) {
			fputs(i == 0 ? "" : ", ", writer->out);
			put_serial(writer, config, &client->serials[i]);
		}
		fputs("]", writer->out);
	}
	write_list(writer, "uris", client->uris, client->uri_len);
	write_list(writer, "dns", client->dns, client->dns_len);
	put_key(writer, "apps");
	for (size_t i = 0; i < client->grant_len; i++) {
		uint32_t app = client->grants[i].app;

		fputs(i == 0 ? "[" : ", ", writer->out);
		put_string(writer, config->apps[app].id.ptr);
	}
	fputs("]", writer->out);
	open_table(writer, "client.limits", 0, false);
	for (size_t i = 0; i < client->grant_len; i++)
		write_grant_limits(writer, config, &client->grants[i]);
	close_table(writer, false);
}

static void write_clients(struct writer *writer,
	const struct lbp_config *config, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++) {
		open_table(writer, "client", i, true);
		write_client(writer, config, &config->clients[i]);
		close_table(writer, i + 1 == to);
	}
}

static void write_own(struct writer *writer, const struct lbp_config *config)
{
	write_server(writer, config);
	write_tls(writer, config);
	write_log_and_timeouts(writer, config);
	for (size_t i = 0; i < config->app_len; i++) {
		open_table(writer, "app", i, true);
		write_app(writer, config, &config->apps[i]);
		close_table(writer, i + 1 == config->app_len);
	}
}

static void begin_text(struct writer *writer, enum config_style style,
	char **text, size_t *len)
{
	*writer = (struct writer){open_memstream(text, len), style, 0, true};
	if (writer->out == NULL)
		abort();
}

static void end_text(struct writer *writer)
{
	fputc('\n', writer->out);
	if (fclose(writer->out) != 0)
		abort();
}

static void write_includes(
	struct writer *writer, const struct lbp_config *config)
{
	write_list(writer, "include", config->includes, config->include_len);
}

char *config_text_write(
	const struct lbp_config *config, enum config_style style, size_t *len)
{
	struct writer writer;
	char *text = NULL;

	begin_text(&writer, style, &text, len);
	write_includes(&writer, config);
	if (style == CONFIG_DENSE)
		write_clients(&writer, config, 0, config->client_len);
	write_own(&writer, config);
	if (style == CONFIG_PLAIN)
		write_clients(&writer, config, 0, config->client_len);
	end_text(&writer);
	return text;
}

char *config_text_write_own(const struct lbp_config *config, size_t *len)
{
	struct writer writer;
	char *text = NULL;

	begin_text(&writer, CONFIG_PLAIN, &text, len);
	write_includes(&writer, config);
	write_own(&writer, config);
	end_text(&writer);
	return text;
}

char *config_text_write_clients(
	const struct lbp_config *config, size_t from, size_t to, size_t *len)
{
	struct writer writer;
	char *text = NULL;

	begin_text(&writer, CONFIG_PLAIN, &text, len);
	write_clients(&writer, config, from, to);
	end_text(&writer);
	return text;
}
