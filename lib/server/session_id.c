#include "server/session_id.h"

#include <inttypes.h>
#include <stdio.h>

const char *lbp_session_id_format(const struct lbp_session_id *id, char *buf)
{
	snprintf(buf, LBP_SESSION_ID_MAX, "%" PRIu32 "-%" PRIu64, id->worker,
		id->number);
	return buf;
}

/* Reads digits, at least one and none too many; NULL: there are none such. */
static const char *read_number(const char *at, uint64_t max, uint64_t *out)
{
	uint64_t n = 0;
	const char *begin = at;

	for (; *at >= '0' && *at <= '9'; at++) {
		uint64_t digit = (uint64_t)(*at - '0');

		if (n > (max - digit) / 10)
			return NULL;
		n = n * 10 + digit;
	}
	*out = n;
	return at == begin || (*begin == '0' && at - begin > 1) ? NULL : at;
}

bool lbp_session_id_parse(const char *text, struct lbp_session_id *id)
{
	uint64_t worker, number;
	const char *at = read_number(text, UINT32_MAX, &worker);

	if (at == NULL || *at != '-')
		return false;
	at = read_number(at + 1, UINT64_MAX, &number);
	if (at == NULL || *at != '\0')
		return false;
	*id = (struct lbp_session_id){(uint32_t)worker, number};
	return true;
}
