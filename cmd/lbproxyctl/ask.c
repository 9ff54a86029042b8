#include "ask.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "../lbproxyd/configuration.h"
#include "../lbproxyd/file.h"
#include "../lbproxyd/socket_path.h"
#include "memory.h"
#include "print.h"
#include "server/toml.h"

/* A server that reloads may take its time; a dead one takes none. */
#define TIMEOUT_S 60

const struct argument ask_nothing[] = {{NULL, NULL}};

/* --- where --- */

/*
 * Says what is wrong with a configuration, as `--check` does; if it has become
 * right meanwhile, what was wrong.
 */
static void explain_file(const char *file, const char *why)
{
	struct texts texts = {0};
	struct notices notices = {.file = file};
	struct problems problems = {
		.file = file, .texts = &texts, .notices = &notices};

	lbp_config_free(configuration_load(&texts, &problems));
	if (problems.count == 0)
		fprintf(stderr, "lbproxyctl: %s: %s\n", file, why);
	notices_release(&notices);
	texts_release(&texts);
}

static const struct lbp_toml_value *value_of(
	const struct lbp_toml_table *table, const char *key)
{
	const struct lbp_toml_entry *entry =
		lbp_toml_get(table, key, strlen(key));

	return entry == NULL ? NULL : &entry->value;
}

static char *path_in(const struct lbp_toml_table *root, const char *file)
{
	const struct lbp_toml_value *server = value_of(root, "server");
	const struct lbp_toml_value *path = NULL;

	if (server != NULL && server->type == LBP_TOML_TABLE)
		path = value_of(server->as.table, "admin_socket");
	if (path == NULL || path->type != LBP_TOML_STRING)
		return NULL;
	return need(socket_path(file, path->as.string.ptr));
}

/* Parses a configuration's own file; NULL: it is not TOML, and why is said. */
static struct lbp_toml *parse(const char *file, bool quiet)
{
	struct lbp_toml_error error;
	struct lbp_toml *doc = NULL;
	struct file text;
	const char *why = "it was no TOML";
	enum lbp_err err = LBP_ERR_SYNTAX;

	if (file_read_regular(&text, AT_FDCWD, file))
		err = lbp_toml_parse(text.text, text.len, &doc, &error);
	else
		why = text.why;
	if (err == LBP_ERR_NOMEM)
		out_of_memory();
	if (err != LBP_OK && !quiet)
		explain_file(file, why);
	file_release(&text);
	return doc;
}

/*
 * The key of a configuration; NULL: it has none, or is not TOML. Whatever else
 * is wrong with it, the server may be asked what.
 */
static char *configured(const char *file, bool quiet)
{
	struct lbp_toml *doc = parse(file, quiet);
	char *path;

	if (doc == NULL)
		return NULL;
	path = path_in(lbp_toml_root(doc), file);
	lbp_toml_free(doc);
	if (path == NULL && !quiet)
		fprintf(stderr,
			"lbproxyctl: %s has no server.admin_socket; accepted: "
			"a configuration with one, or -s SOCKET\n",
			file);
	return path;
}

char *ask_where(const struct options *options, bool quiet)
{
	return options->socket != NULL ? need(strdup(options->socket))
				       : configured(options->config, quiet);
}

/* --- requests and replies --- */

/* -1 with errno set: nobody answers there. */
static int connect_to(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const struct timeval timeout = {.tv_sec = TIMEOUT_S};
	int fd;

	if (strlen(path) >= sizeof(address.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memcpy(address.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -1;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof(timeout));
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) ==
		0)
		return fd;
	close(fd);
	return -1;
}

/* Writes a value as a query has it; returns the end. */
static char *add_escaped(char *at, const char *value)
{
	static const char hex[] = "0123456789ABCDEF";
	const unsigned char *byte = (const unsigned char *)value;

	for (; *byte != '\0'; byte++) {
		*at++ = '%';
		*at++ = hex[*byte >> 4];
		*at++ = hex[*byte & 15];
	}
	return at;
}

