/*
 * Listening sockets that a service manager passes to the server: which of them
 * are taken, and by which names it keeps them. sd_listen_fds(3) and
 * sd_pid_notify_with_fds(3) have the protocol. Source: SPEC.md [ACT-*].
 */
#ifndef LBP_PASSED_H
#define LBP_PASSED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/network.h"

#define LBP_PASSED_FIRST 3    /* the first descriptor */
#define LBP_PASSED_MAX   4096 /* descriptors */

/* Room for a name, as long as systemd has them, and the final NUL. */
#define LBP_PASSED_NAME_MAX 256

/* Where a configuration listens. */
struct lbp_endpoint {
	struct lbp_ip ip;
	uint16_t port;
};

/* What the kernel says of a descriptor. */
struct lbp_passed {
	bool is_tcp; /* a stream socket of IPv4 or IPv6; else the rest is 0 */
	bool listens;
	bool is_v6;
	bool is_v6_only; /* of one that is_v6 */
	struct lbp_endpoint at;
};

enum lbp_passed_verdict {
	LBP_PASSED_TAKEN,
	LBP_PASSED_NO_TCP,
	LBP_PASSED_NOT_LISTENING,
	LBP_PASSED_BOTH_FAMILIES,
	LBP_PASSED_UNWANTED,
	LBP_PASSED_TWICE,
};

/*
 * Returns how many descriptors LISTEN_PID and LISTEN_FDS, each of which may be
 * NULL, say are for this process; they follow LBP_PASSED_FIRST. 0 if they are
 * for another one, or if it is not clear how many there are. [ACT-3].
 */
size_t lbp_passed_count(const char *pid, const char *fds, uint64_t own_pid);

/*
 * Writes the name of the descriptor with this index, from 0, as LISTEN_FDNAMES
 * has it, which may be NULL. It is empty if there is none; one that is too long
 * is cut.
 */
void lbp_passed_name(
	const char *names, size_t index, char name[LBP_PASSED_NAME_MAX]);

/*
 * Writes the name by which the service manager is to keep a listener: its
 * address, in which a colon is not allowed. [ACT-4].
 */
void lbp_passed_store_name(const char *address, char name[LBP_PASSED_NAME_MAX]);

/*
 * Decides about the descriptor with this index, where the configuration listens
 * at len addresses. [ACT-1], [ACT-2].
 */
enum lbp_passed_verdict lbp_passed_judge(const struct lbp_passed *passed,
	size_t index, const struct lbp_endpoint *wanted, size_t len);

/* Why one was not taken, in words; static. */
const char *lbp_passed_text(enum lbp_passed_verdict verdict);

#endif
