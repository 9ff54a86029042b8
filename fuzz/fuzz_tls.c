/*
 * The server's TLS as cmd/lbproxyd sets it up, over memory, with a client
 * whose certificates, versions, sessions and network are hostile.
 *
 * Input: up to four connections of twelve bytes each, see draw_plan. From each
 * to the next time goes on or the clock is set back, a reload may have brought
 * a longer CRL or fewer CAs, and sessions can be resumed; all else starts anew.
 * Around them other connections fail all the time. [SRV-33]
 */
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "oracle.h"
#include "tls/link.h"
#include "tls/servers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

#define CONNECTIONS_MAX 4
#define SESSION_LIFE_S  3600
#define SEED            3

/* RFC 8446, 6.2 */
enum {
	ALERT_BAD_CERTIFICATE = 2 << 8 | 42,
	ALERT_REVOKED = 2 << 8 | 44,
	ALERT_EXPIRED = 2 << 8 | 45,
	ALERT_UNKNOWN_CA = 2 << 8 | 48,
	ALERT_ACCESS_DENIED = 2 << 8 | 49,
};

/* One connection, as the input has it. */
struct plan {
	unsigned server;
	enum pki_kind kind; /* of the client's certificate */
	int min_version;
	int max_version;
	bool offers;      /* a session, if there is one */
	bool bad_ciphers; /* for TLS 1.2 none that the server takes */
	bool is_late;     /* time passes in the middle */
	bool set_back;    /* the clock, before it */
	bool is_refused;  /* by a limit, after its handshake */
	bool crl_grew;
	bool ends;      /* the client's data end with close_notify */
	unsigned allow; /* what identify answers, a bit for each kind */
	size_t chunk;
	size_t buffer;
	enum wire_fault fault;
	bool fault_is_down;
	size_t fault_at;
	uint8_t fault_value;
	size_t up_len;
	size_t down_len;
};

/* A session that the client keeps. */
struct saved {
	SSL_SESSION *session; /* NULL: none */
	enum pki_kind kind;
	unsigned server;
	int version;
	time_t made; /* its full handshake was complete, by pki_uptime */
	bool was_admitted;
	bool is_sure; /* nothing gave the server a reason to forget it */
};

struct world {
	struct link link;
	struct plan plan;
	struct saved saved;
	bool offered;
	time_t done;      /* its handshake */
	time_t began;     /* this connection, by pki_uptime */
	unsigned tickets; /* that the client got */
	unsigned asked;
	enum pki_kind last; /* whom identify was asked for */
	bool answer;
};

static SSL_CTX *client_ctx;
static struct world world;

static int count_ticket(SSL *client, SSL_SESSION *session)
{
	(void)session;
	world.tickets += SSL_version(client) == TLS1_3_VERSION;
	return 0;
}

static void start(void)
{
	if (client_ctx != NULL)
		return;
	servers_start();
	client_ctx = SSL_CTX_new(TLS_client_method());
	SSL_CTX_set_session_cache_mode(client_ctx, SSL_SESS_CACHE_CLIENT);
	SSL_CTX_sess_set_new_cb(client_ctx, count_ticket);
}

static void draw_versions(struct bytes *bytes, struct plan *plan)
{
	static const int versions[][2] = {
		{TLS1_2_VERSION, TLS1_3_VERSION},
		{TLS1_2_VERSION, TLS1_2_VERSION},
		{TLS1_3_VERSION, TLS1_3_VERSION},
		{TLS1_1_VERSION, TLS1_1_VERSION},
	};
	uint8_t flags = bytes_u8(bytes);

	plan->min_version = versions[flags & 3][0];
	plan->max_version = versions[flags & 3][1];
	plan->offers = (flags & 4) != 0;
	plan->bad_ciphers = (flags & 8) != 0;
	plan->is_late = (flags & 16) != 0;
	plan->ends = (flags & 32) != 0;
	plan->crl_grew = flags >> 6 == 2;
	plan->set_back = flags >> 5 == 7;
}

