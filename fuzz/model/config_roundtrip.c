#include "config_roundtrip.h"

#include <stdlib.h>
#include <string.h>

#include "config_text.h"
#include "oracle.h"

static bool is_same_text(
	const struct lbp_config_text *a, const struct lbp_config_text *b)
{
	if (a->ptr == NULL || b->ptr == NULL)
		return a->ptr == b->ptr;
	return strcmp(a->ptr, b->ptr) == 0;
}

static bool is_same_address(
	const struct lbp_config_address *a, const struct lbp_config_address *b)
{
	if (a->host == NULL || b->host == NULL)
		return a->host == b->host;
	return strcmp(a->host, b->host) == 0 && a->port == b->port;
}

static bool is_same_limits(
	const struct lbp_limits *a, const struct lbp_limits *b)
{
	return a->concurrent == b->concurrent &&
	       a->connections == b->connections && a->window_ns == b->window_ns;
}

static void compare_upstream(const struct lbp_config_upstream *got,
	const struct lbp_config_upstream *want)
{
	ORACLE("CFG-6",
		got->tls == want->tls && got->is_unix == want->is_unix &&
			is_same_address(&got->address, &want->address),
		"%s is read as another address", want->address.host);
	ORACLE("CFG-6", is_same_text(&got->url, &want->url),
		"another url: %s, not %s", got->url.ptr, want->url.ptr);
	ORACLE("CFG-27", got->weight == want->weight, "weight %u, not %u",
		got->weight, want->weight);
	ORACLE("CFG-66",
		got->max_connections == want->max_connections &&
			got->backup == want->backup,
		"at most %u connections, not %u; a backup: %d",
		got->max_connections, want->max_connections, got->backup);
	ORACLE("CFG-27",
		is_same_text(&got->ca, &want->ca) &&
			is_same_text(&got->server_name, &want->server_name) &&
			is_same_text(&got->certificate, &want->certificate) &&
			is_same_text(&got->private_key, &want->private_key),
		"another text of upstream %s", want->url.ptr);
}

static void compare_health(const struct lbp_health_options *got,
	const struct lbp_health_options *want)
{
	ORACLE("CFG-26",
		got->enabled == want->enabled &&
			got->interval_ns == want->interval_ns &&
			got->timeout_ns == want->timeout_ns &&
			got->rise == want->rise && got->fall == want->fall,
		"other health options: interval %llu ns, timeout %llu ns, "
		"rise %u, fall %u",
		(unsigned long long)got->interval_ns,
		(unsigned long long)got->timeout_ns, got->rise, got->fall);
}

static void compare_networks(
	const struct lbp_config_app *got, const struct lbp_config_app *want)
{
	ORACLE("CFG-24", got->accept_proxy_len == want->accept_proxy_len,
		"%zu networks instead of %zu", got->accept_proxy_len,
		want->accept_proxy_len);
	for (size_t i = 0; i < want->accept_proxy_len; i++) {
		const struct lbp_network *a = &got->accept_proxy[i];
		const struct lbp_network *b = &want->accept_proxy[i];

		ORACLE("PRX-12",
			a->bits == b->bits &&
				memcmp(&a->ip, &b->ip, sizeof(a->ip)) == 0,
			"another network of %u bits", a->bits);
	}
}

