/*
 * The configuration: TOML text to typed values, and every error in it.
 *
 * Pure: it opens no file and resolves no name. Paths are returned as written,
 * with their place in the text, so that whoever opens the file can report a
 * problem there. Source: SPEC.md [CFG-*].
 */
#ifndef LBP_CONFIG_H
#define LBP_CONFIG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "health.h"
#include "limiter.h"
#include "serial.h"
#include "server/alpn.h"
#include "server/network.h"

#define LBP_ID_MAX  64   /* bytes of an app's or client's id, without NUL */
#define LBP_URI_MAX 2048 /* bytes of a client's URI, likewise */
#define LBP_DNS_MAX 253
#define LBP_CAS_MAX 16

/* A place in a text, counted from 1; 0 for a default. */
struct lbp_config_pos {
	uint32_t line;
	uint32_t column;
	uint32_t file; /* 0: the configuration's own; else as lbp_config_add */
};

/* A string value: NUL-terminated, no NUL inside; NULL where not given. */
struct lbp_config_text {
	const char *ptr;
	struct lbp_config_pos pos;
};

/* The longest path of a socket: sun_path's room, less its NUL. */
#define LBP_CONFIG_PATH_MAX 107

/* "host:port"; the host without brackets: IPv4, IPv6 or a name. */
struct lbp_config_address {
	const char *host; /* NULL where not given */
	uint16_t port;
	struct lbp_config_pos pos;
};

enum lbp_event_loop {
	LBP_EVENT_LOOP_AUTO,
	LBP_EVENT_LOOP_SELECT,
	LBP_EVENT_LOOP_EPOLL,
};

enum lbp_tls_version {
	LBP_TLS_1_2,
	LBP_TLS_1_3,
};

/* How a TCP FIN without close_notify is treated. */
enum lbp_unclean_end {
	LBP_UNCLEAN_RESET,
	LBP_UNCLEAN_END,
};

enum lbp_log_level {
	LBP_LOG_ERROR,
	LBP_LOG_WARN,
	LBP_LOG_INFO,
	LBP_LOG_DEBUG,
};

/* What becomes of open sessions whose certificates expire. */
enum lbp_expired_sessions {
	LBP_EXPIRED_CLOSE,
	LBP_EXPIRED_KEEP,
};

struct lbp_config_upstream {
	struct lbp_config_text url;
	struct lbp_config_address address; /* unix: host is the path */
	bool tls;
	bool is_unix;
	uint32_t weight;
	uint32_t max_connections; /* 0: no bound */
	bool backup;
	struct lbp_config_text ca;          /* given if and only if tls */
	struct lbp_config_text server_name; /* tls: default is the host */
	struct lbp_config_text certificate; /* with private_key, or neither */
	struct lbp_config_text private_key;
	void *user; /* the caller's, for lbp_policy_prepare; NULL at first */
};

/* Where limits were given; line 0: they were not. */
struct lbp_config_limit_places {
	struct lbp_config_pos concurrent;
	struct lbp_config_pos connections;
	struct lbp_config_pos window;
};

/* How long sessions may take; 0: off. */
struct lbp_config_timeouts {
	uint64_t connect_ns; /* never off */
	uint64_t idle_ns;
	uint64_t lifetime_ns;
};

struct lbp_config_app {
	struct lbp_config_text id;
	struct lbp_config_address *listen; /* listen_len of them, >= 1 */
	size_t listen_len;
	bool proxy_protocol;
	struct lbp_network *accept_proxy; /* accept_proxy_len of them */
	size_t accept_proxy_len;
	enum lbp_unclean_end unclean_end;
	struct lbp_alpn alpn;
	struct lbp_config_timeouts timeouts;
	struct lbp_limits limits; /* for clients that override nothing */
	struct lbp_config_limit_places limit_places;
	bool is_rated; /* the override of some client has a rate */
	struct lbp_health_options health;
	struct lbp_config_upstream *upstreams; /* upstream_len, >= 1 */
	size_t upstream_len;
};

/* A client may use apps[app], under these limits. */
struct lbp_config_grant {
	uint32_t app;
	struct lbp_config_pos pos; /* of the app in client.apps */
	struct lbp_limits limits;  /* the app's with the client's overrides */
	struct lbp_config_limit_places limit_places; /* of the overrides */
};

/* A CA that issues clients' certificates, in the order of the text. */
struct lbp_config_ca {
	struct lbp_config_text id; /* NULL: tls.client_ca is the only one */
	struct lbp_config_text file;
	struct lbp_config_text crl;
	bool chain; /* intermediates below it are allowed */
	/*
	 * Its number as an issuer of serials: its place among the CAs, unless
	 * whoever has read its file has put a better one here. Policies know
	 * a serial by it.
	 */
	uint64_t number;
};

/* A serial number under cas[ca]. */
struct lbp_config_serial {
	struct lbp_serial serial;
	uint32_t ca;
	struct lbp_config_pos pos;
};

/* It has at least one serial, URI or DNS name. */
struct lbp_config_client {
	struct lbp_config_text id;
	struct lbp_config_serial *serials; /* serial_len of them */
	size_t serial_len;
	struct lbp_config_text *uris; /* uri_len of them */
	size_t uri_len;
	struct lbp_config_text *dns; /* dns_len of them */
	size_t dns_len;
	struct lbp_config_grant *grants; /* grant_len of them, >= 1 */
	size_t grant_len;
};

struct lbp_config {
	/* Paths and patterns of further files, include_len of them. */
	struct lbp_config_text *includes;
	size_t include_len;

