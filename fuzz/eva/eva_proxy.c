/* lib/server/proxy_v2.c: any bytes read as a header of version 2. */
#include <stdlib.h>

#include "eva.h"
#include "server/proxy_state.h"

int main(void)
{
	size_t len = any_len();
	struct lbp_proxy_header header = {0};
	char *bytes;

	//@ split len;
	bytes = malloc(len);
	Frama_C_make_unknown(bytes, len);
	(void)lbp_proxy_read_v2(
		(struct lbp_span){(const uint8_t *)bytes, len}, &header);
	return 0;
}
