/*
 * The configuration: any text gives a configuration that keeps every promise
 * of its header, or errors that a person can read. Written again, it is read
 * as what it was; fuzz_roundtrip.c does so with many that no text gave.
 *
 * Input: a text; or several, each after a NUL, of which the first includes the
 * others. One that begins with the character 1 could not be read.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "acl.h"
#include "core/balancer.h"
#include "model/config_roundtrip.h"
#include "oracle.h"
#include "server/config.h"
#include "server/config_show.h"
#include "server/excerpt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define HOUR_NS UINT64_C(3600000000000)

#define PARTS_MAX 8

static const char *const files[PARTS_MAX] = {
	"", "a", "b'\xc3\xa9", "c", "d\n", "e", "f\xff", "g"};

/* The texts of an input. */
struct parts {
	const uint8_t *data[PARTS_MAX];
	size_t len[PARTS_MAX];
	size_t n;
	size_t files[PARTS_MAX]; /* their numbers by those of files */
	size_t files_len;
};

static struct parts split(const uint8_t *data, size_t len)
{
	struct parts parts = {.n = 0};

	while (parts.n < PARTS_MAX) {
		const uint8_t *end = len > 0 ? memchr(data, 0, len) : NULL;
		size_t n = end != NULL ? (size_t)(end - data) : len;

		parts.data[parts.n] = data;
		parts.len[parts.n++] = n;
		if (end == NULL)
			break;
		data += n + 1;
		len -= n + 1;
	}
	return parts;
}

static void add_parts(struct lbp_config_reader *reader, struct parts *parts)
{
	size_t include_len;
	const struct lbp_config_text *includes =
		lbp_config_includes(reader, &include_len);

	for (size_t i = 1; i < parts->n && include_len > 0; i++) {
		const char *text = (const char *)parts->data[i];
		size_t include = i % include_len;

		if (includes[include].ptr == NULL)
			continue;
		if (parts->len[i] > 0 && text[0] == 1) {
			lbp_config_reject_include(
				reader, include, files[i], "is gone");
			continue;
		}
		parts->files[parts->files_len++] = i;
		lbp_config_add(reader, include, files[i], text, parts->len[i]);
	}
}

static enum lbp_err read_parts(struct parts *parts, struct lbp_config **config,
	struct lbp_config_errors *errors)
{
	const char *text = (const char *)parts->data[0];
	struct lbp_config_reader *reader;

	parts->files_len = 1;
	if (parts->n == 1)
		return lbp_config_parse(text, parts->len[0], config, errors);
	reader = lbp_config_begin("own", text, parts->len[0]);
	if (reader == NULL)
		abort();
	add_parts(reader, parts);
	return lbp_config_end(reader, config, errors);
}

/* Is a place at a character of the text, or right behind the last one? */
static bool is_inside(
	struct lbp_config_pos pos, const uint8_t *data, size_t len)
{
	uint32_t line = 1;
	uint32_t column = 1;

	for (size_t i = 0; line <= pos.line; i++) {
		if (line == pos.line && column == pos.column)
			return true;
		if (i == len)
			return false;
		if (data[i] == '\n') {
			line++;
			column = 1;
		} else if ((data[i] & 0xc0) != 0x80 || i == 0) {
			column++;
		} else {
			/* A stray continuation byte may be a character. */
			column += pos.column > column;
		}
	}
	return false;
}

static void check_message(const char *text)
{
	size_t len = strlen(text);

	ORACLE("CFG-13", len > 0 && len < 512, "%zu characters", len);
	for (size_t i = 0; i < len; i++)
		ORACLE("CFG-13", text[i] >= 0x20 && text[i] < 0x7f,
			"byte %zu is %d", i, text[i]);
}

/* What is shown of the texts with errors. */
struct shown {
	struct lbp_excerpts excerpts;
	uint32_t file;
};

static void check_excerpt(struct shown *shown, const struct parts *parts,
	const struct lbp_config_error *error)
{
	size_t part = parts->files[error->pos.file];
	struct lbp_excerpt out;

	if (shown->excerpts.text == NULL || shown->file != error->pos.file)
		lbp_excerpts_init(&shown->excerpts,
			(const char *)parts->data[part], parts->len[part]);
	shown->file = error->pos.file;
	ORACLE("CFG-100",
		lbp_excerpts_cut(&shown->excerpts, error->pos.line,
			error->pos.column, &out),
		"%u:%u is not found", error->pos.line, error->pos.column);
	ORACLE("CFG-102",
		strlen(out.line) <= LBP_EXCERPT_MAX &&
			out.caret <= LBP_EXCERPT_BEFORE_MAX &&
			out.caret <= strlen(out.line),
		"caret %zu of %s", out.caret, out.line);
	for (size_t i = 0; out.line[i] != '\0'; i++)
		ORACLE("CFG-101", out.line[i] >= 0x20 && out.line[i] < 0x7f,
			"byte %zu is %d", i, out.line[i]);
}

