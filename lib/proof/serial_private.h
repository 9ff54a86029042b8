/*
 * What is proved of functions private to serial.c, for Frama-C alone.
 */
#ifndef LBP_PROOF_SERIAL_PRIVATE_H
#define LBP_PROOF_SERIAL_PRIVATE_H

/*@ requires \valid(out) && \valid_read(octets + (0 .. len - 1));
  @ requires \separated(out, octets + (0 .. len - 1));
  @ assigns *out;
  @
  @ behavior beyond:
  @ 	assumes !serial_fits(octets, len);
  @ 	ensures serial_kept{Pre,Post}(out);
  @ 	ensures \result == LBP_ERR_RANGE;
  @
  @ behavior fits:
  @ 	assumes serial_fits(octets, len);
  @ 	ensures \result == LBP_OK && serial_is(out, octets, len);
  @
  @ complete behaviors;
  @ disjoint behaviors;
  @*/
static enum lbp_err from_magnitude(
	struct lbp_serial *out, const uint8_t *octets, size_t len);

/*@ requires \valid(octets + (0 .. LBP_SERIAL_MAX - 1));
  @ requires k < 2 * LBP_SERIAL_MAX && 0 <= value < 16;
  @ requires serial_short(octets, LBP_SERIAL_MAX, k);
  @ assigns octets[LBP_SERIAL_MAX - 1 - k / 2];
  @ ensures serial_digit(octets, LBP_SERIAL_MAX, k) == value;
  @ ensures \forall integer j; 0 <= j && j != k ==>
  @ 	serial_digit(octets, LBP_SERIAL_MAX, j) ==
  @ 	serial_digit{Pre}(octets, LBP_SERIAL_MAX, j);
  @ ensures serial_zeros(octets, LBP_SERIAL_MAX) <==>
  @ 	value == 0 && serial_zeros{Pre}(octets, LBP_SERIAL_MAX);
  @*/
static void put_digit(uint8_t *octets, size_t k, int value);

#endif
