/* Vector types: the only file that names a compiler.
 *
 * A "vec" is one register of lanes.  Cython writes plain + and * on it and the compiler turns each
 * into one instruction.  With RAPIDCONV_ONE_LANE, or on a compiler without vector types, a vec is
 * one number and the same sources still compile.
 */
#ifndef RAPIDCONV_SIMD_H
#define RAPIDCONV_SIMD_H

#include <stdint.h>
#include <string.h>

#if !defined(RAPIDCONV_ONE_LANE) && (defined(__GNUC__) || defined(__clang__))
#  if defined(__AVX512F__)
#    define RC_BYTES 64
#  elif defined(__AVX2__)
#    define RC_BYTES 32
#  else
#    define RC_BYTES 16
#  endif
#  define RC_VECTOR(T) __attribute__((vector_size(RC_BYTES))) T
#  define RC_LANES(T) ((Py_ssize_t)(RC_BYTES / sizeof(T)))
#else
#  define RC_BYTES 0
#  define RC_VECTOR(T) T
#  define RC_LANES(T) ((Py_ssize_t)1)
#endif

#if defined(__GNUC__) || defined(__clang__)
#  define RC_INLINE static inline __attribute__((always_inline))
#else
#  define RC_INLINE static inline
#endif

/* Register tiles, in vectors: accumulators + inputs + one broadcast weight must fit the registers.
 * 32 registers: 9 x 3 + 3 + 1;  16 registers: 12 accumulators at most. */
#if RC_BYTES == 64 || (RC_BYTES == 16 && defined(__aarch64__))
#  define RC_TILE_ROWS 8
#  define RC_TILE_VECS 3
#  define RC_STREAM_ROWS 9
#  define RC_STREAM_VECS(kh) 3
#else
#  define RC_TILE_ROWS 4
#  define RC_TILE_VECS 3
#  define RC_STREAM_ROWS 6
#  define RC_STREAM_VECS(kh) ((kh) <= 4 ? 3 : 2)
#endif
/* Rows of a band: input and output rows beyond the 12 ways of a first-level cache set, and beyond the 16 pages of
 * the store TLB (Golden Cove), cost more than the rows a band reads twice. */
#define RC_BAND(kh) ((kh) <= 4 ? 8 : 16)

/* Keeps a loaded vector in its register: gcc would rather load it again as an operand of every use. */
#if RC_BYTES == 64
#  define RC_PIN(v) __asm__("" : "+v"(v))
#elif RC_BYTES && defined(__x86_64__)
#  define RC_PIN(v) __asm__("" : "+x"(v))
#elif RC_BYTES && defined(__aarch64__)
#  define RC_PIN(v) __asm__("" : "+w"(v))
#else
#  define RC_PIN(v)
#endif

#define RC_LANE(NAME, T)                                                                       \
    typedef RC_VECTOR(T) NAME;                                                                 \
    RC_INLINE NAME NAME##_load(const char *p) { NAME v; memcpy(&v, p, sizeof v); RC_PIN(v); return v; }   \
    RC_INLINE void NAME##_store(char *p, NAME v) { memcpy(p, &v, sizeof v); }                  \
    RC_INLINE NAME NAME##_splat(const char *p) { T x; memcpy(&x, p, sizeof x); return x - (NAME){0}; }

/* Lanes j, j + 1, ... of two neighbouring vectors, j a constant: worth it where every unaligned load of a vector
 * straddles two cache lines, which is 64-byte vectors. */
#if RC_BYTES == 64
#  include <immintrin.h>
#  define RC_SHIFTS 1
#  define RC_SHIFT(NAME, SUFFIX, J) \
    case J: return (NAME)_mm512_alignr_##SUFFIX((__m512i)hi, (__m512i)lo, J);
#  define RC_SHIFT_CASES(NAME, SUFFIX) \
    RC_SHIFT(NAME, SUFFIX, 1) RC_SHIFT(NAME, SUFFIX, 2) RC_SHIFT(NAME, SUFFIX, 3) RC_SHIFT(NAME, SUFFIX, 4) \
    RC_SHIFT(NAME, SUFFIX, 5) RC_SHIFT(NAME, SUFFIX, 6) RC_SHIFT(NAME, SUFFIX, 7)
#else
#  define RC_SHIFTS 0
#endif

RC_LANE(vf4, float)
RC_LANE(vf8, double)
RC_LANE(vi2, int16_t)
RC_LANE(vi4, int32_t)
RC_LANE(vi8, int64_t)

