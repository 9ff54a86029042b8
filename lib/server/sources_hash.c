#include "server/sources_state.h"

/* --- addresses ----------------------------------------------------------- */

#define WORD   UINT64_C(0x100000000)        /* 2^32 */
#define MAPPED UINT64_C(0x0000ffff00000000) /* ::ffff:0.0.0.0 */

/*@ requires \valid_read(bytes + (0 .. 3));
  @ assigns \nothing;
  @ ensures \result == source_word(bytes);
  @*/
static uint64_t read_word(const uint8_t bytes[4])
{
	uint64_t value = bytes[0];

	value = value * 256 + bytes[1];
	value = value * 256 + bytes[2];
	return value * 256 + bytes[3];
}

/*@ requires \valid_read(address + (0 .. 3));
  @ assigns \nothing;
  @ ensures \result.high == 0;
  @ ensures \result.low == MAPPED + source_word(address);
  @*/
struct lbp_source lbp_source_ipv4(const uint8_t address[4])
{
	return (struct lbp_source){0, MAPPED + read_word(address)};
}

/*@ requires \valid_read(address + (0 .. 15));
  @ assigns \nothing;
  @ ensures \result.high ==
  @ 	source_word(address) * WORD + source_word(address + 4);
  @ ensures \result.high == 0 && source_word(address + 8) == 0xffff ==>
  @ 	\result.low == MAPPED + source_word(address + 12);
  @ ensures \result.high != 0 || source_word(address + 8) != 0xffff ==>
  @ 	\result.low == 0;
  @*/
struct lbp_source lbp_source_ipv6(const uint8_t address[16])
{
	uint64_t high = read_word(address) * WORD + read_word(address + 4);
	bool mapped = high == 0 && read_word(address + 8) == MAPPED / WORD;

	return (struct lbp_source){
		high, mapped ? MAPPED + read_word(address + 12) : 0};
}

/* --- buckets ------------------------------------------------------------- */

/*@ requires 0 < by < 64;
  @ assigns \nothing;
  @ ensures \result == sip_rotate(value, by);
  @*/
static uint64_t rotate(uint64_t value, unsigned by)
{
	return value << by | value >> (64 - by);
}

/*@ requires \valid(v + (0 .. 3));
  @ assigns v[0 .. 3];
  @ ensures v[0] == \old(sip_0(v[0], v[1], v[2], v[3]));
  @ ensures v[1] == \old(sip_1(v[0], v[1], v[2], v[3]));
  @ ensures v[2] == \old(sip_2(v[0], v[1], v[2], v[3]));
  @ ensures v[3] == \old(sip_3(v[0], v[1], v[2], v[3]));
  @*/
static void mix(uint64_t v[4])
{
	v[0] += v[1];
	v[2] += v[3];
	v[1] = rotate(v[1], 13) ^ v[0];
	v[3] = rotate(v[3], 16) ^ v[2];
	v[0] = rotate(v[0], 32) + v[3];
	v[2] += v[1];
	v[3] = rotate(v[3], 21) ^ v[0];
	v[1] = rotate(v[1], 17) ^ v[2];
	v[2] = rotate(v[2], 32);
}

/*@ requires \valid(v + (0 .. 3));
  @ assigns v[0 .. 3];
  @ ensures v[0] == sip_xor(word,
  @ 	\old(sip_0(v[0], v[1], v[2], sip_xor(word, v[3]))));
  @ ensures v[1] == \old(sip_1(v[0], v[1], v[2], sip_xor(word, v[3])));
  @ ensures v[2] == \old(sip_2(v[0], v[1], v[2], sip_xor(word, v[3])));
  @ ensures v[3] == \old(sip_3(v[0], v[1], v[2], sip_xor(word, v[3])));
  @*/
static void absorb(uint64_t v[4], uint64_t word)
{
	v[3] ^= word;
	mix(v);
	v[0] ^= word;
}

/* SipHash-1-3 of 16 bytes, whose length needs no place in it. */
/*@ assigns \nothing;
  @ ensures \result == sip_hash(k, l, high, low);
  @*/
static uint64_t hash(uint64_t k, uint64_t l, uint64_t high, uint64_t low)
{
	uint64_t v[4] = {
		k ^ UINT64_C(0x736f6d6570736575),
		l ^ UINT64_C(0x646f72616e646f6d),
		k ^ UINT64_C(0x6c7967656e657261),
		l ^ UINT64_C(0x7465646279746573),
	};

	/*@ assert sip_hash(k, l, high, low) ==
	  @ 	sip_high(v[0], v[1], v[2], v[3], high, low);
	  @*/
	absorb(v, high);
	/*@ assert sip_hash(k, l, high, low) ==
	  @ 	sip_low(v[0], v[1], v[2], v[3], low);
	  @*/
	absorb(v, low);
	v[2] ^= 0xff;
	/*@ assert sip_hash(k, l, high, low) ==
	  @ 	sip_first(v[0], v[1], v[2], v[3]);
	  @*/
	mix(v);
	mix(v);
	mix(v);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

uint32_t lbp_sources_bucket(
	const struct lbp_sources *sources, const struct lbp_source *source)
{
	uint64_t of = hash(
		sources->seed[0], sources->seed[1], source->high, source->low);

	/* As & mask would, but so that the proof knows it is in range. */
	return (uint32_t)((uint32_t)of % ((uint64_t)sources->mask + 1));
}
