/*
 * Out of memory at start-up and at accept: each allocation of snapshot_load,
 * and of the server's side of handshakes, fails in turn; once, or together
 * with all after it. OpenSSL's are among them, but for what it allocates once
 * in a program's life. The result must be an error, or as good as without the
 * failure: nobody gets in who would not. Run it with a sanitizer that finds
 * leaks. usage: nomem [STEP], which tries each STEP-th allocation only, and the
 * first of every call of ours that allocates.
 *
 * Linked with malloc, calloc, realloc, strdup, strndup, tls_accept and
 * tls_handshake wrapped.
 */
#include <execinfo.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../cmd/lbproxyd/snapshot.h"
#include "../cmd/lbproxyd/tls_memory.h"
#include "oracle.h"
#include "tls/link.h"
#include "tls/pki.h"

void *__real_malloc(size_t size);
void *__real_calloc(size_t len, size_t size);
void *__real_realloc(void *ptr, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t len);
bool __real_tls_accept(struct tls *tls, struct tls_server *server, int fd);
enum io __real_tls_handshake(struct tls *tls);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t len, size_t size);
void *__wrap_realloc(void *ptr, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t len);
bool __wrap_tls_accept(struct tls *tls, struct tls_server *server, int fd);
enum io __wrap_tls_handshake(struct tls *tls);

#define BUFFER 65536

/* How many of the attempts each loaded server is tried with. */
#define CHECKED 3

#define DEPTH  64
#define PLACES 4096
/* More allocations than a load makes. */
#define MANY (1UL << 17)

/* A handshake to try: who, and what happened before. */
struct attempt {
	const char *name;
	enum pki_kind kind;
	int version;
	bool resumes;   /* a session that was made just before */
	bool allowed;   /* what identify answers */
	time_t when;    /* seconds from PKI_START */
	bool is_let_in; /* with enough memory */
};

static struct {
	bool armed;
	bool stays;       /* all after it fail too */
	unsigned long at; /* 0: none fails */
	unsigned long count;
	void *stack[DEPTH]; /* of the first that failed */
	int stack_len;
} failure;

/* Which allocations to try whatever the step is. */
static struct {
	bool is_looking; /* for them, in a run in which none fails */
	bool chosen[MANY];
	uintptr_t places[PLACES];
	size_t len;
} first;

static struct pki pki;
static struct pki_files files;
static SSL_CTX *client_ctx;
static bool is_asked_and_allowed;
static unsigned long step = 1;
static unsigned long runs;

/* The two innermost calls of ours that led to an allocation, as a number. */
static uintptr_t place_of(void *const *stack, int len, const void *caller)
{
	extern const char __executable_start, etext;
	uintptr_t place = 0;
	int calls = 0;
	int i = 0;

	while (i < len && stack[i] != caller)
		i++;
	for (; i < len && calls < 3; i++) {
		uintptr_t at = (uintptr_t)stack[i];

		if (at < (uintptr_t)&__executable_start ||
			at > (uintptr_t)&etext)
			continue;
		place = (place << 31 | place >> 33) ^ at;
		calls++;
	}
	return place;
}

static void look(const void *caller)
{
	void *stack[DEPTH];
	uintptr_t place = place_of(stack, backtrace(stack, DEPTH), caller);

	for (size_t i = 0; i < first.len; i++) {
		if (first.places[i] == place)
			return;
	}
	if (first.len == PLACES || failure.count >= MANY)
		abort();
	first.places[first.len++] = place;
	first.chosen[failure.count] = true;
}

/* The allocation to try after this one. */
static unsigned long next_of(unsigned long at)
{
	do
		at++;
	while ((at - 1) % step != 0 && !(at < MANY && first.chosen[at]));
	return at;
}

static void begin_look(void)
{
	memset(&first, 0, sizeof(first));
	first.is_looking = true;
}

static bool fails(const void *caller)
{
	void *stack[DEPTH];
	int len;

	if (!failure.armed)
		return false;
	failure.count++;
	if (first.is_looking)
		look(caller);
	if (failure.at == 0 || failure.count < failure.at ||
		(!failure.stays && failure.count > failure.at))
		return false;
	len = backtrace(stack, DEPTH);
	if (failure.count == failure.at) {
		memcpy(failure.stack, stack, sizeof(stack));
		failure.stack_len = len;
	}
	return true;
}

/* Whether the allocation that this function stands for fails. */
#define FAILS() fails(__builtin_return_address(0))

