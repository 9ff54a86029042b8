#include "config_draw.h"

#include <stdio.h>
#include <string.h>

#define APPS_MAX      3
#define LISTEN_MAX    3
#define NETWORKS_MAX  3
#define UPSTREAMS_MAX 3
#define CLIENTS_MAX   3
#define SERIALS_MAX   3
#define CAS_MAX       3
#define INCLUDES_MAX  2
#define NAMES_MAX     2
#define HOST_MAX      254
#define URL_MAX       (HOST_MAX + 32)
#define TEXT_MAX      64

/* What the pointers of a configuration point to. */
struct app_storage {
	struct lbp_config_address listen[LISTEN_MAX];
	struct lbp_network networks[NETWORKS_MAX];
	struct lbp_config_upstream upstreams[UPSTREAMS_MAX];
};

struct client_storage {
	struct lbp_config_serial serials[SERIALS_MAX];
	struct lbp_config_text uris[NAMES_MAX];
	struct lbp_config_text dns[NAMES_MAX];
	struct lbp_config_grant grants[APPS_MAX];
};

struct drawing {
	struct bytes *bytes;
	unsigned unique; /* goes up with each value that must be one */
	char *text;      /* where the next text goes */
};

/* Room for every text that can be drawn. */
static char texts[120 * TEXT_MAX + 36 * (HOST_MAX + 2 * URL_MAX)];

/* least to most, at the ends more often than anywhere else */
static uint32_t draw_between(
	struct drawing *drawing, uint32_t least, uint32_t most)
{
	uint8_t kind = bytes_u8(drawing->bytes);

	if (kind < 0x40)
		return least;
	if (kind < 0x80)
		return most;
	if (kind < 0xc0)
		return least + bytes_u8(drawing->bytes) % (most - least + 1);
	return least +
	       (uint32_t)bytes_uint(drawing->bytes, 4) % (most - least + 1);
}

/* 1ms to 8760h */
static uint64_t draw_duration(struct drawing *drawing)
{
	static const uint32_t units_ms[] = {1, 1000, 60000, 3600000};
	uint32_t unit = units_ms[bytes_below(drawing->bytes, 4)];
	uint64_t most = UINT64_C(8760) * 3600000 / unit;

	if (most > UINT32_MAX)
		most = UINT32_MAX;
	return draw_between(drawing, 1, (uint32_t)most) * UINT64_C(1000000) *
	       unit;
}

static const char *keep(struct drawing *drawing, size_t len)
{
	const char *text = drawing->text;

	drawing->text[len] = '\0';
	drawing->text += len + 1;
	return text;
}

/* Characters of one to four bytes, and those that TOML has to escape. */
static struct lbp_config_text draw_text(struct drawing *drawing)
{
	static const char *const pieces[] = {"a", "/", "\"", "\\", "'", "'''",
		"\"\"\"", "#", " ", "\\u0041", "\\n", "=", "\xc2\xa0",
		"\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
		"\xf4\x8f\xbf\xbf"};
	unsigned count = bytes_below(drawing->bytes, 8);
	size_t len = 0;

	drawing->text[len++] = 'p';
	for (unsigned i = 0; i < count; i++) {
		const char *piece = pieces[bytes_below(drawing->bytes, 17)];

		memcpy(drawing->text + len, piece, strlen(piece));
		len += strlen(piece);
	}
	return (struct lbp_config_text){.ptr = keep(drawing, len)};
}

static struct lbp_config_text maybe_text(struct drawing *drawing)
{
	if (bytes_bool(drawing->bytes))
		return draw_text(drawing);
	return (struct lbp_config_text){.ptr = NULL};
}

/* Of 1 to LBP_ID_MAX bytes, and like no other. */
static struct lbp_config_text draw_id(struct drawing *drawing)
{
	static const char some[] = "!#$%&'()*+,-./09:;<=>?@AZ[]^_`az{|}~";
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "abcdefghijklmnopqrstuvwxyz";
	size_t len = draw_between(drawing, 1, LBP_ID_MAX) - 1;
	char c = some[bytes_below(drawing->bytes, sizeof(some) - 1)];

