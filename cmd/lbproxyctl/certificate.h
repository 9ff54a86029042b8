/* A client's certificate, judged as the server would. [EXP-3]. */
#ifndef CERTIFICATE_H
#define CERTIFICATE_H

#include <stdbool.h>

#include "../lbproxyd/tls.h"

/* Room for why a certificate could not be judged. */
#define CERTIFICATE_WHY_MAX 200

struct certificate {
	enum lbp_reason reason; /* LBP_REASON_NONE: it is trusted */
	const char *detail;     /* OpenSSL's reason, or NULL */
	uint32_t ca;            /* that issued it; 0 if that is not known */
	struct tls tls;         /* has its names, if it is trusted */
	char why[CERTIFICATE_WHY_MAX];
};

/*
 * Judges the first certificate of a PEM file, with those after it as what the
 * client sends along, as in a full handshake with the server. False: it cannot
 * be read, and why says why not; else the caller must release it.
 */
bool certificate_judge(struct certificate *certificate,
	struct tls_server *server, const char *path);

void certificate_release(struct certificate *certificate);

#endif
