/* PROXY headers about clients, for upstreams. [PRX-20] to [PRX-23]. */
#include <errno.h>
#include <string.h>

#include "conn_private.h"
#include "container.h"
#include "server/proxy.h"

static struct lbp_proxy_text text_of(const char *text)
{
	return (struct lbp_proxy_text){text, text == NULL ? 0 : strlen(text)};
}

/*
 * The ends of the client's connection, as a header or the kernel has them.
 * False: the kernel cannot tell, and errno why.
 */
static bool find_ends(const struct conn *conn, struct lbp_proxy_ends *ends)
{
	union address own = conn->own;
	socklen_t len = sizeof(own);

	if (own.sa.sa_family == AF_UNSPEC &&
		getsockname(conn->client.watch.fd, &own.sa, &len) != 0)
		return false;
	ends->source = address_ip(&conn->peer);
	ends->source_port = address_port(&conn->peer);
	ends->destination = address_ip(&own);
	ends->destination_port = address_port(&own);
	ends->are_known = true;
	return true;
}

static bool has_serial(const struct lbp_name *name)
{
	return name->kind == LBP_NAME_SERIAL || name->kind == LBP_NAME_ISSUED;
}

/* Writes the serial of the client's certificate to buf. */
static struct lbp_proxy_text serial_of(const struct conn *conn, char *buf)
{
	/* It is the first of the names. */
	const struct lbp_name *names = lbp_session_names(conn->session, NULL);

	return (struct lbp_proxy_text){
		buf, lbp_serial_format(&names->serial, buf)};
}

/* The name that identified the client, which may be its serial. */
static struct lbp_proxy_text name_of(
	const struct conn *conn, struct lbp_proxy_text serial)
{
	const struct lbp_name *name = lbp_session_matched(conn->session);

	return has_serial(name) ? serial : text_of(name->text);
}

static size_t write_header(struct dial *dial, uint8_t *buf)
{
	const struct conn *conn = CONTAINER_OF(dial, struct conn, dial);
	struct served_app *app = conn->app;
	char serial[LBP_SERIAL_TEXT_MAX];
	struct lbp_proxy_client client;
	struct tls_description tls;
	size_t len;

	if (!tls_describe(&conn->client.tls, &tls)) {
		errno = ENOMEM;
		return 0;
	}
	client = (struct lbp_proxy_client){
		.is_resumed = conn->resumed,
		.version = text_of(conn->tls),
		.cipher = text_of(tls.cipher),
		.common_name = {tls.common_name, tls.common_name_len},
		.alpn = {tls.alpn, tls.alpn_len},
		.authority = text_of(tls.server_name),
		.serial = serial_of(conn, serial),
	};
	client.name = name_of(conn, client.serial);
	if (!find_ends(conn, &client.ends))
		return 0;
	/* An id stays the client's as long as it has sessions. */
	pthread_mutex_lock(&app->lock);
	client.id = text_of(lbp_policy_client_id(
		&app->policy->policy, lbp_session_client(conn->session)));
	len = lbp_proxy_write(buf, LBP_PROXY_MAX, &client);
	pthread_mutex_unlock(&app->lock);
	return len;
}

void conn_introduce(struct conn *conn)
{
	conn->dial.write_header =
		conn->sends_proxy_header ? write_header : NULL;
}
