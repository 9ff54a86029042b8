#include "server/passed.h"

#include <stdio.h>
#include <string.h>

#include "server/service.h"

size_t lbp_passed_count(const char *pid, const char *fds, uint64_t own_pid)
{
	uint64_t owner, n;

	if (pid == NULL || fds == NULL)
		return 0;
	if (!lbp_service_number(pid, &owner) || owner != own_pid)
		return 0;
	if (!lbp_service_number(fds, &n) || n > LBP_PASSED_MAX)
		return 0;
	return (size_t)n;
}

void lbp_passed_name(
	const char *names, size_t index, char name[LBP_PASSED_NAME_MAX])
{
	const char *from = names != NULL ? names : "";
	size_t len;

	for (; index > 0; index--) {
		from += strcspn(from, ":");
		from += *from == ':';
	}
	len = strcspn(from, ":");
	if (len > LBP_PASSED_NAME_MAX - 1)
		len = LBP_PASSED_NAME_MAX - 1;
	memcpy(name, from, len);
	name[len] = '\0';
}

void lbp_passed_store_name(const char *address, char name[LBP_PASSED_NAME_MAX])
{
	char *c;

	snprintf(name, LBP_PASSED_NAME_MAX, "%s", address);
	for (c = name; *c != '\0'; c++) {
		if (*c == ':')
			*c = '_';
	}
}

static bool is_same(const struct lbp_endpoint *a, const struct lbp_endpoint *b)
{
	return a->port == b->port &&
	       memcmp(a->ip.octets, b->ip.octets, sizeof(a->ip.octets)) == 0;
}

static bool is_wanted(const struct lbp_endpoint *at,
	const struct lbp_endpoint *wanted, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		if (is_same(at, &wanted[i]))
			return true;
	}
	return false;
}

/* Our own listeners take one family. [SRV-29]. */
static bool takes_both(const struct lbp_passed *passed)
{
	static const struct lbp_ip any;

	if (!passed->is_v6)
		return false;
	return lbp_ip_is_v4(&passed->at.ip) ||
	       (!passed->is_v6_only && memcmp(passed->at.ip.octets, any.octets,
					       sizeof(any.octets)) == 0);
}

static enum lbp_passed_verdict judge_alone(const struct lbp_passed *passed,
	const struct lbp_endpoint *wanted, size_t len)
{
	if (!passed->is_tcp)
		return LBP_PASSED_NO_TCP;
	if (!passed->listens)
		return LBP_PASSED_NOT_LISTENING;
	if (takes_both(passed))
		return LBP_PASSED_BOTH_FAMILIES;
	return is_wanted(&passed->at, wanted, len) ? LBP_PASSED_TAKEN
						   : LBP_PASSED_UNWANTED;
}

enum lbp_passed_verdict lbp_passed_judge(const struct lbp_passed *passed,
	size_t index, const struct lbp_endpoint *wanted, size_t len)
{
	const struct lbp_passed *one = &passed[index];
	enum lbp_passed_verdict verdict = judge_alone(one, wanted, len);
	size_t i;

	if (verdict != LBP_PASSED_TAKEN)
		return verdict;
	for (i = 0; i < index; i++) {
		if (is_same(&passed[i].at, &one->at) &&
			judge_alone(&passed[i], wanted, len) ==
				LBP_PASSED_TAKEN)
			return LBP_PASSED_TWICE;
	}
	return LBP_PASSED_TAKEN;
}

const char *lbp_passed_text(enum lbp_passed_verdict verdict)
{
	static const char *const texts[] = {
		[LBP_PASSED_TAKEN] = "it is used",
		[LBP_PASSED_NO_TCP] = "it is no TCP socket",
		[LBP_PASSED_NOT_LISTENING] = "it does not listen",
		[LBP_PASSED_BOTH_FAMILIES] =
			"it is for both families, not for IPv6 alone",
		[LBP_PASSED_UNWANTED] = "no app listens at its address",
		[LBP_PASSED_TWICE] = "there is another one for its address",
	};

	return texts[verdict];
}