static void compare_app(
	const struct lbp_config_app *got, const struct lbp_config_app *want)
{
	ORACLE("CFG-24", is_same_text(&got->id, &want->id),
		"app %s instead of %s", got->id.ptr, want->id.ptr);
	ORACLE("CFG-24", got->listen_len == want->listen_len,
		"%zu addresses instead of %zu", got->listen_len,
		want->listen_len);
	for (size_t i = 0; i < want->listen_len; i++)
		ORACLE("CFG-5",
			is_same_address(&got->listen[i], &want->listen[i]),
			"%s:%u instead of %s:%u", got->listen[i].host,
			got->listen[i].port, want->listen[i].host,
			want->listen[i].port);
	ORACLE("CFG-24", got->proxy_protocol == want->proxy_protocol,
		"proxy_protocol %d", got->proxy_protocol);
	compare_networks(got, want);
	ORACLE("CFG-24", got->unclean_end == want->unclean_end,
		"unclean_end %d instead of %d", (int)got->unclean_end,
		(int)want->unclean_end);
	ORACLE("CFG-63",
		got->alpn.len == want->alpn.len &&
			memcmp(got->alpn.list, want->alpn.list,
				want->alpn.len) == 0,
		"other protocols of app %s", want->id.ptr);
	ORACLE("CFG-61",
		got->timeouts.connect_ns == want->timeouts.connect_ns &&
			got->timeouts.idle_ns == want->timeouts.idle_ns &&
			got->timeouts.lifetime_ns == want->timeouts.lifetime_ns,
		"other timeouts of app %s", want->id.ptr);
	ORACLE("CFG-25", is_same_limits(&got->limits, &want->limits),
		"other limits of app %s", want->id.ptr);
	compare_health(&got->health, &want->health);
	ORACLE("CFG-27", got->upstream_len == want->upstream_len,
		"%zu upstreams instead of %zu", got->upstream_len,
		want->upstream_len);
	for (size_t i = 0; i < want->upstream_len; i++)
		compare_upstream(&got->upstreams[i], &want->upstreams[i]);
}

static bool is_same_list(const struct lbp_config_text *a, size_t a_len,
	const struct lbp_config_text *b, size_t b_len)
{
	if (a_len != b_len)
		return false;
	for (size_t i = 0; i < a_len; i++) {
		if (!is_same_text(&a[i], &b[i]))
			return false;
	}
	return true;
}

static void compare_client(const struct lbp_config_client *got,
	const struct lbp_config_client *want)
{
	ORACLE("CFG-29", is_same_text(&got->id, &want->id),
		"client %s instead of %s", got->id.ptr, want->id.ptr);
	ORACLE("CFG-29", got->serial_len == want->serial_len,
		"%zu serials instead of %zu", got->serial_len,
		want->serial_len);
	for (size_t i = 0; i < want->serial_len; i++)
		ORACLE("CFG-9",
			lbp_serial_compare(&got->serials[i].serial,
				&want->serials[i].serial) == 0 &&
				got->serials[i].ca == want->serials[i].ca,
			"serial %zu of client %s is another one", i,
			want->id.ptr);
	ORACLE("CFG-90",
		is_same_list(
			got->uris, got->uri_len, want->uris, want->uri_len),
		"other URIs of client %s", want->id.ptr);
	ORACLE("CFG-91",
		is_same_list(got->dns, got->dns_len, want->dns, want->dns_len),
		"other DNS names of client %s", want->id.ptr);
	ORACLE("CFG-29", got->grant_len == want->grant_len,
		"%zu apps instead of %zu", got->grant_len, want->grant_len);
	for (size_t i = 0; i < want->grant_len; i++) {
		ORACLE("CFG-31", got->grants[i].app == want->grants[i].app,
			"app %u instead of %u", got->grants[i].app,
			want->grants[i].app);
		ORACLE("CFG-30",
			is_same_limits(&got->grants[i].limits,
				&want->grants[i].limits),
			"other limits of client %s, app %u", want->id.ptr,
			want->grants[i].app);
	}
}

static void compare_cas(
	const struct lbp_config *got, const struct lbp_config *want)
{
	ORACLE("CFG-21", got->ca_len == want->ca_len, "%zu CAs instead of %zu",
		got->ca_len, want->ca_len);
	for (size_t i = 0; i < want->ca_len; i++)
		ORACLE("CFG-21",
			is_same_text(&got->cas[i].id, &want->cas[i].id) &&
				is_same_text(&got->cas[i].file,
					&want->cas[i].file) &&
				is_same_text(
					&got->cas[i].crl, &want->cas[i].crl) &&
				got->cas[i].chain == want->cas[i].chain,
			"another CA than %s", want->cas[i].file.ptr);
}