	uint32_t workers; /* 0: one for each CPU that may be used */
	enum lbp_event_loop event_loop;
	struct lbp_config_pos event_loop_pos;
	uint32_t max_connections; /* admitted sessions */
	uint32_t max_handshakes;  /* in progress, in addition to those */
	struct lbp_config_address admin;
	struct lbp_config_text admin_socket; /* as it stands there */
	uint64_t watch_ns; /* between looks at files; 0: off */

	struct lbp_config_text certificate;
	struct lbp_config_text private_key;
	struct lbp_config_ca *cas; /* ca_len of them, >= 1 */
	size_t ca_len;
	enum lbp_tls_version min_version;
	enum lbp_expired_sessions expired_sessions;
	struct lbp_config_text ciphers;
	struct lbp_config_text ciphersuites;
	struct lbp_config_text groups;

	enum lbp_log_level log_level;

	uint64_t handshake_ns;
	struct lbp_config_timeouts timeouts; /* of apps that override nothing */
	uint64_t keepalive_ns;               /* 0: off */
	uint64_t resolve_ns;     /* between looks at a name; 0: off */
	uint64_t drain_delay_ns; /* may be 0 */
	uint64_t drain_ns;

	struct lbp_config_app *apps; /* app_len of them, >= 1 */
	size_t app_len;
	struct lbp_config_client *clients; /* client_len of them */
	size_t client_len;

	struct lbp_config_arena *arena; /* private: owns all of the above */
};

struct lbp_config_error {
	struct lbp_config_pos pos;
	const char *message; /* what is wrong, and what would be accepted */
};

/* All errors, in the order of their files and places. */
struct lbp_config_errors {
	struct lbp_config_error *items; /* len of them */
	size_t len;
	struct lbp_config_arena *arena; /* private: owns the items */
};

/*
 * Reads len bytes of TOML into a new configuration in *out, which the caller
 * frees with lbp_config_free. The configuration keeps no pointer into text.
 * Files that it includes are not looked at.
 *
 * LBP_ERR_SYNTAX: something is wrong with the text or with what it says;
 * *errors has at least one error, and the caller releases it with
 * lbp_config_errors_release. LBP_ERR_NOMEM. On error *out is NULL; except with
 * LBP_ERR_SYNTAX, *errors is empty and needs no release.
 */
LBP_MUST_CHECK enum lbp_err lbp_config_parse(const char *text, size_t len,
	struct lbp_config **out, struct lbp_config_errors *errors);

/*
 * Reading a configuration of several files, which the caller opens:
 * lbp_config_begin, then lbp_config_add for each file that lbp_config_includes
 * stands for, in the order in which they are to be read, then lbp_config_end.
 * Source: [CFG-70] to [CFG-77].
 */
struct lbp_config_reader;

/*
 * Begins with a configuration's own text; name is what messages in other files
 * call it. Names have to live until lbp_config_end, texts only during the call.
 * NULL: out of memory; else the caller must call lbp_config_end.
 */
struct lbp_config_reader *lbp_config_begin(
	const char *name, const char *text, size_t len);

/*
 * Returns the values of `include`, *len of them, owned by the reader; those
 * with an error of their own have no text. None if the text is not TOML.
 */
const struct lbp_config_text *lbp_config_includes(
	const struct lbp_config_reader *reader, size_t *len);

/*
 * Reads a file that includes[include], which must have a text, stands for. The
 * first file that is added is number 1 in places, the next one number 2, and so
 * on. name is its path.
 */
void lbp_config_add(struct lbp_config_reader *reader, size_t include,
	const char *name, const char *text, size_t len);

/*
 * Records an error at includes[include]: "include: 'NAME' WHY". Both are
 * copied; it adds no file.
 */
void lbp_config_reject_include(struct lbp_config_reader *reader, size_t include,
	const char *name, const char *why);

/* Ends the reading and frees the reader; results as of lbp_config_parse. */
LBP_MUST_CHECK enum lbp_err lbp_config_end(struct lbp_config_reader *reader,
	struct lbp_config **out, struct lbp_config_errors *errors);

/*
 * Calls say for each limit that is allowed but can have no effect, those of
 * apps before those of clients, with the limit's place and a one-line message
 * that is valid during the call. Source: [SRV-134].
 */
void lbp_config_warn(const struct lbp_config *config,
	void (*say)(void *user, struct lbp_config_pos pos, const char *message),
	void *user);

/* Frees a configuration and all that it owns; NULL is allowed. */
void lbp_config_free(struct lbp_config *config);

/* Releases the errors of lbp_config_parse; an empty list is allowed. */
void lbp_config_errors_release(struct lbp_config_errors *errors);

/* Less than, equal to or greater than 0 as a comes before, at or after b. */
int lbp_config_pos_compare(struct lbp_config_pos a, struct lbp_config_pos b);

/*
 * Reads a duration, an integer and its unit: "250ms", "5s", "10m", "2h".
 * LBP_ERR_SYNTAX: not of this form. LBP_ERR_RANGE: less than 1ms or more
 * than 8760h. On error *out_ns is unchanged. Source: [CFG-3].
 */
LBP_MUST_CHECK enum lbp_err lbp_duration_parse(
	uint64_t *out_ns, const char *text, size_t len);

/* Likewise, and 0 with a unit is in range. Source: [CFG-64]. */
LBP_MUST_CHECK enum lbp_err lbp_delay_parse(
	uint64_t *out_ns, const char *text, size_t len);

#endif