static void draw_plan(struct bytes *bytes, struct plan *plan)
{
	static const time_t steps[] = {0, 1, 1799, SESSION_LIFE_S - 1,
		SESSION_LIFE_S + 2, PKI_SHORT_LIFE - 1, PKI_SHORT_LIFE,
		2 * 86400, PKI_CRL_LIFE + 1, PKI_CERT_LIFE, PKI_CRL_LIFE - 1};
	uint8_t fault;

	plan->server = servers_draw(bytes_u8(bytes));
	plan->kind = bytes_below(bytes, PKI_KINDS);
	draw_versions(bytes, plan);
	plan->allow = bytes_u8(bytes);
	if (plan->set_back)
		pki_set_clock(PKI_START + PKI_CERT_FROM - 1);
	pki_now += steps[bytes_below(bytes, sizeof(steps) / sizeof(*steps))];
	plan->chunk = bytes_u8(bytes);
	if (plan->chunk == 0)
		plan->chunk = WIRE_MAX;
	plan->buffer = (size_t)64 << bytes_below(bytes, 9);
	fault = bytes_u8(bytes);
	plan->fault = fault % WIRE_FAULTS;
	plan->fault_is_down = (fault & 0x80) != 0;
	plan->fault_at = bytes_uint(bytes, 2);
	plan->fault_value = bytes_u8(bytes);
	plan->up_len = bytes_u8(bytes);
	plan->is_refused = plan->up_len == 1;
	plan->up_len *= plan->up_len / 32;
	/* The longest have more than two records. */
	plan->down_len = plan->up_len / 2 * (plan->up_len > 1700 ? 44 : 1);
	/* A record's number is a small one. */
	if (plan->fault >= WIRE_LOSE)
		plan->fault_at %= 16;
	/* To flip no bit is no fault. */
	if (plan->fault == WIRE_FLIP && plan->fault_value == 0)
		plan->fault_value = 1;
}

static bool is_allowed(const struct plan *plan, enum pki_kind kind)
{
	return kind == PKI_STOLEN ? plan->allow & 1
				  : plan->allow >> kind % 8 & 1;
}

static bool identify(void *user, const struct lbp_name *names, size_t name_len)
{
	struct world *w = user;
	enum pki_kind kind = servers_kind_of(w->plan.server, names);
	unsigned faults;

	ORACLE("SRV-10", kind != PKI_NONE, "nobody's serial");
	ORACLE("SRV-180", servers_has_names(kind, names, name_len),
		"other names of kind %d", kind);
	faults = servers_faults_of(kind, w->plan.server, pki_now);
	ORACLE("SRV-9", faults == 0, "kind %d is asked for with faults %x",
		kind, faults);
	ORACLE("SRV-10",
		kind == w->plan.kind ||
			(kind == PKI_GOOD && w->plan.kind == PKI_STOLEN) ||
			(w->offered && kind == w->saved.kind),
		"kind %d is asked for", kind);
	w->asked++;
	w->last = kind;
	w->answer = is_allowed(&w->plan, kind);
	return w->answer;
}

static SSL *make_client(const struct world *w)
{
	const struct pki_cert *cert = servers_cert(w->plan.kind);
	SSL *client = SSL_new(client_ctx);

	if (client == NULL)
		abort();
	SSL_set_security_level(client, 0);
	SSL_set_min_proto_version(client, w->plan.min_version);
	SSL_set_max_proto_version(client, w->plan.max_version);
	if (w->plan.bad_ciphers)
		SSL_set_cipher_list(client, "AES256-SHA:@SECLEVEL=0");
	if (cert->cert != NULL &&
		(SSL_use_certificate(client, cert->cert) != 1 ||
			SSL_use_PrivateKey(client, cert->key) != 1))
		abort();
	if (cert->intermediate != NULL)
		SSL_add1_chain_cert(client, cert->intermediate);
	if (w->offered) {
		/* A copy: OpenSSL spoils one whose connection ends badly. */
		SSL_SESSION *copy = SSL_SESSION_dup(w->saved.session);

		SSL_set_session(client, copy);
		SSL_SESSION_free(copy);
	}
	return client;
}

/* Can the two agree on a version and a cipher? */
static bool is_possible(const struct plan *plan)
{
	if (plan->max_version < TLS1_2_VERSION)
		return false;
	if (plan->max_version > TLS1_2_VERSION)
		return true;
	return plan->server != SERVER_13 && !plan->bad_ciphers;
}