#if RC_SHIFTS
RC_INLINE vf4 vf4_shift(vf4 lo, vf4 hi, int j) {
    switch (j) { RC_SHIFT_CASES(vf4, epi32) }
    return lo;
}
RC_INLINE vf8 vf8_shift(vf8 lo, vf8 hi, int j) {
    switch (j) { RC_SHIFT_CASES(vf8, epi64) }
    return lo;
}
#else
#  define vf4_shift(lo, hi, j) (lo)
#  define vf8_shift(lo, hi, j) (lo)
#endif
/* Every other unit of two neighbouring vectors, and back: NAME_even, NAME_odd, NAME_low, NAME_high.
 *
 *     lo hi = a b c d | e f g h    even = a c e g    odd = b d f h    low, high of (even, odd) = lo, hi
 *
 * A unit is one lane, or two (NAME2_...).  Vectors of one lane are their own units: even is lo, odd is hi. */
#if RC_BYTES && defined(__has_builtin)
#  if __has_builtin(__builtin_shufflevector)
#    define RC_QUADS 1
#  endif
#endif
#ifndef RC_QUADS
#  define RC_QUADS 0
#endif
#define RC_EVEN_2 0, 2
#define RC_ODD_2 1, 3
#define RC_LOW_2 0, 2
#define RC_HIGH_2 1, 3
#define RC_EVEN_4 0, 2, 4, 6
#define RC_ODD_4 1, 3, 5, 7
#define RC_LOW_4 0, 4, 1, 5
#define RC_HIGH_4 2, 6, 3, 7
#define RC_EVEN_8 RC_EVEN_4, 8, 10, 12, 14
#define RC_ODD_8 RC_ODD_4, 9, 11, 13, 15
#define RC_LOW_8 0, 8, 1, 9, 2, 10, 3, 11
#define RC_HIGH_8 4, 12, 5, 13, 6, 14, 7, 15
#define RC_EVEN_16 RC_EVEN_8, 16, 18, 20, 22, 24, 26, 28, 30
#define RC_ODD_16 RC_ODD_8, 17, 19, 21, 23, 25, 27, 29, 31
#define RC_LOW_16 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define RC_HIGH_16 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#define RC_EVEN_32 RC_EVEN_16, 32, 34, 36, 38, 40, 42, 44, 46, 48, 50, 52, 54, 56, 58, 60, 62
#define RC_ODD_32 RC_ODD_16, 33, 35, 37, 39, 41, 43, 45, 47, 49, 51, 53, 55, 57, 59, 61, 63
#define RC_LOW_32 0, 32, 1, 33, 2, 34, 3, 35, 4, 36, 5, 37, 6, 38, 7, 39, \
    8, 40, 9, 41, 10, 42, 11, 43, 12, 44, 13, 45, 14, 46, 15, 47
#define RC_HIGH_32 16, 48, 17, 49, 18, 50, 19, 51, 20, 52, 21, 53, 22, 54, 23, 55, \
    24, 56, 25, 57, 26, 58, 27, 59, 28, 60, 29, 61, 30, 62, 31, 63
#define RC_EVEN2_4 0, 1, 4, 5
#define RC_ODD2_4 2, 3, 6, 7
#define RC_LOW2_4 0, 1, 4, 5
#define RC_HIGH2_4 2, 3, 6, 7
#define RC_EVEN2_8 0, 1, 4, 5, 8, 9, 12, 13
#define RC_ODD2_8 2, 3, 6, 7, 10, 11, 14, 15
#define RC_LOW2_8 0, 1, 8, 9, 2, 3, 10, 11
#define RC_HIGH2_8 4, 5, 12, 13, 6, 7, 14, 15
#define RC_PAIR(NAME, UNIT, EVEN, ODD, LOW, HIGH)                                                           \
    RC_INLINE NAME NAME##UNIT##_even(NAME a, NAME b) { return __builtin_shufflevector(a, b, EVEN); }        \
    RC_INLINE NAME NAME##UNIT##_odd(NAME a, NAME b) { return __builtin_shufflevector(a, b, ODD); }          \
    RC_INLINE NAME NAME##UNIT##_low(NAME a, NAME b) { return __builtin_shufflevector(a, b, LOW); }          \
    RC_INLINE NAME NAME##UNIT##_high(NAME a, NAME b) { return __builtin_shufflevector(a, b, HIGH); }
#define RC_UNITS(NAME, UNIT, N) RC_PAIR(NAME, UNIT, RC_EVEN##N, RC_ODD##N, RC_LOW##N, RC_HIGH##N)
#define RC_WHOLE(NAME, UNIT)                                                                                \
    RC_INLINE NAME NAME##UNIT##_even(NAME a, NAME b) { (void)b; return a; }                                 \
    RC_INLINE NAME NAME##UNIT##_odd(NAME a, NAME b) { (void)a; return b; }                                  \
    RC_INLINE NAME NAME##UNIT##_low(NAME a, NAME b) { (void)b; return a; }                                  \
    RC_INLINE NAME NAME##UNIT##_high(NAME a, NAME b) { (void)a; return b; }
