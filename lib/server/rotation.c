#include "server/rotation.h"

/* FNV-1a, of 64 bits: who writes these files is trusted. */
#define PRIME UINT64_C(0x100000001b3)

static uint64_t add(uint64_t content, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;

	for (size_t i = 0; i < len; i++)
		content = (content ^ at[i]) * PRIME;
	return content;
}

uint64_t lbp_rotation_add(uint64_t content, const void *text, size_t len)
{
	/* So that no two files read as one; longer than any if there is none.
	 */
	const uint64_t size = text == NULL ? UINT64_MAX : len;

	content = add(content, &size, sizeof(size));
	return text == NULL ? content : add(content, text, len);
}

void lbp_rotation_init(struct lbp_rotation *rotation, uint64_t taken)
{
	*rotation = (struct lbp_rotation){taken, taken, taken};
}

bool lbp_rotation_look(struct lbp_rotation *rotation, uint64_t content)
{
	bool is_settled = content == rotation->seen;

	rotation->seen = content;
	if (content == rotation->taken) {
		rotation->tried = content;
		return false;
	}
	if (!is_settled || content == rotation->tried)
		return false;
	rotation->tried = content;
	return true;
}
