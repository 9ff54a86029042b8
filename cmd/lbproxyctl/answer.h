/* The answer of explain, for people or for programs. [EXP-2], [EXP-6]. */
#ifndef ANSWER_H
#define ANSWER_H

#include <jansson.h>

#include "../lbproxyd/snapshot.h"
#include "server/explain.h"

/* What is decided at one app, or at all. */
struct decision {
	uint32_t app; /* LBP_NONE: at all */
	struct lbp_explain_verdict verdict;
	const struct lbp_config_grant *grant; /* NULL: none */
	/* What a running server says, or NULL. */
	json_t *use;
	json_t *upstreams;
};

struct answer {
	const struct snapshot *snapshot;
	const struct lbp_policy *policy;
	const struct lbp_name *names; /* of who is asked about, name_len */
	size_t name_len;
	const char *detail; /* why a certificate is refused, or NULL */
	uint32_t client;    /* LBP_NONE: nobody */
	const struct decision *decisions; /* len of them */
	size_t len;
};

/* Is it let in anywhere? */
bool answer_is_let_in(const struct answer *answer);

/* Prints it on standard output. */
void answer_print(const struct answer *answer, bool json);

#endif
