/*
 * What is proved of serial.h, which includes this at its end for Frama-C alone.
 */
#ifndef LBP_PROOF_SERIAL_H
#define LBP_PROOF_SERIAL_H

/*@ predicate serial_canonical(struct lbp_serial *s) =
  @ 	1 <= s->len <= LBP_SERIAL_MAX && s->octets[0] != 0 &&
  @ 	(\forall integer i; s->len <= i < LBP_SERIAL_MAX ==>
  @ 		s->octets[i] == 0);
  @
  @ predicate serial_kept{K,L}(struct lbp_serial *s) =
  @ 	\at(s->len, L) == \at(s->len, K) &&
  @ 	(\forall integer i; 0 <= i < LBP_SERIAL_MAX ==>
  @ 		\at(s->octets[i], L) == \at(s->octets[i], K));
  @
  @ predicate serial_zeros(uint8_t *octets, integer len) =
  @ 	\forall integer i; 0 <= i < len ==> octets[i] == 0;
  @
  @ // [SER-2], [SER-3]: does a big-endian magnitude have a serial?
  @ predicate serial_fits(uint8_t *octets, integer len) =
  @ 	!serial_zeros(octets, len) &&
  @ 	serial_zeros(octets, len - LBP_SERIAL_MAX);
  @
  @ // The serial is the magnitude but for its leading zeros.
  @ predicate serial_is(struct lbp_serial *s, uint8_t *octets, integer len) =
  @ 	serial_canonical(s) && s->len <= len &&
  @ 	serial_zeros(octets, len - s->len) &&
  @ 	(\forall integer i; 0 <= i < s->len ==>
  @ 		s->octets[i] == octets[len - s->len + i]);
  @
  @ // Hex digit k from the right, of which there are as many as one likes.
  @ logic integer serial_digit{L}(uint8_t *octets, integer len, integer k) =
  @ 	k / 2 >= len ? 0
  @ 	: k % 2 == 0 ? octets[len - 1 - k / 2] % 16
  @ 	: octets[len - 1 - k / 2] / 16;
  @
  @ lemma serial_is_in_digits{L}:
  @ 	\forall struct lbp_serial *s, uint8_t *octets, integer len, k;
  @ 		serial_is(s, octets, len) && k >= 0 ==>
  @ 			serial_digit(&s->octets[0], s->len, k) ==
  @ 			serial_digit(octets, len, k);
  @
  @ // The value of a hex digit, -1 of any other character.
  @ logic integer hex_digit(integer c) =
  @ 	'0' <= c <= '9' ? c - '0'
  @ 	: 'A' <= c <= 'F' ? c - 'A' + 10
  @ 	: 'a' <= c <= 'f' ? c - 'a' + 10
  @ 	: -1;
  @
  @ // How many digits text has from i on, if it is nothing but hex text.
  @ logic integer hex_digits{L}(char *text, integer i, integer len) =
  @ 	i >= len ? 0
  @ 	: hex_digits(text, i + 1, len) + (text[i] == ':' ? 0 : 1);
  @
  @ // [SER-1]: one colon, between two octets counted from the right.
  @ predicate hex_colon{L}(char *text, integer i, integer len) =
  @ 	text[i] == ':' && 0 < i && text[i + 1] != ':' &&
  @ 	hex_digits(text, i + 1, len) > 0 &&
  @ 	hex_digits(text, i + 1, len) % 2 == 0;
  @
  @ predicate hex_text_from{L}(char *text, integer from, integer len) =
  @ 	\forall integer i; from <= i < len ==>
  @ 		hex_digit(text[i]) >= 0 || hex_colon(text, i, len);
  @
  @ predicate hex_text{L}(char *text, integer len) =
  @ 	len > 0 && hex_text_from(text, 0, len);
  @
  @ // Are the digits from i on zero, but for the last n?
  @ predicate hex_zeros{L}(
  @ 	char *text, integer from, integer n, integer len) =
  @ 	\forall integer i; from <= i < len && text[i] != ':' &&
  @ 		hex_digits(text, i + 1, len) >= n ==>
  @ 			hex_digit(text[i]) == 0;
  @
  @ // [SER-2]: does hex text have a serial?
  @ predicate hex_fits{L}(char *text, integer len) =
  @ 	!hex_zeros(text, 0, 0, len) &&
  @ 	hex_zeros(text, 0, 2 * LBP_SERIAL_MAX, len);
  @
  @ // The digits of text from i on, of the last 2 * size, are in octets.
  @ predicate hex_in_octets{L}(char *text, integer from, integer len,
  @ 	uint8_t *octets, integer size) =
  @ 	\forall integer i; from <= i < len && text[i] != ':' &&
  @ 		hex_digits(text, i + 1, len) < 2 * size ==>
  @ 			serial_digit(octets, size,
  @ 				hex_digits(text, i + 1, len)) ==
  @ 			hex_digit(text[i]);
  @
  @ // Of the digits in octets only the last n are not zero.
  @ predicate serial_short{L}(uint8_t *octets, integer size, integer n) =
  @ 	\forall integer k; k >= n ==> serial_digit(octets, size, k) == 0;
  @
  @ lemma serial_digit_kept{K,L}:
  @ 	\forall uint8_t *octets, integer size, k; k >= 0 &&
  @ 		(\forall integer i; 0 <= i < size ==>
  @ 			\at(octets[i], L) == \at(octets[i], K)) ==>
  @ 				serial_digit{L}(octets, size, k) ==
  @ 				serial_digit{K}(octets, size, k);
  @
  @ lemma serial_is_as_short{L}:
  @ 	\forall struct lbp_serial *s, uint8_t *octets, integer len, n;
  @ 		serial_is(s, octets, len) && n >= 0 &&
  @ 		serial_short(octets, len, n) ==>
  @ 			serial_short(&s->octets[0], s->len, n);
  @
  @ lemma hex_zeros_if_short{L}:
  @ 	\forall char *text, integer from, len, uint8_t *octets,
  @ 		integer size, n;
  @ 		hex_in_octets(text, from, len, octets, size) &&
  @ 		hex_zeros(text, from, 2 * size, len) &&
  @ 		serial_short(octets, size, n) ==>
  @ 			hex_zeros(text, from, n, len);
  @
  @ // [SER-1], [SER-2]: the serial is the number that is written in text.
  @ predicate serial_is_hex{L}(
  @ 	struct lbp_serial *s, char *text, integer len) =
  @ 	serial_canonical(s) &&
  @ 	hex_zeros(text, 0, 2 * s->len, len) &&
  @ 	hex_in_octets(text, 0, len, &s->octets[0], s->len) &&
  @ 	serial_short(&s->octets[0], s->len, hex_digits(text, 0, len));
  @
  @ lemma serial_is_short{L}:
  @ 	\forall struct lbp_serial *s, uint8_t *octets, integer len;
  @ 		serial_is(s, octets, len) ==>
  @ 			serial_short(octets, len, 2 * s->len);
  @
  @ // No count of digits is negative, or more than that of them all.
  @ predicate hex_counted{L}(char *text, integer len) =
  @ 	\forall integer i; 0 <= i <= len ==>
  @ 		0 <= hex_digits(text, i, len) <= hex_digits(text, 0, len);
  @
  @ lemma serial_is_in_text{L}:
  @ 	\forall struct lbp_serial *s, uint8_t *octets, char *text,
  @ 		integer size, len;
  @ 		hex_counted(text, len) && serial_is(s, octets, size) &&
  @ 		hex_in_octets(text, 0, len, octets, size) ==>
  @ 			hex_in_octets(text, 0, len, &s->octets[0], s->len);
  @
  @ // Octets hold the number that is written in text.
  @ predicate hex_whole{L}(
  @ 	char *text, integer len, uint8_t *octets, integer size) =
  @ 	hex_counted(text, len) &&
  @ 	hex_in_octets(text, 0, len, octets, size) &&
  @ 	hex_zeros(text, 0, 2 * size, len) &&
  @ 	serial_short(octets, size, hex_digits(text, 0, len));
  @
  @ lemma serial_is_whole{L}:
  @ 	\forall struct lbp_serial *s, uint8_t *octets, char *text,
  @ 		integer size, len;
  @ 		len > 0 && serial_is(s, octets, size) &&
  @ 		hex_whole(text, len, octets, size) ==>
  @ 			serial_is_hex(s, text, len);
  @
  @ logic integer hex_upper(integer digit) =
  @ 	digit < 10 ? '0' + digit : 'A' + digit - 10;
  @
  @ // [SER-4]: the first n octets are upper-case, with colons between them.
  @ predicate serial_text(struct lbp_serial *s, char *buf, integer n) =
  @ 	\forall integer i; 0 <= i < n ==>
  @ 		buf[3 * i] == hex_upper(s->octets[i] / 16) &&
  @ 		buf[3 * i + 1] == hex_upper(s->octets[i] % 16) &&
  @ 		(i > 0 ==> buf[3 * i - 1] == ':');
  @
  @ // Do a and b agree in their first n octets?
  @ predicate serial_same(
  @ 	struct lbp_serial *a, struct lbp_serial *b, integer n) =
  @ 	\forall integer i; 0 <= i < n ==> a->octets[i] == b->octets[i];
  @
  @ // [SER-5]
  @ predicate serial_less(struct lbp_serial *a, struct lbp_serial *b) =
  @ 	a->len < b->len || (a->len == b->len &&
  @ 	\exists integer i; 0 <= i < a->len && serial_same(a, b, i) &&
  @ 		a->octets[i] < b->octets[i]);
  @*/