static void check_errors(
	const struct lbp_config_errors *errors, const struct parts *parts)
{
	struct shown shown = {.file = 0};

	ORACLE("CFG-2", errors->len > 0, "no errors");
	for (size_t i = 0; i < errors->len; i++) {
		const struct lbp_config_error *error = &errors->items[i];
		struct lbp_config_pos pos = error->pos;
		struct lbp_config_pos before =
			errors->items[i == 0 ? 0 : i - 1].pos;

		check_message(error->message);
		ORACLE("CFG-74", pos.file < parts->files_len,
			"there is no file %u", pos.file);
		ORACLE("CFG-74", before.file <= pos.file,
			"file %u comes after file %u", pos.file, before.file);
		ORACLE("CFG-2",
			before.file < pos.file || before.line < pos.line ||
				(before.line == pos.line &&
					before.column <= pos.column),
			"error %zu is out of order", i);
		check_excerpt(&shown, parts, error);
		/* Linear in the text for each: a sample will do. */
		if (i < 16)
			ORACLE("CFG-2",
				is_inside(pos,
					parts->data[parts->files[pos.file]],
					parts->len[parts->files[pos.file]]),
				"%u:%u is outside: %s", pos.line, pos.column,
				error->message);
	}
}

static bool is_duration(uint64_t ns)
{
	return ns >= 1000000 && ns <= 8760 * HOUR_NS && ns % 1000000 == 0;
}

static bool is_timeouts(const struct lbp_config_timeouts *timeouts)
{
	return is_duration(timeouts->connect_ns) &&
	       (timeouts->idle_ns == 0 || is_duration(timeouts->idle_ns)) &&
	       (timeouts->lifetime_ns == 0 ||
		       is_duration(timeouts->lifetime_ns));
}

static void check_path(const struct lbp_config_text *text, bool required)
{
	ORACLE("CFG-8", !required || text->ptr != NULL, "a path is missing");
	if (text->ptr == NULL)
		return;
	ORACLE("CFG-8", text->ptr[0] != '\0', "a path is empty");
	ORACLE("CFG-8", text->pos.line > 0 && text->pos.column > 0,
		"a path has no place");
	for (const char *c = text->ptr; *c != '\0'; c++)
		ORACLE("CFG-8", (unsigned char)*c >= 0x20 && *c != 0x7f,
			"a path has a control character");
}

static void check_id(const struct lbp_config_text *id)
{
	size_t len;

	ORACLE("CFG-7", id->ptr != NULL, "no id");
	len = strlen(id->ptr);
	ORACLE("CFG-7", len >= 1 && len <= LBP_ID_MAX, "%zu bytes", len);
	for (size_t i = 0; i < len; i++)
		ORACLE("CFG-7",
			id->ptr[i] > ' ' && id->ptr[i] <= '~' &&
				id->ptr[i] != '"' && id->ptr[i] != '\\',
			"byte %zu is %d", i, id->ptr[i]);
}

static void check_address(const struct lbp_config_address *address)
{
	ORACLE("CFG-5", address->host != NULL, "no host");
	ORACLE("CFG-5", address->port > 0, "no port");
	ORACLE("CFG-4",
		address->host[0] != '\0' && strlen(address->host) <= 253 &&
			strpbrk(address->host, "[]/%@ \t\n") == NULL,
		"bad host");
}

static void check_alpn(const struct lbp_alpn *alpn)
{
	size_t at = 0;
	unsigned n = 0;

	for (; at < alpn->len; n++) {
		ORACLE("CFG-63", alpn->list[at] > 0, "a name of no length");
		at += 1 + (size_t)alpn->list[at];
	}
	ORACLE("CFG-63", at == alpn->len && n <= 16, "%u protocols of %u bytes",
		n, alpn->len);
}

static void check_limits(const struct lbp_limits *limits)
{
	ORACLE("CFG-25",
		limits->concurrent <= 1000000 && limits->connections <= 1000000,
		"limits out of bounds");
	ORACLE("CFG-25", is_duration(limits->window_ns), "bad window");
}

