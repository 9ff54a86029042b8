/*
 * What every header of the library needs.
 */
#ifndef LBP_BASE_H
#define LBP_BASE_H

#include <stdint.h>

/* A time that never comes; as a timeout, off. */
#define LBP_NEVER UINT64_MAX

/* In place of a number, such as a client's or an upstream's: none. */
#define LBP_NONE UINT32_MAX

/* Times are in nanoseconds. */
#define LBP_NS_PER_MS UINT64_C(1000000)
#define LBP_NS_PER_S  UINT64_C(1000000000)

#define LBP_UPSTREAMS_MAX 1024 /* of one application */
#define LBP_WEIGHT_MAX    256

/* Results that must be looked at. */
#define LBP_MUST_CHECK __attribute__((warn_unused_result))

/* Around what a header declares, for programs in C++. */
#ifdef __cplusplus
#define LBP_BEGIN_DECLS extern "C" {
#define LBP_END_DECLS   }
#else
#define LBP_BEGIN_DECLS
#define LBP_END_DECLS
#endif

LBP_BEGIN_DECLS

/*
 * The version of the library that is linked, static text; LBP_VERSION is that
 * of the headers. Source: [ERR-3].
 */
const char *lbp_version(void);

LBP_END_DECLS

#endif
