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

/* In place of a code point: the bytes are not a character. */
#define LBP_UTF8_INVALID UINT32_MAX
/* Most bytes of one character. */
#define LBP_UTF8_MAX 4

/*
 * Decodes the first character of len bytes (at least 1) into *code, and returns
 * how many bytes it takes. If they are not a character, *code is
 * LBP_UTF8_INVALID, and the return value is the length, at least 1, of what
 * decoders commonly replace by one U+FFFD: Unicode's "maximal subpart".
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
 * Writes a code point's 1 to 4 bytes to out, and returns how many. The caller
 * must check that it is at most U+10FFFF and not a surrogate.
 */
size_t lbp_utf8_encode(uint32_t code, char out[LBP_UTF8_MAX]);

#endif
