/* Version 2: bytes. [PRX-4] to [PRX-8]. */
#include "server/crc32c.h"
#include "server/proxy_state.h"

enum {
	CRC_LEN = 4,
};

/* Bytes of the addresses of a family; false: there is no such family. */
static bool ends_len(size_t family, size_t *len)
{
	switch (family) {
	case LBP_PROXY_TCP4:
	case LBP_PROXY_UDP4:
		*len = LBP_PROXY_IPV4_LEN;
		return true;
	case LBP_PROXY_TCP6:
	case LBP_PROXY_UDP6:
		*len = LBP_PROXY_IPV6_LEN;
		return true;
	case LBP_PROXY_UNIX_STREAM:
	case LBP_PROXY_UNIX_DGRAM:
		*len = LBP_PROXY_UNIX_LEN;
		return true;
	default:
		return false;
	}
}

static uint16_t read_port(const uint8_t *octets)
{
	return (uint16_t)(octets[0] << 8 | octets[1]);
}

/* What is not TCP cannot be this connection: its ends are not known. */
static void read_ends(
	size_t family, const uint8_t *octets, struct lbp_proxy_ends *ends)
{
	if (family == LBP_PROXY_TCP4) {
		ends->source = lbp_ip_v4(octets);
		ends->destination = lbp_ip_v4(octets + 4);
		octets += 8;
	} else if (family == LBP_PROXY_TCP6) {
		ends->source = lbp_ip_v6(octets);
		ends->destination = lbp_ip_v6(octets + 16);
		octets += 32;
	} else {
		return;
	}
	ends->source_port = read_port(octets);
	ends->destination_port = read_port(octets + 2);
	ends->are_known = true;
}

/* Is a checksum, at this place of a header, the header's? [PRX-8]. */
static bool is_sum(struct lbp_span header, struct lbp_span value)
{
	static const uint8_t zeros[CRC_LEN];
	size_t before = (size_t)(value.ptr - header.ptr);
	struct lbp_span field = value;
	size_t sum = 0;
	uint32_t crc;

	if (value.len != CRC_LEN)
		return false;
	(void)lbp_span_number(&field, CRC_LEN, &sum);
	crc = lbp_crc32c(0, header.ptr, before);
	crc = lbp_crc32c(crc, zeros, CRC_LEN);
	crc = lbp_crc32c(
		crc, value.ptr + CRC_LEN, header.len - before - CRC_LEN);
	return crc == sum;
}

/* Checks the values after the addresses, which are the header's rest. */
static const char *check_values(struct lbp_span header, struct lbp_span rest)
{
	bool has_sum = false;
	struct lbp_span value;
	size_t type;

	while (lbp_span_number(&rest, 1, &type)) {
		if (!lbp_span_vector(&rest, 2, &value))
			return "a value exceeds the PROXY header";
		if (type != LBP_PROXY_CRC32C)
			continue;
		/* One sum is enough work for a header. */
		if (has_sum || !is_sum(header, value))
			return "bad checksum of the PROXY header";
		has_sum = true;
	}
	return NULL;
}

/* Reads a header that is complete; its family and what follows. */
static enum lbp_proxy_found read_proxy(
	struct lbp_span header, size_t family, struct lbp_proxy_header *out)
{
	struct lbp_span rest = {header.ptr + LBP_PROXY_HEAD_LEN,
		header.len - LBP_PROXY_HEAD_LEN};
	struct lbp_span ends;
	size_t len;

	if (family == LBP_PROXY_UNSPEC)
		return LBP_PROXY_WHOLE;
	if (!ends_len(family, &len))
		return lbp_proxy_bad(out, "unknown family in the PROXY header");
	if (!lbp_span_take(&rest, len, &ends))
		return lbp_proxy_bad(out, "the PROXY header is too short");
	out->fault = check_values(header, rest);
	if (out->fault != NULL)
		return LBP_PROXY_BAD;
	read_ends(family, ends.ptr, &out->ends);
	return LBP_PROXY_WHOLE;
}

enum lbp_proxy_found lbp_proxy_read_v2(
	struct lbp_span bytes, struct lbp_proxy_header *out)
{
	struct lbp_span rest = bytes;
	struct lbp_span header;
	size_t command = 0;
	size_t family = 0;
	size_t len = 0;

	if (!lbp_span_take(&rest, LBP_PROXY_SIGNATURE_LEN, &header) ||
		!lbp_span_number(&rest, 1, &command) ||
		!lbp_span_number(&rest, 1, &family) ||
		!lbp_span_number(&rest, 2, &len))
		return LBP_PROXY_MORE;
	if (command != LBP_PROXY_LOCAL && command != LBP_PROXY_PROXY)
		return lbp_proxy_bad(out, "unknown version of PROXY header");
	out->len = LBP_PROXY_HEAD_LEN + len;
	if (out->len > LBP_PROXY_MAX)
		return lbp_proxy_bad(out, "the PROXY header is too long");
	if (out->len > bytes.len)
		return LBP_PROXY_MORE;
	//@ split out->len;
	header = (struct lbp_span){bytes.ptr, out->len};
	return command == LBP_PROXY_LOCAL ? LBP_PROXY_WHOLE
					  : read_proxy(header, family, out);
}