	memset(drawing->text, c, len);
	drawing->text[len++] = letters[drawing->unique++];
	return (struct lbp_config_text){.ptr = keep(drawing, len)};
}

static const char *draw_host(struct drawing *drawing)
{
	static const char *const hosts[] = {"127.0.0.1", "0.0.0.0",
		"255.255.255.255", "::", "::1", "2001:db8::a:1",
		"1:2:3:4:5:6:7:8", "::ffff:192.0.2.1", "localhost", "a",
		"Example.COM", "a-1_b.0x", "1a.2"};
	unsigned i = bytes_below(drawing->bytes, 14);
	size_t len;

	if (i < 13) {
		len = strlen(hosts[i]);
		memcpy(drawing->text, hosts[i], len);
	} else {
		/* The longest: labels of 63, 63, 63 and 61. */
		len = HOST_MAX - 1;
		memset(drawing->text, 'x', len);
		for (size_t at = 63; at < len; at += 64)
			drawing->text[at] = '.';
	}
	return keep(drawing, len);
}

/* The port is like no other. */
static struct lbp_config_address draw_address(struct drawing *drawing)
{
	struct lbp_config_address address = {.host = draw_host(drawing)};
	unsigned port = drawing->unique++;

	address.port = (uint16_t)(bytes_bool(drawing->bytes) ? port + 1
							     : 65535 - port);
	return address;
}

static struct lbp_limits draw_limits(
	struct drawing *drawing, const struct lbp_limits *otherwise)
{
	struct lbp_limits limits = *otherwise;

	if (bytes_bool(drawing->bytes))
		limits.concurrent = draw_between(drawing, 1, 1000000);
	if (bytes_bool(drawing->bytes))
		limits.connections = draw_between(drawing, 1, 1000000);
	if (bytes_bool(drawing->bytes))
		limits.window_ns = draw_duration(drawing);
	return limits;
}

/* The path has what the address had, so that it is unique as well. */
static void move_to_path(
	struct drawing *drawing, struct lbp_config_upstream *upstream)
{
	if (strlen(upstream->address.host) > 90)
		return;
	upstream->url.ptr = keep(drawing,
		(size_t)snprintf(drawing->text, URL_MAX, "unix:/%s.%u",
			upstream->address.host, upstream->address.port));
	upstream->address.host = upstream->url.ptr + strlen("unix:");
	upstream->address.port = 0;
	upstream->is_unix = true;
}

static struct lbp_config_upstream draw_upstream(struct drawing *drawing)
{
	struct lbp_config_upstream upstream = {.weight = 1};
	const char *format;

	upstream.address = draw_address(drawing);
	upstream.tls = bytes_bool(drawing->bytes);
	format = strchr(upstream.address.host, ':') != NULL ? "%s://[%s]:%u"
							    : "%s://%s:%u";
	upstream.url.ptr = keep(
		drawing, (size_t)snprintf(drawing->text, URL_MAX, format,
				 upstream.tls ? "tls" : "tcp",
				 upstream.address.host, upstream.address.port));
	upstream.weight = draw_between(drawing, 1, 256);
	if (!upstream.tls && upstream.weight % 8 == 4)
		move_to_path(drawing, &upstream);
	/* Of an even weight, so that nothing more is drawn. */
	upstream.max_connections =
		upstream.weight % 2 == 0 ? upstream.weight * 3906 : 0;
	upstream.backup = upstream.weight % 4 == 2;
	if (!upstream.tls)
		return upstream;
	upstream.ca = draw_text(drawing);
	upstream.server_name.ptr = bytes_bool(drawing->bytes)
					   ? draw_host(drawing)
					   : upstream.address.host;
	if (bytes_bool(drawing->bytes)) {
		upstream.certificate = draw_text(drawing);
		upstream.private_key = draw_text(drawing);
	}
	return upstream;
}

