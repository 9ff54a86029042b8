/* lib/config_value.c: any text read as a value of each kind. */
#include <stdlib.h>

#include "eva.h"
#include "server/config.h"
#include "server/config_value.h"

static void read_address(bool url, const char *text, size_t len)
{
	char canonical[LBP_CONFIG_CANONICAL_MAX];
	struct lbp_config_parts parts;
	const char *wrong = url ? lbp_config_split_url(text, len, &parts)
				: lbp_config_split_address(text, len, &parts);

	if (wrong != NULL)
		return;
	//@ split parts.host_len;
	(void)lbp_config_canonical(&parts, canonical);
}

static void read_as(int kind, const char *text, size_t len)
{
	uint64_t ns;

	if (kind == 0)
		(void)!lbp_duration_parse(&ns, text, len);
	else if (kind == 1)
		(void)lbp_config_check_text(text, len);
	else if (kind == 2)
		(void)lbp_config_check_id(text, len);
	else if (kind == 3)
		(void)lbp_config_check_host(text, len);
	else if (kind == 6)
		(void)!lbp_delay_parse(&ns, text, len);
	else if (kind == 7)
		(void)lbp_config_check_uri(text, len);
	else if (kind == 8)
		(void)lbp_config_check_dns(text, len);
	else if (kind == 9)
		(void)lbp_config_lower(len > 0 ? *text : 'A');
	else
		read_address(kind == 5, text, len);
}

int main(void)
{
	size_t len = any_len();
	int kind = Frama_C_interval(0, 9);
	char *text;

	//@ split len;
	//@ split kind;
	text = malloc(len);
	Frama_C_make_unknown(text, len);
	read_as(kind, text, len);
	return 0;
}
