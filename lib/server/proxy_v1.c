/* Version 1: a line of text. [PRX-2], [PRX-3]. */
#include <string.h>

#include "server/proxy_state.h"

enum {
	LINE_MAX_LEN = 107, /* with its end */
	START_LEN = 6,      /* "PROXY " */
};

/* Takes a word and the space after it. False: there is no space. */
static bool take_word(struct lbp_span *rest, struct lbp_span *word)
{
	const uint8_t *space = memchr(rest->ptr, ' ', rest->len);
	size_t len;

	if (space == NULL)
		return false;
	len = (size_t)(space - rest->ptr);
	*word = (struct lbp_span){rest->ptr, len};
	*rest = (struct lbp_span){space + 1, rest->len - len - 1};
	return true;
}

static bool is_word(struct lbp_span word, const char *text)
{
	return word.len == strlen(text) &&
	       memcmp(word.ptr, text, word.len) == 0;
}

/* 0 to 65535, without a sign or a leading zero. */
static bool read_port(struct lbp_span word, uint16_t *port)
{
	uint32_t number = 0;

	if (word.len == 0 || word.len > 5 ||
		(word.ptr[0] == '0' && word.len > 1))
		return false;
	for (size_t i = 0; i < word.len; i++) {
		if (word.ptr[i] < '0' || word.ptr[i] > '9')
			return false;
		number = number * 10 + (uint32_t)(word.ptr[i] - '0');
	}
	*port = (uint16_t)number;
	return number <= UINT16_MAX;
}

/* Takes the address of this family that comes next. */
static bool take_ip(struct lbp_span *rest, bool is_v4, struct lbp_ip *ip)
{
	struct lbp_span word;
	const char *text;

	if (!take_word(rest, &word))
		return false;
	text = (const char *)word.ptr;
	return is_v4 ? lbp_ip_read_v4(ip, text, word.len)
		     : lbp_ip_read_v6(ip, text, word.len);
}

static bool read_ends(
	struct lbp_span rest, bool is_v4, struct lbp_proxy_ends *ends)
{
	struct lbp_span port;

	ends->are_known = true;
	return take_ip(&rest, is_v4, &ends->source) &&
	       take_ip(&rest, is_v4, &ends->destination) &&
	       take_word(&rest, &port) && read_port(port, &ends->source_port) &&
	       read_port(rest, &ends->destination_port);
}

/* Reads what stands between the start of the line and its end. */
static enum lbp_proxy_found read_line(
	struct lbp_span line, struct lbp_proxy_header *out)
{
	struct lbp_span rest = line;
	struct lbp_span family;

	/* What follows this word means nothing. */
	if (!take_word(&rest, &family))
		family = line;
	if (is_word(family, "UNKNOWN"))
		return LBP_PROXY_WHOLE;
	if (!is_word(family, "TCP4") && !is_word(family, "TCP6"))
		return lbp_proxy_bad(out, "unknown family in the PROXY line");
	if (!read_ends(rest, is_word(family, "TCP4"), &out->ends))
		return lbp_proxy_bad(out, "bad address in the PROXY line");
	return LBP_PROXY_WHOLE;
}

/*
 * The length of the line without its start and its end; false: the end is not
 * there.
 */
static bool find_end(struct lbp_span bytes, size_t *len)
{
	for (size_t i = START_LEN + 1; i < bytes.len && i < LINE_MAX_LEN; i++) {
		if (bytes.ptr[i - 1] == '\r' && bytes.ptr[i] == '\n') {
			*len = i - 1 - START_LEN;
			return true;
		}
	}
	return false;
}

enum lbp_proxy_found lbp_proxy_read_v1(
	struct lbp_span bytes, struct lbp_proxy_header *out)
{
	struct lbp_span line;
	size_t len;

	if (!find_end(bytes, &len))
		return bytes.len < LINE_MAX_LEN
			       ? LBP_PROXY_MORE
			       : lbp_proxy_bad(
					 out, "the PROXY line is too long");
	out->len = START_LEN + len + 2;
	line = (struct lbp_span){bytes.ptr + START_LEN, len};
	return read_line(line, out);
}