/* What of a byte is left over draws the networks; their bits say which. */
static void draw_proxy(
	struct lbp_config_app *app, struct lbp_network *networks, uint8_t drawn)
{
	static const struct lbp_network some[] = {
		{.bits = 0},
		{.ip = {{[10] = 0xff, 0xff, 10}}, .bits = 104},
		{.ip = {{[10] = 0xff, 0xff, 192, 0, 2, 7}}, .bits = 128},
		{.ip = {{0x20, 1, 0xd, 0xb8, 0x80}}, .bits = 33},
		{.ip = {{[10] = 0xff, 0xff}}, .bits = 96},
	};

	app->proxy_protocol = (drawn & 1) != 0;
	app->accept_proxy = networks;
	app->accept_proxy_len = drawn >> 1 & NETWORKS_MAX;
	for (size_t i = 0; i < app->accept_proxy_len; i++)
		networks[i] = some[((drawn >> 3) + i) % 5];
}

static struct lbp_config_app draw_app(
	struct drawing *drawing, struct app_storage *storage)
{
	static const struct lbp_limits none = {0, 0, UINT64_C(60000000000)};
	struct lbp_config_app app = {
		.listen = storage->listen, .upstreams = storage->upstreams};

	app.id = draw_id(drawing);
	app.listen_len = 1 + bytes_below(drawing->bytes, LISTEN_MAX);
	for (size_t i = 0; i < app.listen_len; i++)
		app.listen[i] = draw_address(drawing);
	draw_proxy(&app, storage->networks, bytes_u8(drawing->bytes));
	app.limits = draw_limits(drawing, &none);
	app.health.enabled = bytes_bool(drawing->bytes);
	app.health.interval_ns = draw_duration(drawing);
	app.health.timeout_ns = draw_duration(drawing);
	app.health.rise = draw_between(drawing, 1, 1000);
	app.health.fall = draw_between(drawing, 1, 1000);
	app.upstream_len = 1 + bytes_below(drawing->bytes, UPSTREAMS_MAX);
	for (size_t i = 0; i < app.upstream_len; i++)
		app.upstreams[i] = draw_upstream(drawing);
	return app;
}

/* Of 1 to LBP_SERIAL_MAX octets, and like no other. */
static struct lbp_serial draw_serial(struct drawing *drawing)
{
	struct lbp_serial serial = {{0}, 1};
	uint8_t octet = bytes_u8(drawing->bytes);

	serial.len = (uint8_t)draw_between(drawing, 1, LBP_SERIAL_MAX);
	memset(serial.octets, octet, serial.len);
	serial.octets[0] |= 1;
	serial.octets[serial.len - 1] = (uint8_t)(1 + drawing->unique++);
	return serial;
}

static struct lbp_config_client draw_client(struct drawing *drawing,
	const struct lbp_config *config, struct client_storage *storage)
{
	struct lbp_config_client client = {
		.serials = storage->serials, .grants = storage->grants};
	uint32_t first = bytes_below(drawing->bytes, (uint32_t)config->app_len);

	client.id = draw_id(drawing);
	client.serial_len = 1 + bytes_below(drawing->bytes, SERIALS_MAX);
	for (size_t i = 0; i < client.serial_len; i++)
		client.serials[i].serial = draw_serial(drawing);
	client.grant_len =
		1 + bytes_below(drawing->bytes, (uint32_t)config->app_len);
	for (size_t i = 0; i < client.grant_len; i++) {
		uint32_t app = (uint32_t)((first + i) % config->app_len);

		client.grants[i].app = app;
		client.grants[i].limits =
			draw_limits(drawing, &config->apps[app].limits);
	}
	return client;
}