static void compare_tls(
	const struct lbp_config *got, const struct lbp_config *want)
{
	ORACLE("CFG-21",
		is_same_text(&got->certificate, &want->certificate) &&
			is_same_text(&got->private_key, &want->private_key),
		"another path");
	compare_cas(got, want);
	ORACLE("CFG-21", got->min_version == want->min_version,
		"TLS version %d instead of %d", (int)got->min_version,
		(int)want->min_version);
	ORACLE("RLD-20", got->expired_sessions == want->expired_sessions,
		"expired sessions: %d", (int)got->expired_sessions);
	ORACLE("CFG-21",
		is_same_text(&got->ciphers, &want->ciphers) &&
			is_same_text(&got->ciphersuites, &want->ciphersuites) &&
			is_same_text(&got->groups, &want->groups),
		"other ciphers or groups");
}

void config_compare(const struct lbp_config *got, const struct lbp_config *want)
{
	ORACLE("CFG-20", got->workers == want->workers,
		"%u workers instead of %u", got->workers, want->workers);
	ORACLE("CFG-20",
		got->event_loop == want->event_loop &&
			got->max_connections == want->max_connections &&
			got->max_handshakes == want->max_handshakes,
		"event loop %d, %u connections, %u handshakes",
		(int)got->event_loop, got->max_connections,
		got->max_handshakes);
	ORACLE("CFG-20", is_same_address(&got->admin, &want->admin),
		"another address for admin");
	ORACLE("WAT-6", got->watch_ns == want->watch_ns, "another watch");
	compare_tls(got, want);
	ORACLE("CFG-22", got->log_level == want->log_level,
		"log level %d instead of %d", (int)got->log_level,
		(int)want->log_level);
	ORACLE("CFG-23",
		got->handshake_ns == want->handshake_ns &&
			got->timeouts.connect_ns == want->timeouts.connect_ns &&
			got->timeouts.idle_ns == want->timeouts.idle_ns &&
			got->drain_ns == want->drain_ns,
		"other timeouts");
	ORACLE("CFG-60",
		got->timeouts.lifetime_ns == want->timeouts.lifetime_ns,
		"another lifetime");
	ORACLE("CFG-64", got->drain_delay_ns == want->drain_delay_ns,
		"another delay");
	ORACLE("CFG-62", got->keepalive_ns == want->keepalive_ns,
		"another keepalive");
	ORACLE("SRV-143", got->resolve_ns == want->resolve_ns,
		"another resolve");
	ORACLE("CFG-24", got->app_len == want->app_len,
		"%zu apps instead of %zu", got->app_len, want->app_len);
	for (size_t i = 0; i < want->app_len; i++)
		compare_app(&got->apps[i], &want->apps[i]);
	ORACLE("CFG-29", got->client_len == want->client_len,
		"%zu clients instead of %zu", got->client_len,
		want->client_len);
	for (size_t i = 0; i < want->client_len; i++)
		compare_client(&got->clients[i], &want->clients[i]);
}

static void compare(const struct lbp_config *got, const struct lbp_config *want)
{
	ORACLE("CFG-70",
		is_same_list(got->includes, got->include_len, want->includes,
			want->include_len),
		"other files are included");
	config_compare(got, want);
}

/* --- places ------------------------------------------------------------- */

/* Is a place in a plain text that of the value of a key? */
static bool is_at_value(
	const char *text, struct lbp_config_pos pos, const char *key)
{
	size_t key_len = strlen(key);

	for (uint32_t line = 1; line < pos.line; line++) {
		text = strchr(text, '\n');
		if (text == NULL)
			return false;
		text++;
	}
	return strncmp(text, key, key_len) == 0 &&
	       strncmp(text + key_len, " = ", 3) == 0 &&
	       pos.column == key_len + 4;
}

static void check_path_place(
	const char *text, const struct lbp_config_text *path, const char *key)
{
	ORACLE("SRV-3", path->ptr == NULL || is_at_value(text, path->pos, key),
		"%s is at %u:%u", key, path->pos.line, path->pos.column);
}