/* The request, to be freed. */
static char *write_request(
	const char *method, const char *path, const struct argument *arguments)
{
	static const char end[] = " HTTP/1.0\r\n\r\n";
	size_t size = strlen(method) + 1 + strlen(path) + sizeof(end);
	const struct argument *a;
	char *request, *at;

	for (a = arguments; a->name != NULL; a++)
		size += 2 + strlen(a->name) + 3 * strlen(a->value);
	request = need(malloc(size));
	at = request + sprintf(request, "%s %s", method, path);
	for (a = arguments; a->name != NULL; a++) {
		at += sprintf(at, "%c%s=", a == arguments ? '?' : '&', a->name);
		at = add_escaped(at, a->value);
	}
	memcpy(at, end, sizeof(end));
	return request;
}

static bool send_all(int fd, const char *data, size_t len)
{
	while (len > 0) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

/* Reads until the end, and adds a NUL. NULL: it failed. */
static char *read_all(int fd, size_t *len)
{
	size_t cap = 65536;
	char *all = need(malloc(cap));
	ssize_t n;

	*len = 0;
	do {
		if (cap - *len < 2)
			all = need(realloc(all, cap *= 2));
		n = read(fd, all + *len, cap - *len - 1);
		*len += n > 0 ? (size_t)n : 0;
	} while (n > 0 || (n < 0 && errno == EINTR));
	all[*len] = '\0';
	if (n == 0)
		return all;
	free(all);
	return NULL;
}

/* "HTTP/1.0 200 OK", headers, an empty line, the body. */
static bool split(char *all, size_t len, struct reply *reply)
{
	char *body = strstr(all, "\r\n\r\n");
	const char *space = strchr(all, ' ');

	if (body == NULL || space == NULL || space > body) {
		errno = EPROTO;
		return false;
	}
	reply->status = (unsigned)strtoul(space, NULL, 10);
	body += 4;
	reply->len = len - (size_t)(body - all);
	memmove(all, body, reply->len + 1);
	reply->body = all;
	return true;
}

static bool exchange(int fd, const char *request, struct reply *reply)
{
	char *all;
	size_t len;

	if (!send_all(fd, request, strlen(request)))
		return false;
	all = read_all(fd, &len);
	if (all == NULL)
		return false;
	if (split(all, len, reply))
		return true;
	free(all);
	return false;
}

bool ask(const char *socket, const char *method, const char *path,
	const struct argument *arguments, struct reply *reply)
{
	int fd = connect_to(socket);
	char *request;
	bool ok;
	int error;

	*reply = (struct reply){0};
	if (fd < 0)
		return false;
	request = write_request(method, path, arguments);
	ok = exchange(fd, request, reply);
	error = errno;
	free(request);
	close(fd);
	errno = error;
	return ok;
}

void reply_release(struct reply *reply)
{
	free(reply->body);
	*reply = (struct reply){0};
}

/* What a server says that does not do it. */
static int refused(const struct reply *reply)
{
	fputs("lbproxyctl: ", stderr);
	print_text(stderr, reply->body);
	if (reply->len == 0)
		fprintf(stderr, "the server answers %u", reply->status);
	fputc('\n', stderr);
	return EXIT_FAILURE;
}

int ask_server(const struct options *options, const char *method,
	const char *path, const struct argument *arguments, struct reply *reply)
{
	int status = EXIT_SUCCESS;
	char *where = ask_where(options, false);

	*reply = (struct reply){0};
	if (where == NULL)
		return EXIT_USAGE;
	if (!ask(where, method, path, arguments, reply)) {
		fprintf(stderr, "lbproxyctl: no server answers at %s: %s\n",
			where, strerror(errno));
		status = EXIT_NO_SERVER;
	} else if (reply->status != 200) {
		status = refused(reply);
		reply_release(reply);
	}
	free(where);
	return status;
}

json_t *reply_parse(const struct reply *reply)
{
	json_error_t error;
	json_t *parsed = json_loadb(reply->body, reply->len, 0, &error);

	if (parsed == NULL)
		fprintf(stderr,
			"lbproxyctl: what the server answers is no JSON: %s\n",
			error.text);
	return parsed;
}