static bool is_resumed(const struct world *w)
{
	return tls_is_resumed(&w->link.tls);
}

/* Which alert tells a client that it is not let in; 0: any that is fatal. */
static int alert_for(const struct world *w, enum pki_kind kind, unsigned faults)
{
	bool is_judged = kind != PKI_STOLEN || !is_allowed(&w->plan, kind);

	if (!is_resumed(w))
		return faults == 0 && is_judged ? ALERT_BAD_CERTIFICATE : 0;
	if (faults == 0)
		return ALERT_ACCESS_DENIED;
	switch (w->link.tls.reason) {
	case LBP_REASON_REVOKED:
		return ALERT_REVOKED;
	case LBP_REASON_UNTRUSTED:
		return ALERT_UNKNOWN_CA;
	default:
		return ALERT_EXPIRED;
	}
}

/* The two could agree, and this client was not let in. */
static void check_refusal(
	const struct world *w, enum pki_kind kind, unsigned faults)
{
	const struct link *link = &w->link;
	int alert = alert_for(w, kind, faults);

	ORACLE("SRV-9", link->alert >> 8 == 2, "alert %x", link->alert);
	if (faults == 0)
		ORACLE("SRV-11", alert == 0 || link->alert == alert,
			"alert %x, not %x", link->alert, alert);
	else
		ORACLE("SRV-99", alert == 0 || link->alert == alert,
			"alert %x, not %x", link->alert, alert);
	ORACLE("SRV-9", faults == 0 || faults & PKI_FAULT(link->tls.reason),
		"reason %s, faults %x", lbp_reason_text(link->tls.reason),
		faults);
}

/* The handshake was not tampered with: did it end as it should? */
static void check_clean(const struct world *w)
{
	const struct plan *plan = &w->plan;
	const struct saved *saved = &w->saved;
	enum pki_kind kind = is_resumed(w) ? saved->kind : plan->kind;
	unsigned faults = servers_faults_of(kind, plan->server, pki_now);
	bool fine = faults == 0 && is_allowed(plan, kind) &&
		    (is_resumed(w) || kind != PKI_STOLEN);
	bool fresh = w->began - saved->made < SESSION_LIFE_S;
	const struct link *link = &w->link;

	if (is_possible(plan) && w->offered && saved->is_sure && fresh &&
		saved->server == plan->server &&
		saved->version == plan->max_version)
		ORACLE("SRV-12", is_resumed(w), "a session is not resumed");
	ORACLE("SRV-9", (link->io == IO_OK) == (fine && is_possible(plan)),
		"kind %d, faults %x, allowed %d: %d, %s", kind, faults,
		is_allowed(plan, kind), link->io,
		link->tls.detail != NULL ? link->tls.detail : "");
	if (link->io == IO_OK)
		return;
	if (is_possible(plan))
		check_refusal(w, kind, faults);
	else
		ORACLE("SES-2", link->tls.reason == LBP_REASON_HANDSHAKE_FAILED,
			"reason %s", lbp_reason_text(link->tls.reason));
}

/* What holds of a handshake that completed, whatever happened to it. */
static void check_complete(const struct world *w)
{
	const struct link *link = &w->link;
	const char *version = tls_version(&link->tls);
	enum pki_kind kind = is_resumed(w) ? w->saved.kind : w->plan.kind;

	ORACLE("SRV-9", w->asked > 0 && w->answer && w->last == kind,
		"kind %d completes, and identify was asked %u times", kind,
		w->asked);
	ORACLE("SRV-67",
		sk_X509_num(SSL_get_peer_cert_chain(link->tls.ssl)) <= 0,
		"certificates beside the client's own are kept");
	ORACLE("SRV-9", is_resumed(w) || kind != PKI_STOLEN,
		"a certificate without its key");
	ORACLE("SRV-9",
		wire_is_same(&link->up, link->up_needed > 0
						? link->up_needed
						: link->up.sent_len),
		"what the client sent is not what came");
	ORACLE("SRV-9", wire_is_same(&link->down, link->down_needed),
		"what the client got was not what was sent");
	ORACLE("SRV-8",
		strcmp(version, "TLSv1.3") == 0 ||
			(strcmp(version, "TLSv1.2") == 0 &&
				w->plan.server != SERVER_13),
		"%s", version);
	if (!is_resumed(w))
		return;
	ORACLE("SRV-187",
		(servers_faults_of(kind, w->plan.server, pki_now) &
			PKI_FAULT(LBP_REASON_UNTRUSTED)) == 0,
		"kind %d is resumed, and not trusted any more", kind);
	ORACLE("SRV-12", w->offered && w->saved.server == w->plan.server,
		"resumed on server %u", w->plan.server);
	ORACLE("SRV-70", w->began - w->saved.made < SESSION_LIFE_S,
		"resumed %ld s after its full handshake",
		(long)(w->began - w->saved.made));
	ORACLE("SRV-68", w->saved.was_admitted,
		"resumed, and nobody was admitted");
}