void *__wrap_malloc(size_t size)
{
	return FAILS() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t len, size_t size)
{
	return FAILS() ? NULL : __real_calloc(len, size);
}

void *__wrap_realloc(void *ptr, size_t size)
{
	return FAILS() ? NULL : __real_realloc(ptr, size);
}

char *__wrap_strdup(const char *text)
{
	return FAILS() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t len)
{
	return FAILS() ? NULL : __real_strndup(text, len);
}

bool __wrap_tls_accept(struct tls *tls, struct tls_server *server, int fd)
{
	bool result;

	failure.armed = failure.at != 0 || failure.stays;
	result = __real_tls_accept(tls, server, fd);
	failure.armed = false;
	return result;
}

enum io __wrap_tls_handshake(struct tls *tls)
{
	enum io result;

	failure.armed = failure.at != 0 || failure.stays;
	result = __real_tls_handshake(tls);
	failure.armed = false;
	return result;
}

static void require(bool ok, const char *what, const char *name)
{
	if (ok)
		return;
	fprintf(stderr, "nomem: %s: %s, allocation %lu, stays %d\n", name, what,
		failure.at, failure.stays);
	backtrace_symbols_fd(failure.stack, failure.stack_len, STDERR_FILENO);
	abort();
}

static bool identify(void *user, const struct lbp_name *names, size_t name_len)
{
	const struct attempt *attempt = user;

	(void)names, (void)name_len;
	is_asked_and_allowed = attempt->allowed;
	return attempt->allowed;
}

static SSL *make_client(const struct attempt *attempt, SSL_SESSION *session)
{
	const struct pki_cert *cert = &pki.certs[attempt->kind];
	SSL *client = SSL_new(client_ctx);

	SSL_set_min_proto_version(client, attempt->version);
	SSL_set_max_proto_version(client, attempt->version);
	SSL_use_certificate(client, cert->cert);
	SSL_use_PrivateKey(client, cert->key);
	if (cert->intermediate != NULL)
		SSL_add1_chain_cert(client, cert->intermediate);
	if (session != NULL)
		SSL_set_session(client, session);
	return client;
}

/* What an upstream would be told of it, which may be nothing. */
static void describe(struct tls *tls, const char *name)
{
	struct tls_description description;
	bool is_described;

	failure.armed = failure.at != 0 || failure.stays;
	is_described = tls_describe(tls, &description);
	failure.armed = false;
	require(is_described || failure.count >= failure.at,
		"not described without need", name);
	require(!is_described || description.cipher != NULL, "no cipher", name);
}

/* One handshake; NULL, or the session that the client gets if it wants it. */
static SSL_SESSION *handshake(struct tls_server *server,
	const struct attempt *attempt, SSL_SESSION *session, bool *let_in)
{
	static struct link link;
	struct attempt asked = *attempt;
	SSL_SESSION *made = NULL;

	memset(&link, 0, sizeof(link));
	link.tls.identify = identify;
	link.tls.user = &asked;
	is_asked_and_allowed = false;
	*let_in = false;
	if (!link_accept(&link, server, BUFFER, BUFFER)) {
		require(link.tls.ssl == NULL, "half accepted", attempt->name);
		return NULL;
	}
	link_connect(&link, make_client(attempt, session));
	link_handshake(&link);
	if (link.io != IO_OK && link.io != IO_RESET && link.io != IO_INTERNAL) {
		link_cut(&link);
		link.io = tls_handshake(&link.tls);
	}
	*let_in = link.io == IO_OK;
	require(*let_in || link.tls.reason != LBP_REASON_NONE, "no reason",
		attempt->name);
	/* Whom it does not let in for want of memory did nothing wrong. */
	ORACLE("SRV-160",
		*let_in || !attempt->is_let_in ||
			link.tls.reason == LBP_REASON_INTERNAL,
		"%s: allocation %lu, stays %d: reason %s", attempt->name,
		failure.at, failure.stays, lbp_reason_text(link.tls.reason));
	require(!*let_in || is_asked_and_allowed, "let in without a question",
		attempt->name);
	if (*let_in)
		describe(&link.tls, attempt->name);
	link_settle(&link);
	if (*let_in && session == NULL) {
		/* The ticket comes with the first byte. [SRV-71] */
		tls_admitted(&link.tls, 0);
		link_write(&link, 1);
		link_settle(&link);
		tls_end(&link.tls);
		made = SSL_SESSION_dup(SSL_get0_session(link.client));
	}
	link_release(&link);
	ERR_clear_error();
	return made;
}