/*@ requires \valid(out) && \valid_read(text + (0 .. len - 1));
  @ requires \separated(out, text + (0 .. len - 1));
  @ assigns *out;
  @
  @ behavior other: // [SER-1]
  @ 	assumes !hex_text(text, len);
  @ 	ensures serial_kept{Pre,Post}(out);
  @ 	ensures \result == LBP_ERR_SYNTAX;
  @
  @ behavior beyond: // [SER-2]
  @ 	assumes hex_text(text, len) && !hex_fits(text, len);
  @ 	ensures serial_kept{Pre,Post}(out);
  @ 	ensures \result == LBP_ERR_RANGE;
  @
  @ behavior read:
  @ 	assumes hex_text(text, len) && hex_fits(text, len);
  @ 	ensures \result == LBP_OK && serial_is_hex(out, text, len);
  @
  @ complete behaviors;
  @ disjoint behaviors;
  @*/
enum lbp_err lbp_serial_from_hex(
	struct lbp_serial *out, const char *text, size_t len);

/*@ requires \valid(out) && \valid_read(content + (0 .. len - 1));
  @ requires \separated(out, content + (0 .. len - 1));
  @ assigns *out;
  @
  @ behavior nothing:
  @ 	assumes len == 0;
  @ 	ensures serial_kept{Pre,Post}(out);
  @ 	ensures \result == LBP_ERR_SYNTAX;
  @
  @ behavior beyond:
  @ 	assumes len > 0;
  @ 	assumes content[0] >= 0x80 || !serial_fits(content, len);
  @ 	ensures serial_kept{Pre,Post}(out);
  @ 	ensures \result == LBP_ERR_RANGE;
  @
  @ behavior read:
  @ 	assumes len > 0;
  @ 	assumes content[0] < 0x80 && serial_fits(content, len);
  @ 	ensures \result == LBP_OK && serial_is(out, content, len);
  @
  @ complete behaviors;
  @ disjoint behaviors;
  @*/
enum lbp_err lbp_serial_from_der(
	struct lbp_serial *out, const uint8_t *content, size_t len);

/*@ requires \valid_read(a) && \valid_read(b);
  @ requires serial_canonical(a) && serial_canonical(b);
  @ assigns \nothing;
  @ ensures \result < 0 <==> serial_less(a, b);
  @ ensures \result > 0 <==> serial_less(b, a);
  @ ensures \result == 0 <==> a->len == b->len && serial_same(a, b, a->len);
  @*/
int lbp_serial_compare(const struct lbp_serial *a, const struct lbp_serial *b);

/*@ requires \valid_read(serial) && serial_canonical(serial);
  @ requires \valid(buf + (0 .. LBP_SERIAL_TEXT_MAX - 1));
  @ requires \separated(serial, buf + (0 .. LBP_SERIAL_TEXT_MAX - 1));
  @ assigns buf[0 .. 3 * serial->len - 1];
  @ ensures \result == 3 * serial->len - 1;
  @ ensures serial_text(serial, buf, serial->len) && buf[\result] == '\0';
  @*/
size_t lbp_serial_format(const struct lbp_serial *serial, char *buf);

#endif
