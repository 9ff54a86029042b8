/* How the values of each kind are written. */
#include <stdio.h>
#include <string.h>

#include "base.h"
#include "server/config_writer.h"

bool lbp_config_write_integer(struct lbp_config_writer *writer,
	const struct lbp_config_key *key, const void *in)
{
	uint32_t value = *(const uint32_t *)in;

	if (value < key->min)
		return false;
	lbp_config_put_number(writer, value);
	return true;
}

bool lbp_config_write_boolean(struct lbp_config_writer *writer,
	const struct lbp_config_key *key, const void *in)
{
	(void)key;
	lbp_config_put(writer, *(const bool *)in ? "true" : "false");
	return true;
}

/* In the largest unit that it is a multiple of; zero: a text for that. */
static bool write_duration(
	struct lbp_config_writer *writer, uint64_t ns, const char *zero)
{
	static const struct {
		uint64_t ns;
		const char *name;
	} units[] = {{3600 * LBP_NS_PER_S, "h\""}, {60 * LBP_NS_PER_S, "m\""},
		{LBP_NS_PER_S, "s\""}, {LBP_NS_PER_MS, "ms\""}};
	size_t i = 0;

	if (ns == 0) {
		lbp_config_put(writer, zero);
		return true;
	}
	while (ns % units[i].ns != 0)
		i++;
	lbp_config_put(writer, "\"");
	lbp_config_put_number(writer, ns / units[i].ns);
	lbp_config_put(writer, units[i].name);
	return true;
}

bool lbp_config_write_duration(struct lbp_config_writer *writer,
	const struct lbp_config_key *key, const void *in)
{
	(void)key;
	return write_duration(writer, *(const uint64_t *)in, "\"off\"");
}

bool lbp_config_write_delay(struct lbp_config_writer *writer,
	const struct lbp_config_key *key, const void *in)
{
	(void)key;
	return write_duration(writer, *(const uint64_t *)in, "\"0s\"");
}

bool lbp_config_write_choice(struct lbp_config_writer *writer,
	const struct lbp_config_key *key, const void *in)
{
	unsigned i;

	memcpy(&i, in, sizeof(i));
	lbp_config_put_string(writer, key->choices[i], strlen(key->choices[i]));
	return true;
}

static void write_string(struct lbp_config_writer *writer, const char *text)
{
	lbp_config_put_string(writer, text, strlen(text));
}

bool lbp_config_write_text(struct lbp_config_writer *writer,
	const struct lbp_config_key *key, const void *in)
{
	const struct lbp_config_text *text = in;

	(void)key;
	if (text->ptr == NULL)
		return false;
	write_string(writer, text->ptr);
	return true;
}

/* --- arrays ------------------------------------------------------------- */

/* Begins the next item. */
static void separate(struct lbp_config_writer *writer, size_t i)
{
	lbp_config_put(writer, i == 0 ? "[" : ", ");
}

static bool end_array(struct lbp_config_writer *writer, size_t len)
{
	lbp_config_put(writer, len == 0 ? "[]" : "]");
	return true;
}

static bool write_texts(struct lbp_config_writer *writer,
	const struct lbp_config_text *texts, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		separate(writer, i);
		write_string(writer, texts[i].ptr);
	}
	return end_array(writer, len);
}

bool lbp_config_write_includes(struct lbp_config_writer *writer,
	const struct lbp_config_key *key, const void *config)
{
	const struct lbp_config *from = config;

	(void)key;
	return write_texts(writer, from->includes, from->include_len);
}

bool lbp_config_write_uris(struct lbp_config_writer *writer,
	const struct lbp_config_key *key, const void *client)
{
	const struct lbp_config_client *from = client;

	(void)key;
	return write_texts(writer, from->uris, from->uri_len);
}

bool lbp_config_write_dns(struct lbp_config_writer *writer,
	const struct lbp_config_key *key, const void *client)
{
	const struct lbp_config_client *from = client;

	(void)key;
	return write_texts(writer, from->dns, from->dns_len);
}

/* A host has no character that needs an escape. */
static void write_host(struct lbp_config_writer *writer,
	const struct lbp_config_address *address)
{
	bool is_v6 = strchr(address->host, ':') != NULL;

	lbp_config_put(writer, is_v6 ? "\"[" : "\"");
	lbp_config_put(writer, address->host);
	lbp_config_put(writer, is_v6 ? "]:" : ":");
	lbp_config_put_number(writer, address->port);
	lbp_config_put(writer, "\"");
}

bool lbp_config_write_address(struct lbp_config_writer *writer,
	const struct lbp_config_key *key, const void *in)
{
	const struct lbp_config_address *address = in;

	(void)key;
	if (address->host == NULL)
		return false;
	write_host(writer, address);
	return true;
}

bool lbp_config_write_listen(struct lbp_config_writer *writer,
	const struct lbp_config_key *key, const void *app)
{
	const struct lbp_config_app *from = app;

	(void)key;
	for (size_t i = 0; i < from->listen_len; i++) {
		separate(writer, i);
		write_host(writer, &from->listen[i]);
	}
	return end_array(writer, from->listen_len);
}

/* Eight groups of IPv6 are a literal, if not the shortest. */
static void write_network(
	struct lbp_config_writer *writer, const struct lbp_network *network)
{
	const uint8_t *o = network->ip.octets;
	char text[64];

	if (lbp_ip_is_v4(&network->ip))
		snprintf(text, sizeof(text), "\"%u.%u.%u.%u/%u\"", o[12], o[13],
			o[14], o[15], network->bits - 96u);
	else
		snprintf(text, sizeof(text), "\"%x:%x:%x:%x:%x:%x:%x:%x/%u\"",
			o[0] << 8 | o[1], o[2] << 8 | o[3], o[4] << 8 | o[5],
			o[6] << 8 | o[7], o[8] << 8 | o[9], o[10] << 8 | o[11],
			o[12] << 8 | o[13], o[14] << 8 | o[15], network->bits);
	lbp_config_put(writer, text);
}

bool lbp_config_write_networks(struct lbp_config_writer *writer,
	const struct lbp_config_key *key, const void *app)
{
	const struct lbp_config_app *from = app;

	(void)key;
	for (size_t i = 0; i < from->accept_proxy_len; i++) {
		separate(writer, i);
		write_network(writer, &from->accept_proxy[i]);
	}
	return end_array(writer, from->accept_proxy_len);
}

bool lbp_config_write_alpn(struct lbp_config_writer *writer,
	const struct lbp_config_key *key, const void *app)
{
	const struct lbp_alpn *from =
		&((const struct lbp_config_app *)app)->alpn;
	size_t at = 0;

	(void)key;
	while (at < from->len) {
		size_t len = from->list[at];

		separate(writer, at);
		lbp_config_put_string(
			writer, (const char *)&from->list[at + 1], len);
		at += 1 + len;
	}
	return end_array(writer, from->len);
}
