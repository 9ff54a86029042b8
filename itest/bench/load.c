/*
 * load: the client side of the benchmark, one thread over epoll and OpenSSL.
 * It makes its connections, prints "ready", and waits for a line on standard
 * input; then does its work, prints "done OPERATIONS RESUMED NANOSECONDS P99",
 * the last of which is the 99th percentile of what an exchange took, in
 * nanoseconds, and waits for a line again before it closes what is open. So
 * whoever runs it can look at the proxy's CPU time and memory in between. TLS
 * is of one version with one cipher suite and one group, so that every proxy
 * does the same work. With -y it gives way to every other process on its CPU
 * after each event.
 */
#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <openssl/ssl.h>

#include "conn.h"

enum {
	EVENTS_MAX = 64,
	OPENING_MAX = 16, /* handshakes at a time while many are opened */
	STALL_MS = 10000,
	WARM_UP_ROUNDS = 8
};

static void run_phase(struct load *load, struct phase phase)
{
	struct epoll_event events[EVENTS_MAX];

	load->phase = phase;
	load->started = 0;
	load->finished = 0;
	load->resumed = 0;
	exchange_write(load->request, phase.up, phase.down);
	for (uint64_t i = 0; i < phase.width && i < phase.total; i++)
		conn_start(&load->conns[i]);
	for (uint64_t i = 0; i < phase.width && i < phase.total; i++)
		conn_drive(&load->conns[i]);
	while (load->finished < phase.total) {
		int n = epoll_wait(load->epoll, events, EVENTS_MAX, STALL_MS);

		if (n == 0)
			die("nothing moved for 10 s");
		if (n < 0 && errno != EINTR)
			die("epoll_wait");
		for (int i = 0; i < n; i++) {
			conn_drive(events[i].data.ptr);
			if (load->plan.yields)
				(void)sched_yield();
		}
	}
}

static struct phase phase_open(const struct plan *plan)
{
	bool few = plan->conns < OPENING_MAX;

	return (struct phase){STEP_HANDSHAKE, STEP_RECEIVE, plan->conns,
		few ? plan->conns : OPENING_MAX, 0, 1};
}

static struct phase phase_connect(const struct plan *plan, uint64_t total)
{
	return (struct phase){STEP_HANDSHAKE, STEP_CLOSE, total, plan->conns,
		plan->up, plan->down};
}

static struct phase phase_exchange(const struct plan *plan, uint64_t total)
{
	return (struct phase){STEP_SEND, STEP_RECEIVE, total, plan->conns,
		plan->up, plan->down};
}

static void set_up(struct load *load)
{
	const struct plan *plan = &load->plan;

	if (plan->mode == MODE_RESUME)
		run_phase(load, phase_connect(plan, plan->conns));
	if (plan->mode == MODE_EXCHANGE || plan->mode == MODE_HOLD)
		run_phase(load, phase_open(plan));
	if (plan->mode == MODE_HOLD && plan->up > 0)
		run_phase(load, phase_exchange(plan, plan->conns));
	if (plan->mode == MODE_EXCHANGE && plan->up < BLOCK_BYTES &&
		plan->down < BLOCK_BYTES)
		run_phase(load,
			phase_exchange(plan, plan->conns * WARM_UP_ROUNDS));
}

static void work(struct load *load)
{
	const struct plan *plan = &load->plan;

	if (plan->mode == MODE_CONNECT || plan->mode == MODE_RESUME)
		run_phase(load, phase_connect(plan, plan->count));
	if (plan->mode == MODE_EXCHANGE)
		run_phase(load, phase_exchange(plan, plan->count));
}

static void tear_down(struct load *load)
{
	uint64_t conns = load->plan.conns;

	if (load->plan.mode == MODE_EXCHANGE || load->plan.mode == MODE_HOLD)
		run_phase(load, (struct phase){STEP_CLOSE, STEP_CLOSE, conns,
					conns, 0, 0});
}

static int keep_session(SSL *ssl, SSL_SESSION *session)
{
	struct conn *conn = SSL_get_app_data(ssl);

	SSL_SESSION_free(conn->session);
	conn->session = session;
	return 1;
}

