#include "strangers.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>

#include "clock.h"
#include "log.h"
#include "server/suppress.h"

/* Room for an address, its length and the final NUL. */
#define NETWORK_TEXT_MAX (INET6_ADDRSTRLEN + 4)

_Static_assert(LBP_REASON_BAD_PROXY_HEADER < LBP_SUPPRESS_KINDS,
	"every reason, of which this is the last, is a kind");

/* Empty at first, as lbp_suppress_init makes it. */
static struct lbp_suppress suppress;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

bool strangers_admit(const union address *peer, enum lbp_reason reason,
	uint64_t now_ns, uint64_t *due_ns)
{
	struct lbp_source source = address_source(peer);
	bool admitted;

	pthread_mutex_lock(&lock);
	admitted = lbp_suppress_admit(
		&suppress, &source, (uint32_t)reason, now_ns);
	*due_ns = lbp_suppress_due(&suppress);
	pthread_mutex_unlock(&lock);
	return admitted;
}

static void network_text(const struct lbp_source *source, char *buf)
{
	char text[INET6_ADDRSTRLEN];
	struct in6_addr ipv6 = {0};
	struct in_addr ipv4;
	unsigned i;

	for (i = 0; i < 8; i++)
		ipv6.s6_addr[i] = (uint8_t)(source->high >> (56 - 8 * i));
	ipv4.s_addr = htonl((uint32_t)source->low);
	if (source->low != 0)
		snprintf(buf, NETWORK_TEXT_MAX, "%s/32",
			inet_ntop(AF_INET, &ipv4, text, sizeof(text)));
	else
		snprintf(buf, NETWORK_TEXT_MAX, "%s/64",
			inet_ntop(AF_INET6, &ipv6, text, sizeof(text)));
}

static bool report(const struct lbp_suppress_sum *sum, bool yields)
{
	enum lbp_reason reason = (enum lbp_reason)sum->kind;
	char network[NETWORK_TEXT_MAX];
	struct log_line line;

	network_text(&sum->source, network);
	log_begin(&line, LBP_LOG_INFO, "reject");
	line.yields = yields;
	log_string(&line, "peer", sum->others ? "others" : network);
	log_string(&line, "reason", lbp_reason_text(reason));
	log_uint(&line, "suppressed", sum->count);
	return log_try_end(&line);
}

uint64_t strangers_sum_up(uint64_t now_ns)
{
	struct lbp_suppress_sum sum;
	bool told = true;
	uint64_t due_ns;
	bool taken;

	do {
		pthread_mutex_lock(&lock);
		if (!told)
			lbp_suppress_give_back(&suppress, &sum);
		taken = told && lbp_suppress_take(&suppress, now_ns, &sum);
		due_ns = lbp_suppress_due(&suppress);
		pthread_mutex_unlock(&lock);
		if (taken)
			told = report(&sum, now_ns != LBP_NEVER);
	} while (taken);
	/* Sums for which the log has no room now are retried later. */
	return told ? due_ns : now_ns + LBP_NS_PER_S;
}
