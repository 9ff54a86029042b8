/*
 * A configuration that the bytes draw is written as text, in every style of
 * the writer, and read as what it was.
 *
 * Input: what config_draw takes.
 */
#include "model/config_draw.h"
#include "model/config_roundtrip.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct bytes bytes = {data, len};

	config_roundtrip(config_draw(&bytes));
	return 0;
}
