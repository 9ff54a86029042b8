/* The checksum CRC32c of RFC 4960, Appendix B (Castagnoli's polynomial). */
#ifndef LBP_CRC32C_H
#define LBP_CRC32C_H

#include <stddef.h>
#include <stdint.h>

/*
 * The checksum of what crc, 0 at first, is the checksum of, followed by len
 * bytes.
 */
uint32_t lbp_crc32c(uint32_t crc, const uint8_t *bytes, size_t len);

#endif