static void draw_globals(struct drawing *drawing, struct lbp_config *config)
{
	struct bytes *bytes = drawing->bytes;

	config->workers = draw_between(drawing, 0, 256);
	config->event_loop = (enum lbp_event_loop)bytes_below(bytes, 3);
	config->max_connections = draw_between(drawing, 1, 1000000);
	if (bytes_bool(bytes))
		config->admin = draw_address(drawing);
	config->certificate = draw_text(drawing);
	config->private_key = draw_text(drawing);
	config->cas[0].file = draw_text(drawing);
	config->cas[0].crl = maybe_text(drawing);
	config->min_version = (enum lbp_tls_version)bytes_below(bytes, 2);
	config->ciphers = maybe_text(drawing);
	config->ciphersuites = maybe_text(drawing);
	config->log_level = (enum lbp_log_level)bytes_below(bytes, 4);
	config->handshake_ns = draw_duration(drawing);
	config->timeouts.connect_ns = draw_duration(drawing);
	config->timeouts.idle_ns = draw_duration(drawing);
	config->drain_ns = draw_duration(drawing);
}

static uint64_t duration_or_off(struct drawing *drawing)
{
	return bytes_bool(drawing->bytes) ? draw_duration(drawing) : 0;
}

/* What an app does not override is as in [timeouts]. */
static struct lbp_config_timeouts draw_timeouts(
	struct drawing *drawing, const struct lbp_config *config)
{
	struct lbp_config_timeouts timeouts = config->timeouts;

	if (bytes_bool(drawing->bytes))
		timeouts.connect_ns = draw_duration(drawing);
	if (bytes_bool(drawing->bytes))
		timeouts.idle_ns = duration_or_off(drawing);
	if (bytes_bool(drawing->bytes))
		timeouts.lifetime_ns = duration_or_off(drawing);
	return timeouts;
}

/* An id like no other, without a slash. */
static struct lbp_config_text draw_ca_id(struct drawing *drawing)
{
	struct lbp_config_text id = draw_id(drawing);

	for (char *c = drawing->text - strlen(id.ptr) - 1; *c != '\0'; c++)
		*c = *c == '/' ? '.' : *c;
	return id;
}

/* None: tls.client_ca is the only one. */
static void draw_cas(struct drawing *drawing, struct lbp_config *config)
{
	size_t len = bytes_below(drawing->bytes, CAS_MAX + 1);

	if (len == 0)
		return;
	config->ca_len = len;
	for (size_t i = 0; i < len; i++) {
		config->cas[i].id = draw_ca_id(drawing);
		if (i > 0) {
			config->cas[i].file = draw_text(drawing);
			config->cas[i].crl = maybe_text(drawing);
		}
		config->cas[i].chain = bytes_bool(drawing->bytes);
	}
}

static struct lbp_config_text draw_uri(struct drawing *drawing)
{
	static const char *const formats[] = {"spiffe://corp/ns/%u",
		"urn:uuid:%u", "a+-.0:~%u", "h://[::1]?a=b&%%20#!$'()*,;@_%u"};
	const char *format = formats[bytes_below(drawing->bytes, 4)];
	int len = snprintf(drawing->text, TEXT_MAX, format, drawing->unique++);

	return (struct lbp_config_text){.ptr = keep(drawing, (size_t)len)};
}

static struct lbp_config_text draw_dns(struct drawing *drawing)
{
	static const char *const formats[] = {
		"a%u", "A-1_b.0x.n%u", "%u.Corp.example"};
	const char *format = formats[bytes_below(drawing->bytes, 3)];
	int len = snprintf(drawing->text, TEXT_MAX, format, drawing->unique++);

	return (struct lbp_config_text){.ptr = keep(drawing, (size_t)len)};
}

static void draw_names(struct drawing *drawing, const struct lbp_config *config,
	struct lbp_config_client *client, struct client_storage *storage)
{
	uint32_t ca_len = (uint32_t)config->ca_len;