static void check_upstream(const struct lbp_config_upstream *upstream)
{
	if (upstream->is_unix) {
		size_t len = strlen(upstream->address.host);

		ORACLE("CFG-67",
			*upstream->address.host == '/' && len >= 2 &&
				len <= 107 && upstream->address.port == 0 &&
				!upstream->tls,
			"another path: %s", upstream->address.host);
		ORACLE("CFG-67", strncmp(upstream->url.ptr, "unix:/", 6) == 0,
			"a path is not what the url says");
	} else {
		check_address(&upstream->address);
		ORACLE("CFG-6",
			strncmp(upstream->url.ptr,
				upstream->tls ? "tls://" : "tcp://", 6) == 0,
			"tls is not what the url says");
	}
	ORACLE("CFG-27",
		upstream->weight >= 1 && upstream->weight <= LBP_WEIGHT_MAX,
		"weight %u", upstream->weight);
	ORACLE("CFG-28", (upstream->ca.ptr != NULL) == upstream->tls,
		"a CA does not go with the url");
	ORACLE("CFG-28", (upstream->server_name.ptr != NULL) == upstream->tls,
		"a server name does not go with the url");
	ORACLE("CFG-28",
		(upstream->certificate.ptr != NULL) ==
			(upstream->private_key.ptr != NULL),
		"half a key pair");
	check_path(&upstream->ca, upstream->tls);
	check_path(&upstream->certificate, false);
	check_path(&upstream->private_key, false);
}

static void check_app(const struct lbp_config_app *app)
{
	const struct lbp_health_options *health = &app->health;

	check_id(&app->id);
	ORACLE("CFG-24", app->listen_len >= 1, "no listen address");
	for (size_t i = 0; i < app->listen_len; i++)
		check_address(&app->listen[i]);
	check_limits(&app->limits);
	ORACLE("CFG-26",
		is_duration(health->interval_ns) &&
			is_duration(health->timeout_ns),
		"bad health durations");
	ORACLE("CFG-26",
		health->rise >= 1 && health->rise <= 1000 &&
			health->fall >= 1 && health->fall <= 1000,
		"rise %u, fall %u", health->rise, health->fall);
	check_alpn(&app->alpn);
	ORACLE("CFG-61", is_timeouts(&app->timeouts), "bad timeouts of %s",
		app->id.ptr);
	ORACLE("CFG-27",
		app->upstream_len >= 1 &&
			app->upstream_len <= LBP_UPSTREAMS_MAX,
		"%zu upstreams", app->upstream_len);
	for (size_t i = 0; i < app->upstream_len; i++)
		check_upstream(&app->upstreams[i]);
}

/* Small inputs have few of each: comparing all pairs is no burden. */
static void check_unique(const struct lbp_config *config)
{
	for (size_t i = 0; i < config->app_len; i++) {
		for (size_t j = 0; j < i; j++)
			ORACLE("CFG-44",
				strcmp(config->apps[i].id.ptr,
					config->apps[j].id.ptr) != 0,
				"two apps with one id");
	}
	for (size_t i = 0; i < config->client_len; i++) {
		for (size_t j = 0; j < i; j++)
			ORACLE("CFG-44",
				strcmp(config->clients[i].id.ptr,
					config->clients[j].id.ptr) != 0,
				"two clients with one id");
	}
}

static void check_uri(const char *uri)
{
	size_t len = strlen(uri);
	const char *colon = strchr(uri, ':');

	ORACLE("CFG-90", len <= LBP_URI_MAX && colon != NULL && colon > uri,
		"%s", uri);
	for (size_t i = 0; i < len; i++)
		ORACLE("CFG-90",
			uri[i] > ' ' && uri[i] <= '~' &&
				strchr("\"\\<>^`{|}", uri[i]) == NULL,
			"byte %zu of %s", i, uri);
}

static void check_dns(const char *dns)
{
	const char *dot = strrchr(dns, '.');

	ORACLE("CFG-91",
		dns[0] != '\0' && strlen(dns) <= LBP_DNS_MAX &&
			strpbrk(dns, "*:/ ") == NULL &&
			(dot == NULL || dot[1] != '\0'),
		"%s", dns);
}