static const struct attempt attempts[] = {
	{"good 1.3", PKI_GOOD, TLS1_3_VERSION, false, true, 0, true},
	{"names 1.3", PKI_OTHER, TLS1_3_VERSION, false, true, 0, true},
	{"revoked", PKI_REVOKED, TLS1_3_VERSION, false, true, 0, false},
	{"indirect", PKI_INDIRECT, TLS1_3_VERSION, false, true, 0, false},
	{"good 1.2", PKI_GOOD, TLS1_2_VERSION, false, true, 0, true},
	{"unlisted", PKI_GOOD, TLS1_3_VERSION, false, false, 0, false},
	{"other CA", PKI_FOREIGN, TLS1_2_VERSION, false, true, 0, false},
	{"stolen", PKI_STOLEN, TLS1_3_VERSION, false, true, 0, false},
	{"resumed 1.3", PKI_GOOD, TLS1_3_VERSION, true, true, 0, true},
	{"resumed 1.2", PKI_GOOD, TLS1_2_VERSION, true, true, 0, true},
	{"resumed, unlisted", PKI_GOOD, TLS1_3_VERSION, true, false, 0, false},
	{"resumed, no CRL", PKI_GOOD, TLS1_3_VERSION, true, true, PKI_CRL_LIFE,
		false},
	{"resumed, expired", PKI_SHORT, TLS1_2_VERSION, true, true,
		PKI_SHORT_LIFE, false},
};

/* True if there was an allocation to fail. */
static bool run_attempt(struct tls_server *server,
	const struct attempt *attempt, unsigned long at, bool stays)
{
	struct attempt before = *attempt;
	SSL_SESSION *session = NULL;
	bool let_in;

	pki_seed(at);
	before.allowed = true;
	failure.at = 0;
	failure.stays = false;
	/* What was still valid a little earlier. */
	pki_now = PKI_START + attempt->when - (attempt->when > 0 ? 60 : 0);
	if (attempt->resumes)
		session = handshake(server, &before, NULL, &let_in);
	require(!attempt->resumes || session != NULL, "no session",
		attempt->name);
	pki_now = PKI_START + attempt->when;
	failure.count = 0;
	failure.at = at;
	failure.stays = stays;
	SSL_SESSION_free(handshake(server, attempt, session, &let_in));
	require(attempt->is_let_in || !let_in, "let in", attempt->name);
	require(failure.count >= at || let_in == attempt->is_let_in,
		"refused without need", attempt->name);
	SSL_SESSION_free(session);
	cache_clear(server->cache);
	runs++;
	return failure.count >= at;
}

static void try_attempt(
	struct tls_server *server, const struct attempt *attempt)
{
	unsigned long began = runs;

	(void)run_attempt(server, attempt, MANY, false);
	begin_look();
	(void)run_attempt(server, attempt, MANY, false);
	first.is_looking = false;
	for (int stays = 0; stays < 2; stays++) {
		for (unsigned long at = 1;
			run_attempt(server, attempt, at, stays != 0);
			at = next_of(at))
			continue;
	}
	failure.at = 0;
	failure.stays = false;
	printf("nomem: %-18s %5lu runs\n", attempt->name, runs - began);
}

/* A file in memory, as a pattern that it alone matches. */
static int make_included(char *pattern, size_t cap)
{
	static const char text[] = "[[client]]\nid = \"c\"\n"
				   "serials = [\"0A:01\"]\n"
				   "apps = [\"a\"]\n";
	/* More than is read at once. */
	static const char comment[] = "#..............................\n";
	int fd = memfd_create("included", MFD_CLOEXEC);
	char digits[16];

	if (fd < 0 || write(fd, text, sizeof(text) - 1) < 0)
		abort();
	for (size_t n = 0; n < BUFFER; n += sizeof(comment) - 1) {
		if (write(fd, comment, sizeof(comment) - 1) < 0)
			abort();
	}
	snprintf(digits, sizeof(digits), "%d", fd);
	snprintf(pattern, cap, "/proc/self/fd/[%c]%s", digits[0], digits + 1);
	return fd;
}

/* A text in memory, which it frees. */
static int keep(char *text, int len, char *path)
{
	int fd = memfd_create("text", MFD_CLOEXEC);

	if (fd < 0 || len < 0 || write(fd, text, (size_t)len) != len)
		abort();
	free(text);
	snprintf(path, PKI_PATH_MAX, "/proc/self/fd/%d", fd);
	return fd;
}

