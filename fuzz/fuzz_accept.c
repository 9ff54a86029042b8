/*
 * The server's TLS as cmd/lbproxyd sets it up, over memory, given bytes that
 * no client made, or one in another handshake: they come to nothing, and to the
 * same in any pieces.
 *
 * Input: the server's number modulo 4, what identify answers, the size of the
 * pieces less one, and the bytes. They are given in pieces and in one.
 */
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "bytes.h"
#include "oracle.h"
#include "tls/link.h"
#include "tls/servers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* Not that of fuzz_tls, or what its clients send would be let in here. */
#define SEED   2
#define BUFFER 65536

struct run {
	struct link link;
	unsigned server;
	bool answer; /* what identify says */
	unsigned asked;
};

/* How it ended. */
struct ending {
	enum io io;
	enum lbp_reason reason;
	const char *detail;
	unsigned asked;
};

/* What a client of TLS 1.2 sent once gets so far, and then does not fit. */
static bool identify(void *user, const struct lbp_name *names, size_t name_len)
{
	struct run *run = user;
	enum pki_kind kind = servers_kind_of(run->server, names);
	unsigned faults;

	ORACLE("SRV-10", kind != PKI_NONE, "nobody's serial");
	/* What was recorded once may be of an older certificate. */
	ORACLE("SRV-180",
		name_len == 1 || servers_has_names(kind, names, name_len),
		"other names of kind %d", kind);
	faults = servers_faults_of(kind, run->server, pki_now);
	ORACLE("SRV-9", faults == 0, "kind %d is asked for with faults %x",
		kind, faults);
	run->asked++;
	return run->answer;
}

/* Gives the server all the bytes, in pieces of a size, and then the end. */
static struct ending feed(struct run *run, struct bytes bytes, size_t chunk)
{
	struct link *link = &run->link;
	struct ending ending;

	run->asked = 0;
	link->tls.identify = identify;
	link->tls.user = run;
	pki_seed(SEED);
	if (!link_accept(link, servers_get(run->server), BUFFER, chunk))
		abort();
	while (bytes.len > 0 && link->io != IO_RESET) {
		int n = BIO_write(link->outer, bytes.ptr,
			(int)(bytes.len < chunk ? bytes.len : chunk));

		if (n <= 0)
			abort();
		bytes.ptr += n;
		bytes.len -= (size_t)n;
		link_handshake(link);
		ORACLE("SRV-9", link->io != IO_OK, "nobody is let in");
	}
	link_cut(link);
	link_begin_call(link);
	if (link->io != IO_RESET)
		link->io = tls_handshake(&link->tls);
	link_check_refused(link);
	ending = (struct ending){
		link->io, link->tls.reason, link->tls.detail, run->asked};
	link_release(link);
	ERR_clear_error();
	return ending;
}

static bool is_same(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct run run;
	struct bytes bytes = {data, len};
	struct ending pieces;
	struct ending whole;
	size_t chunk;

	servers_start();
	pki_set_clock(PKI_START);
	run.server = servers_draw(bytes_u8(&bytes));
	run.answer = bytes_bool(&bytes);
	chunk = (size_t)bytes_u8(&bytes) + 1;
	pieces = feed(&run, bytes, chunk);
	whole = feed(&run, bytes, BUFFER);
	ORACLE("SRV-9",
		pieces.io == whole.io && pieces.reason == whole.reason &&
			pieces.asked == whole.asked,
		"%s in pieces of %zu, %s in one",
		lbp_reason_text(pieces.reason), chunk,
		lbp_reason_text(whole.reason));
	ORACLE("SRV-9", is_same(pieces.detail, whole.detail),
		"%s in pieces of %zu, %s in one", pieces.detail, chunk,
		whole.detail);
	return 0;
}
