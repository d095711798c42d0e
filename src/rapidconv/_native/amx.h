/* Products of matrices of bytes: AMX, which no level of x86-64 promises (`rc_x86_matrices` tells) and for whose registers a process
 * needs the system's leave (`rc_allows_matrices`).  Written as text, as the dot products of simd.h.
 *
 * A register is 16 rows of 64 bytes, of four sums for each of 16 columns.  Sums of four blocks of outputs:   0 1
 * Pixels of the left ones are in 4, of the right ones in 5; taps of the upper ones in 6, of the lower in 7.  2 3
 */
#ifndef RAPIDCONV_AMX_H
#define RAPIDCONV_AMX_H

#include "simd.h"

#if defined(__AVX512F__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__) && __GNUC__ >= 11 && !defined(RAPIDCONV_ONE_LANE)
#  define RC_MATRICES 1
#  define RC_AMX(...) __asm__ volatile(__VA_ARGS__ : "memory")
#else
#  define RC_MATRICES 0
#  define RC_AMX(...)
#endif
#define RC_AMX_LOAD(K, P, STEP) RC_AMX("tileloadd (%0,%1,1), %%tmm" #K : : "r"(P), "r"((int64_t)(STEP)))
#define RC_AMX_STORE(K, P) RC_AMX("tilestored %%tmm" #K ", (%0,%1,1)" : : "r"(P), "r"((int64_t)64))
#define RC_AMX_ZERO(K) RC_AMX("tilezero %%tmm" #K : : )
#define RC_AMX_PRODUCTS(SIGNS, SUMS, PIXELS, TAPS) RC_AMX("tdpb" SIGNS "d %%tmm" #TAPS ", %%tmm" #PIXELS ", %%tmm" #SUMS : : )

/* All registers at full size, for this thread; and back to the state in which they cost nothing. */
RC_INLINE void rc_matrices_begin(void) {
    static const struct { uint8_t palette, start, unused[14]; uint16_t bytes[16]; uint8_t rows[16]; } size = {
        1, 0, {0}, {64, 64, 64, 64, 64, 64, 64, 64}, {16, 16, 16, 16, 16, 16, 16, 16}};
    RC_AMX("ldtilecfg %0" : : "m"(size));
    (void)size;
}
RC_INLINE void rc_matrices_end(void) { RC_AMX("tilerelease" : : ); }

/* Sums: nought, from memory, to memory; there the right ones follow the left ones, and the lower ones lie so many bytes on. */
RC_INLINE void rc_sums_nought(void) { RC_AMX_ZERO(0); RC_AMX_ZERO(1); RC_AMX_ZERO(2); RC_AMX_ZERO(3); }
RC_INLINE void rc_sums_load(const char *p, int64_t below) {
    RC_AMX_LOAD(0, p, 64); RC_AMX_LOAD(1, p + 1024, 64); RC_AMX_LOAD(2, p + below, 64); RC_AMX_LOAD(3, p + below + 1024, 64);
    (void)p, (void)below;
}
RC_INLINE void rc_sums_store(char *p, int64_t below) {
    RC_AMX_STORE(0, p); RC_AMX_STORE(1, p + 1024); RC_AMX_STORE(2, p + below); RC_AMX_STORE(3, p + below + 1024);
    (void)p, (void)below;
}

/* Products of pixels and taps, of signed bytes (s) or others (u), added to two of the sums. */
#define RC_AMX_BOTH(SIGNS, LEFT, RIGHT, TAPS) { RC_AMX_PRODUCTS(SIGNS, LEFT, 4, TAPS); RC_AMX_PRODUCTS(SIGNS, RIGHT, 5, TAPS); break; }
#define RC_AMX_ADD(LEFT, RIGHT, TAPS)                    \
    switch (signs) {                                     \
    case 0: RC_AMX_BOTH("uu", LEFT, RIGHT, TAPS)         \
    case 1: RC_AMX_BOTH("su", LEFT, RIGHT, TAPS)         \
    case 2: RC_AMX_BOTH("us", LEFT, RIGHT, TAPS)         \
    default: RC_AMX_BOTH("ss", LEFT, RIGHT, TAPS)        \
    }
RC_INLINE void rc_pixels(const char *left, const char *right, int64_t step) {
    RC_AMX_LOAD(4, left, step); RC_AMX_LOAD(5, right, step);
    (void)left, (void)right, (void)step;
}
RC_INLINE void rc_add_upper(int signs, const char *taps) { RC_AMX_LOAD(6, taps, 64); RC_AMX_ADD(0, 1, 6) (void)taps; }
RC_INLINE void rc_add_lower(int signs, const char *taps) { RC_AMX_LOAD(7, taps, 64); RC_AMX_ADD(2, 3, 7) (void)taps; }

#endif