static int make_config(char *path, const char *included)
{
	char *text = NULL;
	int len = asprintf(&text,
		"include = [\"%s\"]\n"
		"[tls]\ncertificate = \"%s\"\nprivate_key = \"%s\"\n"
		"client_ca = \"%s\"\ncrl = \"%s\"\n"
		"ciphers = \"ECDHE+AESGCM\"\n"
		"ciphersuites = \"TLS_AES_128_GCM_SHA256\"\n"
		"[[app]]\nid = \"a\"\nlisten = [\"127.0.0.1:1\"]\n"
		"[[app.upstream]]\nurl = \"tls://127.0.0.1:2\"\nca = \"%s\"\n"
		"certificate = \"%s\"\nprivate_key = \"%s\"\n"
		"[[app.upstream]]\nurl = \"tcp://[::1]:3\"\n",
		included, files.certificate, files.private_key, files.client_ca,
		files.crl, files.client_ca, files.certificate,
		files.private_key);

	return keep(text, len, path);
}

/* The lists of the CA and of one that it may have below it. */
static int make_lists(char *path)
{
	ASN1_TIME *when = ASN1_TIME_set(NULL, PKI_START + PKI_CRL_FROM);
	X509_CRL *below = X509_CRL_new();
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	char *bytes;
	int len;

	X509_CRL_set_version(below, X509_CRL_VERSION_2);
	X509_CRL_set_issuer_name(
		below, X509_get_subject_name(pki.other_ca.cert));
	X509_CRL_set1_lastUpdate(below, when);
	ASN1_TIME_set(when, PKI_START + PKI_CRL_LIFE);
	X509_CRL_set1_nextUpdate(below, when);
	X509_CRL_sign(below, pki.other_ca.key, EVP_sha256());
	PEM_write_bio_X509_CRL(bio, pki.crl);
	PEM_write_bio_X509_CRL(bio, below);
	len = (int)BIO_get_mem_data(bio, &bytes);
	len = asprintf(&text, "%.*s", len, bytes);
	ASN1_TIME_free(when);
	X509_CRL_free(below);
	BIO_free(bio);
	return keep(text, len, path);
}

/* What else there is to be allocated for; not to be tried with handshakes. */
static int make_full_config(char *path, const char *included, const char *lists)
{
	char *text = NULL;
	int len = asprintf(&text,
		"include = [\"%s\"]\n"
		"[server]\nadmin = \"127.0.0.1:4\"\n"
		"admin_socket = \"/run/nomem\"\n"
		"[tls]\ncertificate = \"%s\"\nprivate_key = \"%s\"\n"
		"[[tls.client_ca]]\nid = \"one\"\nfile = \"%s\"\n"
		"crl = \"%s\"\nchain = true\n"
		"[[tls.client_ca]]\nid = \"other\"\nfile = \"%s\"\n"
		"[[app]]\nid = \"a\"\nlisten = [\"127.0.0.1:1\"]\n"
		"accept_proxy = [\"10.0.0.0/8\"]\n"
		"[[app.upstream]]\nurl = \"unix:///run/upstream\"\n"
		"[[app.upstream]]\nurl = \"tls://localhost:2\"\n"
		"ca = \"%s\"\n",
		included, files.certificate, files.private_key, files.client_ca,
		lists, files.other_ca, files.client_ca);

	return keep(text, len, path);
}

static struct cache *cache; /* of all servers */

/* What is loaded. */
struct source {
	const char *name;
	const char *path;
	const struct snapshot *last; /* its files as they were read before */
	bool has_all;                /* that handshakes are tried with */
};

/* Loads with problems going to a file in memory; *lines is how many. */
static struct snapshot *load(const struct source *source, unsigned *lines)
{
	struct snapshot *snapshot;
	int saved = dup(STDERR_FILENO);
	int fd = memfd_create("problems", MFD_CLOEXEC);
	char buf[4096];
	ssize_t n;

	fflush(stderr);
	dup2(fd, STDERR_FILENO);
	failure.count = 0;
	failure.armed = true;
	snapshot = source->last == NULL
			   ? snapshot_load(source->path, 0, NULL)
			   : snapshot_load_again(source->last, NULL);
	failure.armed = false;
	dup2(saved, STDERR_FILENO);
	close(saved);
	*lines = 0;
	lseek(fd, 0, SEEK_SET);
	while ((n = read(fd, buf, sizeof(buf))) > 0) {
		for (ssize_t i = 0; i < n; i++)
			*lines += buf[i] == '\n';
	}
	close(fd);
	if (snapshot != NULL && snapshot->tls != NULL)
		tls_server_follow(snapshot->tls, cache, NULL);
	return snapshot;
}