/* The client sends its data, and its end; how much of that it could do. */
static void send_up(const struct world *w, size_t *len, bool *ended)
{
	uint8_t data[2048];

	*len = 0;
	for (size_t i = 0; i < w->plan.up_len; i++)
		data[i] = link_byte(i);
	if (w->plan.up_len > 0)
		SSL_write_ex(w->link.client, data, w->plan.up_len, len);
	*ended = w->plan.ends && SSL_shutdown(w->link.client) >= 0;
}

/* Does the server leave without close_notify? */
static bool breaks_off(const struct plan *plan)
{
	return !plan->ends && plan->up_len % 2 == 1;
}

/* TCP ends, and TLS has not: that is not a broken protocol. */
static void check_no_end(struct world *w, enum io how, bool ended)
{
	struct link *link = &w->link;

	/* A client that is given rubbish says so in an alert. */
	if (ended || link->client_failed || !wire_is_clean(&link->up))
		return;
	ORACLE("SES-8", how == IO_TRUNCATED, "result %d", how);
	link_settle(link);
	ORACLE("SRV-83", link->alert >> 8 != 2, "alert %x", link->alert);
}

/* Moves data both ways; true if the server could say all it wanted. */
static bool relay(struct world *w)
{
	struct link *link = &w->link;
	size_t sent;
	size_t up = 0;
	bool ended;
	enum io how;
	enum io io;

	link_settle(link);
	send_up(w, &sent, &ended);
	io = link_write(link, w->plan.down_len);
	/* Some ends are none: the TLS session is none the worse for it. */
	if (io == IO_OK && !breaks_off(&w->plan)) {
		link_begin_call(link);
		io = tls_end(&link->tls);
	}
	ORACLE("SRV-33", io != IO_RESET || !wire_is_clean(&link->up),
		"nothing is wrong with what the client sent");
	link_settle(link);
	link_cut(link);
	how = link_read(link, &up);
	check_no_end(w, how, ended);
	/* A clean end comes after all that was sent before it. */
	if (how == IO_END)
		ORACLE("SRV-16",
			ended && up == sent &&
				wire_is_same(&link->up, link->up.sent_len),
			"a clean end after %zu of %zu bytes", up, sent);
	else
		ORACLE("SRV-17", !ended || !wire_is_clean(&link->up),
			"no clean end after %zu of %zu bytes", up, sent);
	if (wire_is_clean(&link->up))
		ORACLE("SRV-16", up == sent, "%zu of %zu bytes", up, sent);
	return io == IO_OK;
}

static void check_down(const struct world *w)
{
	const struct link *link = &w->link;

	ORACLE("SRV-16", !link->down_garbled, "what the client read is wrong");
	if (link->client_ended || wire_is_clean(&link->down))
		ORACLE("SRV-16", link->down_got == w->plan.down_len,
			"%zu of %zu bytes", link->down_got, w->plan.down_len);
}

/* A ticket comes with data, and in no other way. */
static void check_ticket(const struct world *w)
{
	SSL *client = w->link.client;
	bool has_ticket =
		SSL_version(client) == TLS1_3_VERSION && w->tickets > 0;

	ORACLE("SRV-71", w->plan.down_len > 0 || !has_ticket,
		"a ticket without data");
	ORACLE("SRV-71", w->tickets <= 1, "%u tickets", w->tickets);
}

