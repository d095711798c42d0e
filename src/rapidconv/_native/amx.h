/* Products of matrices of bytes: AMX, which no level of x86-64 promises (`rc_x86_matrices` tells) and for whose registers a process
 * needs the system's leave (`rc_allows_matrices`).  Written as text, as the dot products of simd.h.
 *
 * A register is 16 rows of 64 bytes, or of 16 sums: 0 to 3 are sums, 4 pixels, 5 to 7 taps.
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
#define RC_AMX_LOAD(K, P) RC_AMX("tileloadd (%0,%1,1), %%tmm" #K : : "r"(P), "r"((int64_t)64))
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

/* Four times 16 x 16 sums: nought, from memory, to memory. */
RC_INLINE void rc_sums_nought(void) { RC_AMX_ZERO(0); RC_AMX_ZERO(1); RC_AMX_ZERO(2); RC_AMX_ZERO(3); }
RC_INLINE void rc_sums_load(const char *p) {
    RC_AMX_LOAD(0, p); RC_AMX_LOAD(1, p + 1024); RC_AMX_LOAD(2, p + 2048); RC_AMX_LOAD(3, p + 3072);
    (void)p;
}
RC_INLINE void rc_sums_store(char *p) {
    RC_AMX_STORE(0, p); RC_AMX_STORE(1, p + 1024); RC_AMX_STORE(2, p + 2048); RC_AMX_STORE(3, p + 3072);
    (void)p;
}

/* Products of pixels and taps, each of signed bytes (s) or others (u), added to the sums; taps of each of these are `back` bytes before
 * those of the one before. */
#define RC_AMX_ADD(SIGNS)                                                                           \
    RC_AMX_LOAD(4, pixels);                                                                         \
    RC_AMX_LOAD(5, taps); RC_AMX_PRODUCTS(SIGNS, 0, 4, 5);                                          \
    RC_AMX_LOAD(6, taps - back); RC_AMX_PRODUCTS(SIGNS, 1, 4, 6);                                   \
    RC_AMX_LOAD(7, taps - 2 * back); RC_AMX_PRODUCTS(SIGNS, 2, 4, 7);                               \
    RC_AMX_LOAD(5, taps - 3 * back); RC_AMX_PRODUCTS(SIGNS, 3, 4, 5);                               \
    break;
RC_INLINE void rc_sums_add(int signs, const char *pixels, const char *taps, int64_t back) {
    switch (signs) {
    case 0: RC_AMX_ADD("uu")
    case 1: RC_AMX_ADD("su")
    case 2: RC_AMX_ADD("us")
    default: RC_AMX_ADD("ss")
    }
    (void)pixels, (void)taps, (void)back;
}

#endif