	client->uris = storage->uris;
	client->uri_len = bytes_below(drawing->bytes, NAMES_MAX + 1);
	for (size_t i = 0; i < client->uri_len; i++)
		client->uris[i] = draw_uri(drawing);
	client->dns = storage->dns;
	client->dns_len = bytes_below(drawing->bytes, NAMES_MAX + 1);
	for (size_t i = 0; i < client->dns_len; i++)
		client->dns[i] = draw_dns(drawing);
	for (size_t i = 0; i < client->serial_len; i++)
		client->serials[i].ca = bytes_below(drawing->bytes, ca_len);
	if (client->uri_len + client->dns_len > 0 && bytes_bool(drawing->bytes))
		client->serial_len = 0;
}

static struct lbp_alpn draw_alpn(struct drawing *drawing)
{
	static const char *const names[] = {
		"h2", "http/1.1", "postgresql", "\xe2\x82\xac"};
	struct lbp_alpn alpn = {0};
	unsigned drawn = bytes_u8(drawing->bytes);

	for (unsigned i = 0; i < 4; i++) {
		const char *name = names[(i + drawn / 16) % 4];

		if ((drawn >> i & 1) != 0 &&
			!lbp_alpn_add(&alpn, name, strlen(name)))
			break;
	}
	return alpn;
}

/* At the end, so that the bytes of older inputs mean what they did. */
static void draw_later_keys(struct drawing *drawing, struct lbp_config *config,
	struct client_storage *storage)
{
	config->max_handshakes = draw_between(drawing, 1, 1000000);
	config->groups = maybe_text(drawing);
	if (config->groups.ptr == NULL)
		config->groups.ptr = "X25519:P-256";
	for (size_t i = 0; i < config->app_len; i++)
		config->apps[i].unclean_end =
			(enum lbp_unclean_end)bytes_below(drawing->bytes, 2);
	config->timeouts.lifetime_ns = duration_or_off(drawing);
	if (bytes_bool(drawing->bytes))
		config->timeouts.idle_ns = 0;
	config->keepalive_ns = duration_or_off(drawing);
	for (size_t i = 0; i < config->app_len; i++)
		config->apps[i].timeouts = draw_timeouts(drawing, config);
	for (size_t i = 0; i < config->app_len; i++)
		config->apps[i].alpn = draw_alpn(drawing);
	config->drain_delay_ns = duration_or_off(drawing);
	draw_cas(drawing, config);
	for (size_t i = 0; i < config->client_len; i++)
		draw_names(drawing, config, &config->clients[i], &storage[i]);
	config->include_len = bytes_below(drawing->bytes, INCLUDES_MAX + 1);
	for (size_t i = 0; i < config->include_len; i++)
		config->includes[i] = draw_text(drawing);
	config->watch_ns = duration_or_off(drawing);
	config->resolve_ns = duration_or_off(drawing);
	config->expired_sessions =
		(enum lbp_expired_sessions)bytes_below(drawing->bytes, 2);
}

const struct lbp_config *config_draw(struct bytes *bytes)
{
	static struct lbp_config config;
	static struct lbp_config_text includes[INCLUDES_MAX];
	static struct lbp_config_ca cas[CAS_MAX];
	static struct lbp_config_app apps[APPS_MAX];
	static struct lbp_config_client clients[CLIENTS_MAX];
	static struct app_storage app_storage[APPS_MAX];
	static struct client_storage client_storage[CLIENTS_MAX];
	struct drawing drawing = {bytes, 0, texts};

	memset(cas, 0, sizeof(cas));
	memset(client_storage, 0, sizeof(client_storage));
	config = (struct lbp_config){.includes = includes,
		.cas = cas,
		.ca_len = 1,
		.apps = apps,
		.clients = clients};
	draw_globals(&drawing, &config);
	config.app_len = 1 + bytes_below(bytes, APPS_MAX);
	for (size_t i = 0; i < config.app_len; i++)
		apps[i] = draw_app(&drawing, &app_storage[i]);
	config.client_len = bytes_below(bytes, CLIENTS_MAX + 1);
	for (size_t i = 0; i < config.client_len; i++)
		clients[i] = draw_client(&drawing, &config, &client_storage[i]);
	draw_later_keys(&drawing, &config, client_storage);
	return &config;
}