static SSL_CTX *make_ctx(const struct plan *plan)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());

	if (!ctx || !SSL_CTX_set_min_proto_version(ctx, plan->tls) ||
		!SSL_CTX_set_max_proto_version(ctx, plan->tls) ||
		!SSL_CTX_set_ciphersuites(ctx, "TLS_AES_256_GCM_SHA384") ||
		!SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM+AES256") ||
		!SSL_CTX_set1_groups_list(ctx, plan->tls == TLS1_2_VERSION
						       ? "X25519:P-256"
						       : "X25519") ||
		!SSL_CTX_load_verify_locations(ctx, plan->ca, NULL) ||
		!SSL_CTX_use_certificate_chain_file(ctx, plan->certificate) ||
		!SSL_CTX_use_PrivateKey_file(ctx, plan->key, SSL_FILETYPE_PEM))
		die("TLS set-up");
	SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE |
				      SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_session_cache_mode(
		ctx, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
	SSL_CTX_sess_set_new_cb(ctx, keep_session);
	return ctx;
}

static int compare_times(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a;
	uint64_t y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Of the exchanges of the last phase, 0 if it had none. */
static uint64_t p99_ns(struct load *load)
{
	if (load->phase.first != STEP_SEND)
		return 0;
	qsort(load->times_ns, load->finished, sizeof(*load->times_ns),
		compare_times);
	return load->times_ns[load->finished * 99 / 100];
}

static void wait_for_line(void)
{
	char line[16];

	(void)fflush(stdout);
	if (!fgets(line, sizeof(line), stdin))
		exit(0);
}

static bool parse_mode(const char *name, enum mode *mode)
{
	static const char *const names[] = {
		"connect", "resume", "exchange", "hold"};

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		*mode = (enum mode)i;
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

static bool parse_tls(const char *name, int *tls)
{
	if (strcmp(name, "1.2") == 0)
		*tls = TLS1_2_VERSION;
	else if (strcmp(name, "1.3") == 0)
		*tls = TLS1_3_VERSION;
	else if (strcmp(name, "none") == 0)
		*tls = 0;
	else
		return false;
	return true;
}

static bool parse_plan(int argc, char **argv, struct plan *plan)
{
	int option;

	while ((option = getopt(argc, argv, "p:t:c:n:u:d:A:C:K:y")) != -1) {
		switch (option) {
		case 'p':
			plan->port = (uint16_t)strtoul(optarg, NULL, 10);
			break;
		case 't':
			if (!parse_tls(optarg, &plan->tls))
				return false;
			break;
		case 'c':
			plan->conns = strtoull(optarg, NULL, 10);
			break;
		case 'n':
			plan->count = strtoull(optarg, NULL, 10);
			break;
		case 'u':
			plan->up = strtoull(optarg, NULL, 10);
			break;
		case 'd':
			plan->down = strtoull(optarg, NULL, 10);
			break;
		case 'A':
			plan->ca = optarg;
			break;
		case 'C':
			plan->certificate = optarg;
			break;
		case 'K':
			plan->key = optarg;
			break;
		case 'y':
			plan->yields = true;
			break;
		default:
			return false;
		}
	}
	return optind == argc - 1 && parse_mode(argv[optind], &plan->mode) &&
	       plan->port && plan->conns && plan->ca && plan->certificate &&
	       plan->key;
}

int main(int argc, char **argv)
{
	static struct load load;
	uint64_t started_ns;

	load.plan = (struct plan){
		.tls = TLS1_3_VERSION, .conns = 1, .count = 1, .down = 1};
	pattern_fill(load.request + EXCHANGE_HEADER_BYTES);
	if (!parse_plan(argc, argv, &load.plan)) {
		(void)fprintf(stderr,
			"usage: load -p PORT -A CA -C CERTIFICATE -K KEY "
			"[-t 1.2|1.3|none] [-c CONNECTIONS] [-n OPERATIONS] "
			"[-u BYTES] [-d BYTES] [-y] "
			"connect|resume|exchange|hold\n");
		return 2;
	}
	load.ctx = make_ctx(&load.plan);
	load.epoll = epoll_create1(0);
	load.conns = calloc(load.plan.conns, sizeof(*load.conns));
	load.times_ns =
		calloc(load.plan.count + load.plan.conns * WARM_UP_ROUNDS,
			sizeof(*load.times_ns));
	if (load.epoll < 0 || !load.conns || !load.times_ns)
		die("set-up");
	for (uint64_t i = 0; i < load.plan.conns; i++)
		load.conns[i].load = &load;
	set_up(&load);
	(void)printf("ready\n");
	wait_for_line();
	started_ns = now_ns();
	work(&load);
	(void)printf("done %ju %ju %ju %ju\n", (uintmax_t)load.finished,
		(uintmax_t)load.resumed, (uintmax_t)(now_ns() - started_ns),
		(uintmax_t)p99_ns(&load));
	wait_for_line();
	tear_down(&load);
	return 0;
}