/* The client keeps its session, which the server may know. */
static void save(struct world *w, bool is_sure)
{
	SSL_SESSION *session = SSL_get0_session(w->link.client);
	struct saved *saved = &w->saved;
	bool resumed = is_resumed(w);
	enum pki_kind kind = resumed ? saved->kind : w->plan.kind;

	if (w->link.client_failed || session == NULL ||
		SSL_SESSION_is_resumable(session) != 1)
		return;
	/* Without a new ticket the one it has is still the one to offer. */
	if (SSL_version(w->link.client) == TLS1_3_VERSION && w->tickets == 0)
		return;
	SSL_SESSION_free(saved->session);
	saved->session = SSL_SESSION_dup(session);
	/* The hour counts from the full handshake. [SRV-70] */
	if (!resumed)
		saved->made = w->done;
	saved->was_admitted =
		!w->plan.is_refused || (resumed && saved->was_admitted);
	saved->kind = kind;
	saved->server = w->plan.server;
	saved->version = SSL_version(w->link.client);
	saved->is_sure = is_sure && !w->plan.is_late && saved->was_admitted;
}

static void connect_once(struct world *w)
{
	struct plan *plan = &w->plan;
	struct link *link = &w->link;
	bool clean;

	wire_init(&link->up, plan->fault_is_down ? WIRE_NONE : plan->fault,
		plan->fault_at, plan->fault_value);
	wire_init(&link->down, plan->fault_is_down ? plan->fault : WIRE_NONE,
		plan->fault_at, plan->fault_value);
	if (!link_accept(
		    link, servers_get(plan->server), plan->buffer, plan->chunk))
		abort();
	link_connect(link, make_client(w));
	link->late_s = plan->is_late ? SESSION_LIFE_S + 60 : 0;
	link_handshake(link);
	if (link->io != IO_OK && link->io != IO_RESET) {
		link_cut(link);
		link_begin_call(link);
		link->io = tls_handshake(&link->tls);
	}
	w->done = pki_uptime();
	if (link->io == IO_OK)
		check_complete(w);
	else
		link_check_refused(link);
	link_settle(link);
	clean = wire_is_clean(&link->up) && wire_is_clean(&link->down);
	if (clean && !plan->is_late)
		check_clean(w);
	if (link->io != IO_OK) {
		w->saved.is_sure = false;
		return;
	}
	/* Nothing but close_notify goes to one that is refused. [SRV-71] */
	if (plan->is_refused) {
		plan->up_len = plan->down_len = 0;
	} else {
		tls_admitted(&link->tls, (uint32_t)plan->kind);
	}
	clean = relay(w) && clean;
	check_down(w);
	check_ticket(w);
	save(w, clean && wire_is_clean(&link->down));
}

static void reset(struct world *w)
{
	w->link.client = NULL;
	w->link.client_failed = false;
	w->link.client_ended = false;
	w->link.alert = 0;
	w->link.down_got = 0;
	w->link.down_needed = 0;
	w->link.up_needed = 0;
	w->link.down_garbled = false;
	w->link.others_fail = true;
	w->link.tls.identify = identify;
	w->link.tls.user = w;
	w->tickets = 0;
	w->asked = 0;
	w->answer = false;
	w->last = PKI_NONE;
	w->began = pki_uptime();
}

static void run_clients(struct world *w, struct bytes *bytes)
{
	for (int i = 0; i < CONNECTIONS_MAX && bytes->len > 0; i++) {
		draw_plan(bytes, &w->plan);
		servers_reload(w->plan.crl_grew);
		/* A client may think that a session from the future is old. */
		if (w->plan.set_back)
			w->saved.is_sure = false;
		reset(w);
		w->offered = w->plan.offers && w->saved.session != NULL;
		connect_once(w);
		link_release(&w->link);
	}
	SSL_SESSION_free(w->saved.session);
	w->saved = (struct saved){0};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct bytes bytes = {data, len};

	start();
	pki_set_clock(PKI_START);
	pki_seed(SEED);
	run_clients(&world, &bytes);
	servers_flush();
	ERR_clear_error();
	return 0;
}
