/* What the bucket of a source is. Read by the proofs alone. */
#ifndef LBP_PROOF_SOURCES_HASH_H
#define LBP_PROOF_SOURCES_HASH_H

/*@ // Four bytes in network byte order.
  @ logic integer source_word{L}(uint8_t *bytes) =
  @ 	((bytes[0] * 256 + bytes[1]) * 256 + bytes[2]) * 256 + bytes[3];
  @
  @ // SipHash's round: what each word of its state is after it.
  @ logic integer sip_add(integer x, integer y) = (uint64_t)(x + y);
  @ logic integer sip_xor(integer x, integer y) = (uint64_t)(x ^ y);
  @ logic integer sip_rotate(integer x, integer by) =
  @ 	(uint64_t)(x << by) | (x >> (64 - by));
  @ logic integer sip_left(integer a, integer b) =
  @ 	sip_xor(sip_rotate(b, 13), sip_add(a, b));
  @ logic integer sip_right(integer c, integer d) =
  @ 	sip_xor(sip_rotate(d, 16), sip_add(c, d));
  @ logic integer sip_0(integer a, integer b, integer c, integer d) =
  @ 	sip_add(sip_rotate(sip_add(a, b), 32), sip_right(c, d));
  @ logic integer sip_across(integer a, integer b, integer c, integer d) =
  @ 	sip_add(sip_add(c, d), sip_left(a, b));
  @ logic integer sip_1(integer a, integer b, integer c, integer d) =
  @ 	sip_xor(sip_rotate(sip_left(a, b), 17), sip_across(a, b, c, d));
  @ logic integer sip_2(integer a, integer b, integer c, integer d) =
  @ 	sip_rotate(sip_across(a, b, c, d), 32);
  @ logic integer sip_3(integer a, integer b, integer c, integer d) =
  @ 	sip_xor(sip_rotate(sip_right(c, d), 21), sip_0(a, b, c, d));
  @
  @ // What comes of a state, by what is still to be done: nothing, a round,
  @ // two, three, the end, the second word, both.
  @ logic integer sip_out(integer a, integer b, integer c, integer d) =
  @ 	sip_xor(sip_xor(sip_xor(a, b), c), d);
  @ logic integer sip_third(integer a, integer b, integer c, integer d) =
  @ 	sip_out(sip_0(a, b, c, d), sip_1(a, b, c, d),
  @ 		sip_2(a, b, c, d), sip_3(a, b, c, d));
  @ logic integer sip_second(integer a, integer b, integer c, integer d) =
  @ 	sip_third(sip_0(a, b, c, d), sip_1(a, b, c, d),
  @ 		sip_2(a, b, c, d), sip_3(a, b, c, d));
  @ logic integer sip_first(integer a, integer b, integer c, integer d) =
  @ 	sip_second(sip_0(a, b, c, d), sip_1(a, b, c, d),
  @ 		sip_2(a, b, c, d), sip_3(a, b, c, d));
  @ logic integer sip_end(integer a, integer b, integer c, integer d) =
  @ 	sip_first(a, b, sip_xor(0xff, c), d);
  @ logic integer sip_low(
  @ 	integer a, integer b, integer c, integer d, integer low) =
  @ 	\let e = sip_xor(low, d);
  @ 	sip_end(sip_xor(low, sip_0(a, b, c, e)), sip_1(a, b, c, e),
  @ 		sip_2(a, b, c, e), sip_3(a, b, c, e));
  @ logic integer sip_high(integer a, integer b, integer c, integer d,
  @ 	integer high, integer low) =
  @ 	\let e = sip_xor(high, d);
  @ 	sip_low(sip_xor(high, sip_0(a, b, c, e)), sip_1(a, b, c, e),
  @ 		sip_2(a, b, c, e), sip_3(a, b, c, e), low);
  @ logic integer sip_hash(integer k, integer l, integer high, integer low) =
  @ 	sip_high(sip_xor(0x736f6d6570736575, k),
  @ 		sip_xor(0x646f72616e646f6d, l),
  @ 		sip_xor(0x6c7967656e657261, k),
  @ 		sip_xor(0x7465646279746573, l), high, low);
  @
  @ logic integer bucket_of{L}(
  @ 	struct lbp_sources *s, integer high, integer low) =
  @ 	(uint32_t)sip_hash(s->seed[0], s->seed[1], high, low) % (s->mask + 1);
  @*/

#endif
