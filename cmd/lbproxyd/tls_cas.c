#include "tls_cas.h"

#include <string.h>

#include "tls_judge.h"

/*
 * More CAs of one name would make a stranger's certificate, which may be
 * anyone's of them, dearer than [SRV-36] allows.
 */
#define NAMESAKES_MAX 4

#define ACCEPTED_CA "a PEM file with exactly one CA certificate"
#define ACCEPTED_CRL                                                           \
	"a PEM file with complete revocation lists of tls.client_ca"
#define ACCEPTED_CRLS                                                          \
	"a PEM file with complete revocation lists of this CA and of its "     \
	"intermediates"

/* What is wrong with one more CA beside the others; NULL: nothing. */
static const char *judge_others(const struct trust *trust, X509 *ca)
{
	unsigned namesakes = 0;
	size_t i;

	for (i = 0; i < trust->len; i++) {
		if (X509_NAME_cmp(X509_get_subject_name(trust->cas[i].cert),
			    X509_get_subject_name(ca)) == 0)
			namesakes++;
	}
	if (trust_find(trust, trust_number(ca)) != NULL)
		return "has the CA of another [[tls.client_ca]], by its name "
		       "and key";
	return namesakes >= NAMESAKES_MAX
		       ? "has a CA of the same name as four others"
		       : NULL;
}

/* Adds the one CA of a file; NULL: there is none that can be used. */
static struct trust_ca *add_ca(struct tls_server *server,
	const struct tls_file *file, const struct tls_parts *parts, bool chain)
{
	struct trust_ca *added = NULL;
	char why[TLS_JUDGE_WHY_MAX];
	X509 *ca = parts->items[0].cert;
	const char *wrong;

	if (parts->len > 1) {
		/* It would bring another namespace of serials. */
		tls_file_problem(file, "has another certificate on line %u",
			parts->items[1].line);
	} else if (!tls_judge_ca(server->ctx, ca, why)) {
		tls_file_problem(file, "has a certificate on line %u %s",
			parts->items[0].line, why);
	} else if ((wrong = judge_others(server->trust, ca)) != NULL) {
		tls_file_problem(file, "%s", wrong);
	} else if (SSL_CTX_add_client_CA(server->ctx, ca) != 1 ||
		   (added = trust_add(server->trust, ca, chain)) == NULL) {
		tls_file_problem(file, "cannot be used: %s",
			tls_file_reason("out of memory"));
	} else {
		tls_judge_warn_last(file, parts);
	}
	return added;
}

/*
 * Adds a list of the CA, or of an intermediate if there may be one, which is
 * whoever else it names.
 */
static void add_list(struct trust_ca *ca, const struct tls_file *file,
	const struct tls_part *part)
{
	bool is_own =
		!ca->chain || X509_NAME_cmp(X509_CRL_get_issuer(part->crl),
				      X509_get_subject_name(ca->cert)) == 0;
	char why[TLS_JUDGE_WHY_MAX];

	if (!tls_judge_crl(part->crl, is_own ? ca->cert : NULL, why))
		tls_file_problem(file, "has a revocation list on line %u %s",
			part->line, why);
	else if (is_own ? !revoked_add(&ca->own, part->crl)
			: !trust_add_below(ca, part->crl))
		tls_file_problem(file,
			"has times on line %u that cannot be read, or memory "
			"ran out",
			part->line);
}

/* Without the CA (NULL) its lists cannot be verified. */
static void use_lists(struct trust_ca *ca, const struct tls_file *file)
{
	unsigned before = file->problems->count;
	struct tls_parts crls;
	size_t i;

	if (!tls_file_read(file, &crls))
		return;
	for (i = 0; i < crls.len && ca != NULL; i++)
		add_list(ca, file, &crls.items[i]);
	if (ca != NULL) {
		ca->has_lists = true;
		if (ca->own.lives_len == 0 && file->problems->count == before)
			tls_file_problem(file, "has no list of the CA itself");
	}
	tls_judge_warn_last(file, &crls);
	tls_parts_release(&crls);
}

static void use_ca(struct tls_server *server, const struct lbp_config_ca *from,
	int dir_fd, struct problems *problems)
{
	bool is_one = from->id.ptr == NULL;
	const struct tls_file file = {
		.key = is_one ? "tls.client_ca" : "tls.client_ca.file",
		.path = &from->file,
		.dir_fd = dir_fd,
		.problems = problems,
		.kinds = TLS_FILE_CERTS,
		.accepted = ACCEPTED_CA,
	};
	const struct tls_file lists = {
		.key = is_one ? "tls.crl" : "tls.client_ca.crl",
		.path = &from->crl,
		.dir_fd = dir_fd,
		.problems = problems,
		.kinds = TLS_FILE_CRLS,
		.accepted = from->chain ? ACCEPTED_CRLS : ACCEPTED_CRL,
	};
	struct trust_ca *ca = NULL;
	struct tls_parts parts;

	if (tls_file_read(&file, &parts)) {
		ca = add_ca(server, &file, &parts, from->chain);
		tls_parts_release(&parts);
	}
	if (from->crl.ptr != NULL)
		use_lists(ca, &lists);
}

void tls_use_cas(struct tls_server *server, const struct lbp_config *config,
	int dir_fd, struct problems *problems)
{
	size_t i;

	/* A CA is trusted as it is, even if another one issued it. */
	X509_STORE_set_flags(
		SSL_CTX_get_cert_store(server->ctx), X509_V_FLAG_PARTIAL_CHAIN);
	for (i = 0; i < config->ca_len; i++)
		use_ca(server, &config->cas[i], dir_fd, problems);
	trust_seal(server->trust);
}

void tls_server_number(
	const struct tls_server *server, struct lbp_config *config)
{
	size_t i;

	for (i = 0; i < config->ca_len; i++)
		config->cas[i].number = server->trust->cas[i].number;
}

bool tls_server_revokes(
	const struct tls_server *server, const struct lbp_config_serial *serial)
{
	const struct trust_ca *ca = &server->trust->cas[serial->ca];

	return ca->has_lists && revoked_has(&ca->own, &serial->serial);
}
