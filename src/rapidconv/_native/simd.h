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
/* The same for a bank of two kernels: its sums are twice as many. */
#if RC_TILE_ROWS == 8
#  define RC_BANK_ROWS 4
#  define RC_BANK_STREAM 5
#  define RC_BANK_VECS(kh) ((kh) <= 4 ? 3 : 2)
#else
#  define RC_BANK_ROWS 2
#  define RC_BANK_STREAM 3
#  define RC_BANK_VECS(kh) ((kh) <= 2 ? 3 : 2)
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

/* Whole numbers in floating lanes: integers of a lane's size in memory.  Exact below 2^24 and 2^51. */
#if RC_BYTES
#  define RC_WHOLE 1
typedef vf4 vw4;
typedef vf8 vw8;
RC_INLINE vw4 vw4_load(const char *p) { vi4 x; vw4 v; memcpy(&x, p, sizeof x); v = __builtin_convertvector(x, vf4); RC_PIN(v); return v; }
RC_INLINE void vw4_store(char *p, vw4 v) { vi4 x = __builtin_convertvector(v, vi4); memcpy(p, &x, sizeof x); }
#  if defined(__x86_64__) && !defined(__AVX512DQ__)
/* No instruction converts 64-bit integers: 1.5 * 2^52 + x has the bits of x in its low ones. */
RC_INLINE vw8 vw8_load(const char *p) {
    vi8 x;
    vw8 v;
    memcpy(&x, p, sizeof x);
    x += 0x4338000000000000;
    memcpy(&v, &x, sizeof v);
    v -= 6755399441055744.0;
    RC_PIN(v);
    return v;
}
RC_INLINE void vw8_store(char *p, vw8 v) {
    vi8 x;
    v += 6755399441055744.0;
    memcpy(&x, &v, sizeof x);
    x -= 0x4338000000000000;
    memcpy(p, &x, sizeof x);
}
#  else
RC_INLINE vw8 vw8_load(const char *p) { vi8 x; vw8 v; memcpy(&x, p, sizeof x); v = __builtin_convertvector(x, vf8); RC_PIN(v); return v; }
RC_INLINE void vw8_store(char *p, vw8 v) { vi8 x = __builtin_convertvector(v, vi8); memcpy(p, &x, sizeof x); }
#  endif
#else
#  define RC_WHOLE 0
typedef float vw4;
typedef double vw8;
#  define vw4_load vf4_load
#  define vw8_load vf8_load
#  define vw4_store vf4_store
#  define vw8_store vf8_store
#endif
#define vw4_splat vf4_splat
#define vw8_splat vf8_splat
#define vw4_shift vf4_shift
#define vw8_shift vf8_shift

/* Complex numbers as (re, im) pairs of lanes.  zip_low, zip_high: pairs of two vectors of parts; times_i: (-im, re). */
#if RC_BYTES
#  define RC_BANKS 1
#  if RC_BYTES == 64
#    define RC_LOW4(n) 0, n, 1, n + 1, 2, n + 2, 3, n + 3, 4, n + 4, 5, n + 5, 6, n + 6, 7, n + 7
#    define RC_LOW8(n) 0, n, 1, n + 1, 2, n + 2, 3, n + 3
#    define RC_HIGH4(n) 8, n + 8, 9, n + 9, 10, n + 10, 11, n + 11, 12, n + 12, 13, n + 13, 14, n + 14, 15, n + 15
#    define RC_HIGH8(n) 4, n + 4, 5, n + 5, 6, n + 6, 7, n + 7
#    define RC_SWAP4 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14
#    define RC_SWAP8 1, 0, 3, 2, 5, 4, 7, 6
#    define RC_SIGNS4 -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1, -1, 1
#    define RC_SIGNS8 -1, 1, -1, 1, -1, 1, -1, 1
#  elif RC_BYTES == 32
#    define RC_LOW4(n) 0, n, 1, n + 1, 2, n + 2, 3, n + 3
#    define RC_LOW8(n) 0, n, 1, n + 1
#    define RC_HIGH4(n) 4, n + 4, 5, n + 5, 6, n + 6, 7, n + 7
#    define RC_HIGH8(n) 2, n + 2, 3, n + 3
#    define RC_SWAP4 1, 0, 3, 2, 5, 4, 7, 6
#    define RC_SWAP8 1, 0, 3, 2
#    define RC_SIGNS4 -1, 1, -1, 1, -1, 1, -1, 1
#    define RC_SIGNS8 -1, 1, -1, 1
#  else
#    define RC_LOW4(n) 0, n, 1, n + 1
#    define RC_LOW8(n) 0, n
#    define RC_HIGH4(n) 2, n + 2, 3, n + 3
#    define RC_HIGH8(n) 1, n + 1
#    define RC_SWAP4 1, 0, 3, 2
#    define RC_SWAP8 1, 0
#    define RC_SIGNS4 -1, 1, -1, 1
#    define RC_SIGNS8 -1, 1
#  endif
#  if defined(__clang__) || __GNUC__ >= 12
#    define RC_SHUFFLE(a, b, I, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#  else
#    define RC_SHUFFLE(a, b, I, ...) __builtin_shuffle(a, b, (RC_VECTOR(I)){__VA_ARGS__})
#  endif
#  define RC_BANK(NAME, SIZE, I)                                                                                    \
    RC_INLINE NAME NAME##_zip_low(NAME a, NAME b) { return RC_SHUFFLE(a, b, I, RC_LOW##SIZE(RC_BYTES / SIZE)); }    \
    RC_INLINE NAME NAME##_zip_high(NAME a, NAME b) { return RC_SHUFFLE(a, b, I, RC_HIGH##SIZE(RC_BYTES / SIZE)); }  \
    RC_INLINE NAME NAME##_times_i(NAME a) { return RC_SHUFFLE(a, a, I, RC_SWAP##SIZE) * (NAME){RC_SIGNS##SIZE}; }
RC_BANK(vf4, 4, int32_t)
RC_BANK(vf8, 8, int64_t)
#else
#  define RC_BANKS 0
#  define vf4_zip_low(a, b) (a)
#  define vf8_zip_low(a, b) (a)
#  define vf4_zip_high(a, b) (b)
#  define vf8_zip_high(a, b) (b)
#  define vf4_times_i(a) (a)
#  define vf8_times_i(a) (a)
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
