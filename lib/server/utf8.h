/*
 * UTF-8, one character at a time.
 *
 * Overlong forms, surrogates and values above U+10FFFF are not characters.
 * Source: RFC 3629; Unicode 15, table 3-7.
 */
#ifndef LBP_UTF8_H
#define LBP_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* What lbp_utf8_decode reports in place of a code point. */
#define LBP_UTF8_INVALID UINT32_MAX
/* Most bytes that one character takes. */
#define LBP_UTF8_MAX 4

/*
 * Decodes the first character of len bytes, len at least 1, and returns how
 * many bytes it takes. Bytes that are not a character give LBP_UTF8_INVALID
 * in *code, and the return value is the length of the longest piece that no
 * character begins with (Unicode's "maximal subpart"), at least 1: whoever
 * replaces each such piece by one U+FFFD does what decoders commonly do.
 */
/*@
  requires len > 0 && \valid(code);
  requires \valid_read(text + (0 .. len - 1));
  requires \initialized(text + (0 .. len - 1));
  assigns *code \from text[0 .. len - 1], len;
  assigns \result \from text[0 .. len - 1], len;
  ensures 1 <= \result <= LBP_UTF8_MAX && \result <= len;
  ensures \initialized(code);
*/
size_t lbp_utf8_decode(const char *text, size_t len, uint32_t *code);

/*
 * Writes a code point's 1 to 4 bytes to out, and returns how many. The code
 * is at most U+10FFFF and not a surrogate; the caller checks that.
 */
size_t lbp_utf8_encode(uint32_t code, char out[LBP_UTF8_MAX]);

#endif