static void check_cas(const struct lbp_config *config)
{
	ORACLE("CFG-21", config->ca_len >= 1 && config->ca_len <= LBP_CAS_MAX,
		"%zu CAs", config->ca_len);
	for (size_t i = 0; i < config->ca_len; i++) {
		const struct lbp_config_ca *ca = &config->cas[i];

		check_path(&ca->file, true);
		check_path(&ca->crl, false);
		ORACLE("CFG-94", ca->number == i, "CA %zu has another number",
			i);
		ORACLE("CFG-94", ca->id.ptr != NULL || config->ca_len == 1,
			"CA %zu has no id", i);
		if (ca->id.ptr == NULL)
			continue;
		check_id(&ca->id);
		ORACLE("CFG-94", strchr(ca->id.ptr, '/') == NULL, "id %s",
			ca->id.ptr);
	}
}

static void check_client(
	const struct lbp_config *config, const struct lbp_config_client *client)
{
	check_id(&client->id);
	ORACLE("CFG-92",
		client->serial_len + client->uri_len + client->dns_len >= 1,
		"no names");
	ORACLE("CFG-29", client->grant_len >= 1, "no apps");
	for (size_t i = 0; i < client->serial_len; i++)
		ORACLE("CFG-9",
			client->serials[i].serial.len >= 1 &&
				client->serials[i].serial.len <=
					LBP_SERIAL_MAX &&
				client->serials[i].serial.octets[0] != 0 &&
				client->serials[i].ca < config->ca_len,
			"serial %zu is not canonical", i);
	for (size_t i = 0; i < client->uri_len; i++)
		check_uri(client->uris[i].ptr);
	for (size_t i = 0; i < client->dns_len; i++)
		check_dns(client->dns[i].ptr);
	for (size_t i = 0; i < client->grant_len; i++) {
		ORACLE("CFG-31", client->grants[i].app < config->app_len,
			"a grant for no app");
		check_limits(&client->grants[i].limits);
		for (size_t j = 0; j < i; j++)
			ORACLE("CFG-44",
				client->grants[i].app != client->grants[j].app,
				"one app granted twice");
	}
}

static struct lbp_acl_name *add_names(struct lbp_acl_name *to,
	const struct lbp_config_client *client, uint32_t number)
{
	for (size_t j = 0; j < client->serial_len; j++)
		*to++ = (struct lbp_acl_name){
			lbp_name_of_issued(&client->serials[j].serial,
				client->serials[j].ca),
			number};
	for (size_t j = 0; j < client->uri_len; j++)
		*to++ = (struct lbp_acl_name){
			lbp_name_of_uri(client->uris[j].ptr), number};
	for (size_t j = 0; j < client->dns_len; j++)
		*to++ = (struct lbp_acl_name){
			lbp_name_of_dns(client->dns[j].ptr), number};
	return to;
}

/* The access list refuses a name that is listed twice. */
static void check_acl(const struct lbp_config *config)
{
	struct lbp_acl_options options;
	struct lbp_acl_name *names;
	struct lbp_acl_name *end;
	struct lbp_acl *acl;
	size_t len = 0;
	enum lbp_err err;

	for (size_t i = 0; i < config->client_len; i++)
		len += config->clients[i].serial_len +
		       config->clients[i].uri_len + config->clients[i].dns_len;
	end = names = calloc(len + 1, sizeof(*names));
	if (names == NULL)
		abort();
	for (size_t i = 0; i < config->client_len; i++)
		end = add_names(end, &config->clients[i], (uint32_t)i);
	lbp_acl_options_init(&options);
	options.names = names;
	options.name_len = len;
	options.client_len = (uint32_t)config->client_len;
	err = lbp_acl_new(&acl, &options);
	ORACLE("CFG-44", err == LBP_OK, "%s", lbp_err_text(err));
	lbp_acl_free(acl);
	free(names);
}

