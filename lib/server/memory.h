/*
 * The most memory that a server may take under a configuration: one session,
 * one handshake of a stranger, and the whole process by its parts. What counts
 * is the memory of the process; the kernel's, above all the buffers of sockets,
 * comes on top. Source: SPEC.md [MEM-*].
 *
 * Constants without another source were measured on Debian 12, x86-64, OpenSSL
 * 3.0.22 and glibc 2.36, as growth of RssAnon for each of 50 or 100 equal
 * things, and rounded up.
 */
#ifndef LBP_MEMORY_H
#define LBP_MEMORY_H

#include <stddef.h>
#include <stdint.h>

#include "err.h"
#include "server/config.h"

#define LBP_MEMORY_KIB UINT64_C(1024)

/* The server's own sizes. Where it has them, it is asserted that they fit. */
#define LBP_MEMORY_RING         (64 * LBP_MEMORY_KIB) /* [SRV-18] */
#define LBP_MEMORY_RINGS_KEPT   16                    /* by each worker */
#define LBP_MEMORY_CONN         (LBP_MEMORY_KIB * 3 / 2)
#define LBP_MEMORY_STATE        (LBP_MEMORY_KIB / 2) /* lbp_session_size */
#define LBP_MEMORY_WORKER       (16 * LBP_MEMORY_KIB)
#define LBP_MEMORY_POLLER       (24 * LBP_MEMORY_KIB)
#define LBP_MEMORY_CHECK        (2 * LBP_MEMORY_KIB)         /* without TLS */
#define LBP_MEMORY_CACHED       4096                         /* [SRV-69] */
#define LBP_MEMORY_CACHED_CERTS (4 * LBP_MEMORY_KIB)         /* of each */
#define LBP_MEMORY_ADMIN_HEAD   (16 * LBP_MEMORY_KIB)        /* [ADM-5] */
#define LBP_MEMORY_LIST_MAX     (64 * 1024 * LBP_MEMORY_KIB) /* [CTL-11] */

/* What the process consists of. */
enum lbp_memory_part {
	LBP_MEMORY_SESSIONS,
	LBP_MEMORY_HANDSHAKES,
	LBP_MEMORY_CACHE,
	LBP_MEMORY_SOURCES,
	LBP_MEMORY_LIMITS,
	LBP_MEMORY_CONFIGURATIONS,
	LBP_MEMORY_WORKERS,
	LBP_MEMORY_CHECKS,
	LBP_MEMORY_ADMIN,
	LBP_MEMORY_BASE,
	LBP_MEMORY_RESERVE,
	LBP_MEMORY_PARTS,
};

/* What a configuration alone does not say. */
struct lbp_memory_facts {
	uint32_t workers;
	uint32_t handshakes; /* in progress: lbp_descriptors_handshakes */
	uint32_t listeners;  /* sockets to listen on */
	uint64_t text_bytes; /* of the configuration and what it includes */
	uint64_t file_bytes; /* of certificates, keys and lists */
};

/* All in bytes. */
struct lbp_memory {
	uint64_t session;     /* its upstream is plain TCP or a Unix socket */
	uint64_t session_tls; /* its upstream is tls:// */
	uint64_t handshake;
	uint64_t parts[LBP_MEMORY_PARTS];
	uint64_t total;       /* of the parts */
	uint64_t connections; /* how many sessions and */
	uint64_t handshakes;  /* handshakes are in parts */
};

/*
 * Stores in *out the most that a server may take with this configuration, the
 * one before or after it included, which is taken to be no larger. Nothing
 * overflows for a configuration that lbp_config_parse returned and for texts
 * and files of less than 2^50 bytes. Source: [MEM-2] to [MEM-7].
 */
void lbp_memory_bound(struct lbp_memory *out, const struct lbp_config *config,
	const struct lbp_memory_facts *facts);

/*
 * Calls put with each piece of a text that says so, as comments of TOML in
 * printable ASCII; pieces are valid during the call. Source: [MEM-1], [MEM-8].
 */
void lbp_memory_show(const struct lbp_memory *memory,
	void (*put)(void *user, const char *text, size_t text_len), void *user);

#endif