#define RC_CAST(NAME, AS)                                                                                   \
    RC_INLINE NAME NAME##2_even(NAME a, NAME b) { return (NAME)AS##_even((AS)a, (AS)b); }                   \
    RC_INLINE NAME NAME##2_odd(NAME a, NAME b) { return (NAME)AS##_odd((AS)a, (AS)b); }                     \
    RC_INLINE NAME NAME##2_low(NAME a, NAME b) { return (NAME)AS##_low((AS)a, (AS)b); }                     \
    RC_INLINE NAME NAME##2_high(NAME a, NAME b) { return (NAME)AS##_high((AS)a, (AS)b); }
#if RC_QUADS && RC_BYTES == 64
RC_UNITS(vf4, , _16) RC_UNITS(vf8, , _8) RC_UNITS(vi2, , _32) RC_UNITS(vf8, 2, 2_8) RC_CAST(vf4, vf8)
#elif RC_QUADS && RC_BYTES == 32
RC_UNITS(vf4, , _8) RC_UNITS(vf8, , _4) RC_UNITS(vi2, , _16) RC_UNITS(vf8, 2, 2_4) RC_CAST(vf4, vf8)
#elif RC_QUADS
RC_UNITS(vf4, , _4) RC_UNITS(vf8, , _2) RC_UNITS(vi2, , _8) RC_WHOLE(vf8, 2) RC_CAST(vf4, vf8)
#else
RC_WHOLE(vf4, ) RC_WHOLE(vf8, ) RC_WHOLE(vi2, ) RC_WHOLE(vf4, 2) RC_WHOLE(vf8, 2)
#endif

/* Tiles of the separable road, in vectors: 6 rows of columns summed, 4 phases of a row. */
#if RC_BYTES == 64 || (RC_BYTES == 16 && defined(__aarch64__))
#  define RC_COLUMN_VECS 4
#  define RC_QUAD_VECS 4
#else
#  define RC_COLUMN_VECS 2
#  define RC_QUAD_VECS 2
#endif

/* A line that will be read soon. */
#if defined(__GNUC__) || defined(__clang__)
#  define RC_READ_SOON(p) __builtin_prefetch(p)
#else
#  define RC_READ_SOON(p)
#endif

/* Makes gcc forget what it knows of a pointer: it would carry weights from one turn of a loop to the next in
 * registers it does not have, and broadcast them by shuffles. */
#if defined(__GNUC__) || defined(__clang__)
#  define RC_FORGET(p) __asm__("" : "+r"(p))
#else
#  define RC_FORGET(p)
#endif

typedef long double vfg; /* no machine has vectors of these: always one lane */
RC_INLINE vfg vfg_load(const char *p) { return *(const vfg *)p; }
RC_INLINE void vfg_store(char *p, vfg v) { *(vfg *)p = v; }
RC_INLINE vfg vfg_splat(const char *p) { return *(const vfg *)p; }

/* IEEE half precision, in integer arithmetic: no target promises the instructions. */
RC_INLINE float rc_from_half(unsigned short h) {
    uint32_t sign = (uint32_t)(h & 0x8000u) << 16, rest = h & 0x7fffu, bits;
    float x;
    if (rest < 0x0400u) { /* zero or subnormal: rest * 2^-24, exact */
        x = (float)rest * 5.9604644775390625e-8f;
        memcpy(&bits, &x, 4);
    } else {
        bits = (rest << 13) + (rest < 0x7c00u ? 0x38000000u : 0x70000000u);
    }
    bits |= sign;
    memcpy(&x, &bits, 4);
    return x;
}

/* To the nearest half, ties to even. */
RC_INLINE unsigned short rc_to_half(float x) {
    uint32_t bits, sign, rest;
    memcpy(&bits, &x, 4);
    sign = (bits >> 16) & 0x8000u;
    rest = bits & 0x7fffffffu;
    if (rest > 0x7f800000u) return (unsigned short)(sign | 0x7e00u);  /* nan */
    if (rest >= 0x477ff000u) return (unsigned short)(sign | 0x7c00u); /* at least 65520 */
    if (rest < 0x38800000u) { /* below 2^-14: adding 1/2 leaves a multiple of 2^-24, rounded */
        float half = 0.5f, sum;
        memcpy(&sum, &rest, 4);
        sum += half;
        memcpy(&bits, &sum, 4);
        memcpy(&rest, &half, 4);
        return (unsigned short)(sign | (bits - rest));
    }
    return (unsigned short)(sign | ((rest - 0x38000000u + 0x0fffu + ((rest >> 13) & 1u)) >> 13));
}

#endif