static void check_config(const struct lbp_config *config)
{
	ORACLE("CFG-20", config->workers <= 256, "%u workers", config->workers);
	ORACLE("CFG-20",
		config->max_connections >= 1 &&
			config->max_connections <= 1000000,
		"%u connections", config->max_connections);
	ORACLE("CFG-20",
		config->max_handshakes >= 1 &&
			config->max_handshakes <= 1000000,
		"%u handshakes", config->max_handshakes);
	ORACLE("CFG-20", config->event_loop <= LBP_EVENT_LOOP_EPOLL,
		"event loop %d", (int)config->event_loop);
	if (config->admin.host != NULL)
		check_address(&config->admin);
	check_path(&config->certificate, true);
	check_path(&config->private_key, true);
	check_cas(config);
	check_path(&config->ciphers, false);
	check_path(&config->ciphersuites, false);
	/* It may be the default. */
	if (config->groups.pos.line > 0)
		check_path(&config->groups, true);
	ORACLE("CFG-21", config->min_version <= LBP_TLS_1_3, "TLS version %d",
		(int)config->min_version);
	ORACLE("CFG-22", config->log_level <= LBP_LOG_DEBUG, "log level %d",
		(int)config->log_level);
	ORACLE("CFG-23",
		is_duration(config->handshake_ns) &&
			is_timeouts(&config->timeouts) &&
			is_duration(config->drain_ns),
		"bad timeouts");
	ORACLE("CFG-62",
		config->keepalive_ns == 0 || is_duration(config->keepalive_ns),
		"bad keepalive");
	ORACLE("CFG-64",
		config->drain_delay_ns == 0 ||
			is_duration(config->drain_delay_ns),
		"bad delay");
	ORACLE("CFG-24", config->app_len >= 1 && config->app_len <= 1024,
		"%zu apps", config->app_len);
	for (size_t i = 0; i < config->app_len; i++)
		check_app(&config->apps[i]);
	for (size_t i = 0; i < config->client_len; i++)
		check_client(config, &config->clients[i]);
	check_unique(config);
	check_acl(config);
}

/* --- what is shown ------------------------------------------------------ */

static void put_shown(void *user, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++)
		ORACLE("CFG-114",
			(text[i] >= 0x20 && text[i] < 0x7f) || text[i] == '\n',
			"byte %zu of a piece is %d", i, text[i]);
	fwrite(text, 1, len, user);
}

/* What is shown is read as what it was, and shown again as the same. */
static void check_show(
	const struct parts *parts, const struct lbp_config *config)
{
	struct lbp_config_source sources[PARTS_MAX];
	struct lbp_config_errors errors;
	struct lbp_config *again;
	size_t len;
	char *text;
	FILE *out = open_memstream(&text, &len);
	enum lbp_err err;

	for (size_t i = 0; i < parts->files_len; i++) {
		size_t part = parts->files[i];

		sources[i] = (struct lbp_config_source){files[part],
			(const char *)parts->data[part], parts->len[part]};
	}
	if (out == NULL ||
		lbp_config_show(config, sources, put_shown, out) != LBP_OK ||
		fclose(out) != 0)
		abort();
	err = lbp_config_parse(text, len, &again, &errors);
	ORACLE("CFG-111", err == LBP_OK, "%u:%u: %s in\n%s",
		errors.len > 0 ? errors.items[0].pos.line : 0,
		errors.len > 0 ? errors.items[0].pos.column : 0,
		errors.len > 0 ? errors.items[0].message : "no error", text);
	config_compare(again, config);
	lbp_config_free(again);
	free(text);
}

static void check_same(
	const struct lbp_config_errors *a, const struct lbp_config_errors *b)
{
	ORACLE("CFG-2", a->len == b->len, "%zu errors, then %zu", a->len,
		b->len);
	for (size_t i = 0; i < a->len; i++)
		ORACLE("CFG-2",
			lbp_config_pos_compare(
				a->items[i].pos, b->items[i].pos) == 0 &&
				strcmp(a->items[i].message,
					b->items[i].message) == 0,
			"error %zu differs the second time", i);
}

static void check_again(struct parts *parts, enum lbp_err first,
	const struct lbp_config_errors *first_errors)
{
	struct lbp_config_errors errors;
	struct lbp_config *config;
	enum lbp_err err = read_parts(parts, &config, &errors);

	ORACLE("CFG-2", err == first, "%s, then %s", lbp_err_text(first),
		lbp_err_text(err));
	check_same(&errors, first_errors);
	lbp_config_free(config);
	lbp_config_errors_release(&errors);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct parts parts = split(data, len);
	struct lbp_config_errors errors;
	struct lbp_config *config;
	enum lbp_err err = read_parts(&parts, &config, &errors);

	ORACLE("CFG-2", err == LBP_OK || err == LBP_ERR_SYNTAX, "%s",
		lbp_err_text(err));
	ORACLE("CFG-2", (config != NULL) == (err == LBP_OK),
		"a configuration and errors, or neither");
	ORACLE("CFG-2", err == LBP_ERR_SYNTAX || errors.len == 0,
		"errors with success");
	if (config != NULL) {
		check_config(config);
		check_show(&parts, config);
		config_roundtrip(config);
	} else {
		check_errors(&errors, &parts);
	}
	/* It takes as long as all the rest: some lengths will do. */
	if (len % 8 == 0)
		check_again(&parts, err, &errors);
	lbp_config_free(config);
	lbp_config_errors_release(&errors);
	return 0;
}