/* A server that did start lets in whom it should, and nobody else. */
static void check_snapshot(const struct snapshot *snapshot)
{
	unsigned long at = failure.at;
	bool stays = failure.stays;
	bool let_in;

	require(snapshot->tls != NULL && snapshot->apps != NULL &&
			snapshot_place(&snapshot->apps[0].config->upstreams[0])
					->target->tls != NULL,
		"half a snapshot", "load");
	pki_now = PKI_START;
	failure.at = 0;
	failure.stays = false;
	for (size_t i = 0; i < CHECKED; i++) {
		SSL_SESSION_free(
			handshake(snapshot->tls, &attempts[i], NULL, &let_in));
		ORACLE("SRV-160", let_in == attempts[i].is_let_in,
			"%s: allocation %lu, stays %d: let in %d",
			attempts[i].name, at, stays, let_in);
	}
	failure.at = at;
	failure.stays = stays;
}

/* True if there was an allocation to fail. */
static bool run_load(const struct source *source, unsigned long at, bool stays)
{
	struct snapshot *snapshot;
	unsigned lines;
	bool failed;

	failure.at = at;
	failure.stays = stays;
	snapshot = load(source, &lines);
	failed = failure.count >= at;
	require((snapshot == NULL) == (lines > 0), "no problem was printed",
		source->name);
	require(snapshot != NULL || failed, "not loaded without need",
		source->name);
	if (snapshot != NULL && source->has_all)
		check_snapshot(snapshot);
	snapshot_free(snapshot);
	ERR_clear_error();
	runs++;
	return failed;
}

static void try_load(const struct source *source)
{
	unsigned long began = runs;

	/* Once before: some of OpenSSL's allocations are never made again. */
	(void)run_load(source, MANY, false);
	begin_look();
	(void)run_load(source, MANY, false);
	first.is_looking = false;
	for (int stays = 0; stays < 2; stays++) {
		for (unsigned long at = 1; run_load(source, at, stays != 0);
			at = next_of(at))
			continue;
	}
	printf("nomem: %-18s %5lu runs\n", source->name, runs - began);
	failure.at = 0;
	failure.stays = false;
}

/* All that a configuration can have, and it once more. */
static void try_full(const char *path)
{
	struct source full = {.name = "load all", .path = path};
	struct source again = {.name = "load again", .path = path};
	struct snapshot *last;
	unsigned lines;

	try_load(&full);
	last = load(&full, &lines);
	require(last != NULL, "not loaded", full.name);
	again.last = last;
	try_load(&again);
	snapshot_free(last);
}

int main(int argc, char **argv)
{
	char path[PKI_PATH_MAX], full[PKI_PATH_MAX], lists[PKI_PATH_MAX];
	const struct source source = {
		.name = "load", .path = path, .has_all = true};
	struct snapshot *snapshot;
	char included[PKI_PATH_MAX], plain[PKI_PATH_MAX];
	unsigned lines;
	int fds[4];

	if (!tls_memory_init())
		abort();
	cache = tls_cache_new();
	if (cache == NULL)
		abort();
	if (argc > 1)
		step = strtoul(argv[1], NULL, 10);
	if (step == 0)
		return 2;
	setvbuf(stdout, NULL, _IOLBF, 0);
	/* The first call allocates. */
	failure.stack_len = backtrace(failure.stack, DEPTH);
	pki_make(&pki);
	pki_open_files(&pki, &files);
	fds[0] = make_included(included, sizeof(included));
	snprintf(plain, sizeof(plain), "/proc/self/fd/%d", fds[0]);
	fds[1] = make_config(path, included);
	fds[2] = make_lists(lists);
	fds[3] = make_full_config(full, plain, lists);
	client_ctx = SSL_CTX_new(TLS_client_method());
	try_load(&source);
	try_full(full);
	snapshot = load(&source, &lines);
	require(snapshot != NULL, "not loaded", "load");
	for (size_t i = 0; i < sizeof(attempts) / sizeof(*attempts); i++)
		try_attempt(snapshot->tls, &attempts[i]);
	printf("nomem: %lu runs\n", runs);
	snapshot_free(snapshot);
	tls_cache_free(cache);
	SSL_CTX_free(client_ctx);
	pki_release(&pki);
	pki_close_files(&files);
	for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++)
		close(fds[i]);
	return 0;
}