static void check_app_places(const struct lbp_config_app *app, const char *text)
{
	for (size_t i = 0; i < app->upstream_len; i++) {
		const struct lbp_config_upstream *upstream = &app->upstreams[i];

		check_path_place(text, &upstream->ca, "ca");
		check_path_place(text, &upstream->certificate, "certificate");
		check_path_place(text, &upstream->private_key, "private_key");
	}
}

static void check_places(const struct lbp_config *config, const char *text)
{
	ORACLE("SRV-22",
		is_at_value(text, config->event_loop_pos, "event_loop"),
		"event_loop is at %u:%u", config->event_loop_pos.line,
		config->event_loop_pos.column);
	ORACLE("CFG-40",
		config->admin.host == NULL ||
			is_at_value(text, config->admin.pos, "admin"),
		"admin is at %u:%u", config->admin.pos.line,
		config->admin.pos.column);
	check_path_place(text, &config->certificate, "certificate");
	check_path_place(text, &config->private_key, "private_key");
	for (size_t i = 0; i < config->ca_len; i++) {
		const struct lbp_config_ca *ca = &config->cas[i];

		check_path_place(text, &ca->id, "id");
		check_path_place(text, &ca->file,
			ca->id.ptr != NULL ? "file" : "client_ca");
		check_path_place(text, &ca->crl, "crl");
	}
	check_path_place(text, &config->ciphers, "ciphers");
	check_path_place(text, &config->ciphersuites, "ciphersuites");
	check_path_place(text, &config->groups, "groups");
	for (size_t i = 0; i < config->app_len; i++)
		check_app_places(&config->apps[i], text);
}

/* --- the round trip ----------------------------------------------------- */

static void write_and_read(
	const struct lbp_config *config, enum config_style style)
{
	struct lbp_config_errors errors;
	struct lbp_config *again;
	size_t len;
	char *text = config_text_write(config, style, &len);
	enum lbp_err err = lbp_config_parse(text, len, &again, &errors);

	ORACLE("CFG-2", err == LBP_OK, "%u:%u: %s in\n%s",
		errors.len > 0 ? errors.items[0].pos.line : 0,
		errors.len > 0 ? errors.items[0].pos.column : 0,
		errors.len > 0 ? errors.items[0].message : "no error", text);
	compare(again, config);
	if (style == CONFIG_PLAIN)
		check_places(again, text);
	lbp_config_free(again);
	free(text);
}

/* So many clients in each file. */
#define IN_A_FILE 2

/* Puts the clients into files of their own; not if nothing is included. */
static void write_and_read_files(const struct lbp_config *config)
{
	struct lbp_config_errors errors;
	struct lbp_config *again;
	size_t len;
	char *text = config_text_write_own(config, &len);
	struct lbp_config_reader *reader = lbp_config_begin("own", text, len);
	enum lbp_err err;

	free(text);
	if (reader == NULL)
		abort();
	for (size_t i = 0; i < config->client_len; i += IN_A_FILE) {
		size_t to = i + IN_A_FILE;

		if (to > config->client_len)
			to = config->client_len;
		text = config_text_write_clients(config, i, to, &len);
		lbp_config_add(reader, 0, "file", text, len);
		free(text);
	}
	err = lbp_config_end(reader, &again, &errors);
	ORACLE("CFG-72", err == LBP_OK, "in files: file %u, %u:%u: %s",
		errors.len > 0 ? errors.items[0].pos.file : 0,
		errors.len > 0 ? errors.items[0].pos.line : 0,
		errors.len > 0 ? errors.items[0].pos.column : 0,
		errors.len > 0 ? errors.items[0].message : "no error");
	compare(again, config);
	for (size_t i = 0; i < again->client_len; i++)
		ORACLE("CFG-74",
			again->clients[i].id.pos.file == 1 + i / IN_A_FILE,
			"client %zu is in file %u", i,
			again->clients[i].id.pos.file);
	lbp_config_free(again);
}

void config_roundtrip(const struct lbp_config *config)
{
	if (config->include_len > 0)
		write_and_read_files(config);
	write_and_read(config, CONFIG_PLAIN);
	write_and_read(config, CONFIG_DENSE);
}
