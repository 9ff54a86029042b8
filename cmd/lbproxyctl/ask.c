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
#include "print.h"
#include "server/toml.h"

/* A server that reloads may take its time; a dead one takes none. */
#define TIMEOUT_S 60

/* Room for a request: its arguments are urls and ids. */
#define REQUEST_MAX 8192

/* --- where --- */

/* Says what is wrong with a configuration, as `--check` does. */
static void explain_file(const char *file)
{
	struct texts texts = {0};
	struct notices notices = {.file = file};
	struct problems problems = {
		.file = file, .texts = &texts, .notices = &notices};

	lbp_config_free(configuration_load(&texts, &problems));
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
	return socket_path(file, path->as.string.ptr);
}

/*
 * The key of a configuration; NULL if it has none, or is not TOML. Whatever
 * else is wrong with it, the server may be asked what.
 */
static char *configured(const char *file, bool *is_readable)
{
	struct lbp_toml_error error;
	struct lbp_toml *doc = NULL;
	struct file text;
	char *path = NULL;

	*is_readable = file_read_regular(&text, AT_FDCWD, file);
	if (!*is_readable)
		return NULL;
	*is_readable =
		lbp_toml_parse(text.text, text.len, &doc, &error) == LBP_OK;
	if (*is_readable)
		path = path_in(lbp_toml_root(doc), file);
	lbp_toml_free(doc);
	file_release(&text);
	return path;
}

char *ask_where(const struct options *options, bool quiet, int *status)
{
	bool is_readable = true;
	char *path = options->socket != NULL
			     ? strdup(options->socket)
			     : configured(options->config, &is_readable);

	*status = EXIT_USAGE;
	if (path != NULL || quiet)
		return path;
	if (!is_readable)
		explain_file(options->config);
	else
		fprintf(stderr,
			"lbproxyctl: %s has no server.admin_socket; accepted: "
			"a configuration with one, or -s SOCKET\n",
			options->config);
	return NULL;
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

/* Writes a value as a query has it; false: there is no room. */
static bool add_escaped(char *request, size_t *len, const char *value)
{
	static const char hex[] = "0123456789ABCDEF";
	const unsigned char *at = (const unsigned char *)value;

	for (; *at != '\0'; at++) {
		if (REQUEST_MAX - *len < 4)
			return false;
		request[(*len)++] = '%';
		request[(*len)++] = hex[*at >> 4];
		request[(*len)++] = hex[*at & 15];
	}
	return true;
}

/* The length of the request; 0: it is too long. */
static size_t write_request(char *request, const char *method, const char *path,
	const struct argument *arguments)
{
	static const char end[] = " HTTP/1.0\r\n\r\n";
	size_t len =
		(size_t)snprintf(request, REQUEST_MAX, "%s %s", method, path);
	const struct argument *a;

	for (a = arguments; a != NULL && a->name != NULL; a++) {
		len += (size_t)snprintf(request + len, REQUEST_MAX - len,
			"%c%s=", a == arguments ? '?' : '&', a->name);
		if (!add_escaped(request, &len, a->value) ||
			REQUEST_MAX - len < 64)
			return 0;
	}
	memcpy(request + len, end, sizeof(end));
	return len + sizeof(end) - 1;
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
	char *all = malloc(cap);
	ssize_t n = 1;

	*len = 0;
	while (all != NULL && n != 0) {
		char *more;

		if (cap - *len < 2) {
			more = realloc(all, cap *= 2);
			if (more == NULL)
				break;
			all = more;
		}
		n = read(fd, all + *len, cap - *len - 1);
		if (n < 0 && errno != EINTR)
			break;
		*len += n > 0 ? (size_t)n : 0;
	}
	if (all != NULL && n == 0) {
		all[*len] = '\0';
		return all;
	}
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

static bool exchange(
	int fd, const char *request, size_t len, struct reply *reply)
{
	char *all;
	size_t got;

	if (!send_all(fd, request, len))
		return false;
	all = read_all(fd, &got);
	if (all == NULL)
		return false;
	if (split(all, got, reply))
		return true;
	free(all);
	return false;
}

bool ask(const char *socket, const char *method, const char *path,
	const struct argument *arguments, struct reply *reply)
{
	char request[REQUEST_MAX];
	size_t len = write_request(request, method, path, arguments);
	bool ok;
	int error;
	int fd;

	*reply = (struct reply){0};
	if (len == 0) {
		errno = EMSGSIZE;
		return false;
	}
	fd = connect_to(socket);
	if (fd < 0)
		return false;
	ok = exchange(fd, request, len, reply);
	error = errno;
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
	char *where = ask_where(options, false, &status);

	*reply = (struct reply){0};
	if (where == NULL)
		return status;
	status = EXIT_SUCCESS;
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
