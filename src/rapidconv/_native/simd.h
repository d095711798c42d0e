/* Vector types: the only file that names a compiler.
 *
 * A "vec" is one register of lanes.  Cython writes plain + and * on it and the compiler turns each
 * into one instruction.  With RAPIDCONV_ONE_LANE, or on a compiler without vector types, a vec is
 * one number and the same sources still compile.
 */
#ifndef RAPIDCONV_SIMD_H
#define RAPIDCONV_SIMD_H

#include <math.h>
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

/* The counter's value before a step is added to it, as one act among threads. */
#if defined(__GNUC__) || defined(__clang__)
#  define rc_fetch_add(counter, step) __atomic_fetch_add((counter), (step), __ATOMIC_RELAXED)
#elif defined(_MSC_VER) && defined(_WIN64)
#  include <intrin.h>
#  define rc_fetch_add(counter, step) ((Py_ssize_t)_InterlockedExchangeAdd64((volatile __int64*)(counter), (step)))
#elif defined(_MSC_VER)
#  include <intrin.h>
#  define rc_fetch_add(counter, step) ((Py_ssize_t)_InterlockedExchangeAdd((volatile long*)(counter), (step)))
#else
#  include <stdatomic.h>
#  define rc_fetch_add(counter, step) atomic_fetch_add((_Atomic Py_ssize_t*)(counter), (step))
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
/* Rings of 7 to 9 output rows take the same registers as streams of 9. */
#define RC_RINGS (RC_STREAM_ROWS == 9)
/* Vectors of each of four rows of sums of few taps. */
#define RC_FEW_VECS (RC_TILE_ROWS == 8 ? 4 : 2)
/* As tiles, for a bank of two kernels: its sums are twice as many. */
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
/* The same, at most, of low kernels whose next band is fetched. */
#define RC_LOW_BAND (RC_BYTES == 64 ? 12 : 8)

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

/* Makes a pointer a new one to the compiler: what is loaded through it is not kept from the last time, and spilled. */
#if defined(__GNUC__) || defined(__clang__)
#  define RC_ANEW(p) __asm__ volatile("" : "+r"(p))
#else
#  define RC_ANEW(p)
#endif

#define RC_LANE(NAME, T)                                                                       \
    typedef RC_VECTOR(T) NAME;                                                                 \
    RC_INLINE NAME NAME##_load(const char *p) { NAME v; memcpy(&v, p, sizeof v); RC_PIN(v); return v; }   \
    RC_INLINE void NAME##_store(char *p, NAME v) { memcpy(p, &v, sizeof v); }                  \
    RC_INLINE NAME NAME##_zero(void) { NAME v = {0}; return v; }                               \
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

/* A product that the compiler may not make one operation with the addition it goes into. */
#if defined(__GNUC__) && defined(__x86_64__) && RC_BYTES < 64
#  define RC_UNFUSED(v) __asm__("" : "+x"(v))
#elif defined(__GNUC__) && defined(__x86_64__)
#  define RC_UNFUSED(v) __asm__("" : "+v"(v))
#elif defined(__GNUC__) && defined(__aarch64__)
#  define RC_UNFUSED(v) __asm__("" : "+w"(v))
#elif defined(__GNUC__)
#  define RC_UNFUSED(v) __asm__("" : "+m"(v))
#else
#  define RC_UNFUSED(v)
#endif

RC_LANE(vf4, float)
RC_LANE(vf8, double)
RC_LANE(vi2, int16_t)
RC_LANE(vi4, int32_t)
RC_LANE(vi8, int64_t)

/* Sums of products of the four bytes, or two shorts, of a lane: x unsigned bytes or signed shorts, w signed ones.  One instruction
 * of AVX512_VNNI, which no level of x86-64 promises: `rc_x86_dots` tells.  Written as text, since the target attribute that
 * its intrinsic asks for would keep it from being inlined, and clang's assembler asks for the same. */
#if RC_BYTES == 64 && defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#  define RC_DOTS 1
#  define RC_DOT(NAME, INSTRUCTION) \
    RC_INLINE NAME NAME##_dot(NAME a, NAME w, NAME x) { __asm__(INSTRUCTION " %2, %1, %0" : "+v"(a) : "v"(x), "v"(w)); return a; }
#else
#  define RC_DOTS 0
#  define RC_DOT(NAME, INSTRUCTION) RC_INLINE NAME NAME##_dot(NAME a, NAME w, NAME x) { return a + w * x; }
#endif
RC_LANE(vq4, int32_t)
RC_LANE(vp4, int32_t)
RC_DOT(vq4, "vpdpbusd")
RC_DOT(vp4, "vpdpwssd")
RC_INLINE vf8 vf8_unfused(vf8 v) { RC_UNFUSED(v); return v; }

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
#define vw4_zero vf4_zero
#define vw8_zero vf8_zero
#define vw4_shift vf4_shift
#define vw8_shift vf8_shift

/* Square roots.  Where vectors of 64 bytes are, an estimate to 14 bits and one step from it are twice as fast as the
 * instruction in float32: within 1 eps, exact for squares; zeros and infinities are their own roots. */
#if RC_BYTES == 64
RC_INLINE vf4 vf4_root(vf4 a) {
    const __m512 x = (__m512)a, r = _mm512_rsqrt14_ps(x), y = _mm512_mul_ps(x, r);
    const __m512 half = _mm512_mul_ps(_mm512_fnmadd_ps(y, y, x), _mm512_set1_ps(0.5f));
    const __mmask16 own = _mm512_fpclass_ps_mask(x, 0x9f);        /* NaN, zeros, infinities */
    if (_mm512_mask_cmp_ps_mask((__mmask16)~own, x, _mm512_set1_ps(0x1p-100f), _CMP_LT_OQ))
        return (vf4)_mm512_sqrt_ps(x);                            /* the step would underflow */
    return (vf4)_mm512_mask_mov_ps(_mm512_fmadd_ps(half, r, y), own, x);
}
RC_INLINE vf8 vf8_root(vf8 a) { return (vf8)_mm512_sqrt_pd((__m512d)a); }
#else
#  define RC_ROOT(NAME, T, ROOT)                                                                  \
    RC_INLINE NAME NAME##_root(NAME a) {                                                          \
        T x[sizeof(NAME) / sizeof(T)];                                                            \
        memcpy(x, &a, sizeof x);                                                                  \
        for (size_t i = 0; i < sizeof(NAME) / sizeof(T); i++) x[i] = ROOT(x[i]);                  \
        memcpy(&a, x, sizeof x);                                                                  \
        return a;                                                                                 \
    }
RC_ROOT(vf4, float, sqrtf)
RC_ROOT(vf8, double, sqrt)
#endif

/* Permutations of lanes, by the lanes of a vector: those of a come first, then those of b.
 *
 *     a, b = 0 1 2 3 | 4 5 6 7    even = 0 2 4 6   odd = 1 3 5 7   low = 0 4 1 5   high = 2 6 3 7   swap = 1 0 3 2
 *
 * low and high of (even, odd) are a and b again.  EVEN2 and the like take two lanes for one.  */
#define RC_EVEN_2 0, 2
#define RC_ODD_2 1, 3
#define RC_LOW_2 0, 2
#define RC_HIGH_2 1, 3
#define RC_SWAP_2 1, 0
#define RC_EVEN_4 0, 2, 4, 6
#define RC_ODD_4 1, 3, 5, 7
#define RC_LOW_4 0, 4, 1, 5
#define RC_HIGH_4 2, 6, 3, 7
#define RC_SWAP_4 1, 0, 3, 2
#define RC_EVEN_8 0, 2, 4, 6, 8, 10, 12, 14
#define RC_ODD_8 1, 3, 5, 7, 9, 11, 13, 15
#define RC_LOW_8 0, 8, 1, 9, 2, 10, 3, 11
#define RC_HIGH_8 4, 12, 5, 13, 6, 14, 7, 15
#define RC_SWAP_8 1, 0, 3, 2, 5, 4, 7, 6
#define RC_EVEN_16 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30
#define RC_ODD_16 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31
#define RC_LOW_16 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23
#define RC_HIGH_16 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31
#define RC_SWAP_16 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14
#define RC_EVEN_32 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30, 32, 34, 36, 38, 40, 42, 44, 46, \
    48, 50, 52, 54, 56, 58, 60, 62
#define RC_ODD_32 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31, 33, 35, 37, 39, 41, 43, 45, 47, 49, \
    51, 53, 55, 57, 59, 61, 63
#define RC_LOW_32 0, 32, 1, 33, 2, 34, 3, 35, 4, 36, 5, 37, 6, 38, 7, 39, 8, 40, 9, 41, 10, 42, 11, 43, 12, 44, \
    13, 45, 14, 46, 15, 47
#define RC_HIGH_32 16, 48, 17, 49, 18, 50, 19, 51, 20, 52, 21, 53, 22, 54, 23, 55, 24, 56, 25, 57, 26, 58, 27, \
    59, 28, 60, 29, 61, 30, 62, 31, 63
#define RC_EVEN2_4 0, 1, 4, 5
#define RC_ODD2_4 2, 3, 6, 7
#define RC_LOW2_4 0, 1, 4, 5
#define RC_HIGH2_4 2, 3, 6, 7
#define RC_EVEN2_8 0, 1, 4, 5, 8, 9, 12, 13
#define RC_ODD2_8 2, 3, 6, 7, 10, 11, 14, 15
#define RC_LOW2_8 0, 1, 8, 9, 2, 3, 10, 11
#define RC_HIGH2_8 4, 5, 12, 13, 6, 7, 14, 15
#if RC_BYTES == 64          /* lanes of vectors of 2, 4 and 8-byte numbers */
#  define RC_N2 32
#  define RC_N4 16
#  define RC_N8 8
#elif RC_BYTES == 32
#  define RC_N2 16
#  define RC_N4 8
#  define RC_N8 4
#else
#  define RC_N2 8
#  define RC_N4 4
#  define RC_N8 2
#endif
#define RC_JOIN(A, B) A##B
#define RC_OF(NAME, N) RC_JOIN(NAME, N)
#if defined(__clang__) || __GNUC__ >= 12
#  define RC_SHUFFLE(a, b, I, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#  define RC_SHUFFLE(a, b, I, ...) __builtin_shuffle(a, b, (RC_VECTOR(I)){__VA_ARGS__})
#endif

/* NAME_even, NAME_odd, NAME_low, NAME_high of two neighbouring vectors, whose unit is one lane, or two (NAME2_...).
 * Vectors of one unit: even and low are the first, odd and high the second. */
#define RC_PERMUTED(NAME, UNIT, I, N, WHICH, LIST) \
    RC_INLINE NAME NAME##UNIT##_##WHICH(NAME a, NAME b) { return RC_SHUFFLE(a, b, I, RC_OF(RC_##LIST##UNIT##_, N)); }
#define RC_UNITS(NAME, UNIT, I, N) \
    RC_PERMUTED(NAME, UNIT, I, N, even, EVEN) RC_PERMUTED(NAME, UNIT, I, N, odd, ODD) \
    RC_PERMUTED(NAME, UNIT, I, N, low, LOW) RC_PERMUTED(NAME, UNIT, I, N, high, HIGH)
#define RC_ONE_UNIT(NAME, UNIT) \
    RC_INLINE NAME NAME##UNIT##_even(NAME a, NAME b) { (void)b; return a; } \
    RC_INLINE NAME NAME##UNIT##_odd(NAME a, NAME b) { (void)a; return b; } \
    RC_INLINE NAME NAME##UNIT##_low(NAME a, NAME b) { (void)b; return a; } \
    RC_INLINE NAME NAME##UNIT##_high(NAME a, NAME b) { (void)a; return b; }
#define RC_CAST(WHICH) \
    RC_INLINE vf4 vf42_##WHICH(vf4 a, vf4 b) { return (vf4)vf8_##WHICH((vf8)a, (vf8)b); }
#if RC_BYTES
RC_UNITS(vf4, , int32_t, RC_N4) RC_UNITS(vf8, , int64_t, RC_N8) RC_UNITS(vi2, , int16_t, RC_N2)
RC_CAST(even) RC_CAST(odd) RC_CAST(low) RC_CAST(high)
#else
RC_ONE_UNIT(vf4, ) RC_ONE_UNIT(vf8, ) RC_ONE_UNIT(vi2, ) RC_ONE_UNIT(vf4, 2)
#endif
#if RC_BYTES > 16
RC_UNITS(vf8, 2, int64_t, RC_N8)
#else
RC_ONE_UNIT(vf8, 2)
#endif

/* Complex numbers as (re, im) pairs of lanes: low and high make them of parts; times_i: (-im, re). */
#if RC_BYTES
#  define RC_BANKS 1
#  define RC_TIMES_I(NAME, I, N) RC_INLINE NAME NAME##_times_i(NAME a) { \
    return RC_SHUFFLE(a, a, I, RC_OF(RC_SWAP_, N)) * NAME##_low((NAME){0} - 1, (NAME){0} + 1); }
RC_TIMES_I(vf4, int32_t, RC_N4)
RC_TIMES_I(vf8, int64_t, RC_N8)
#else
#  define RC_BANKS 0
#  define vf4_times_i(a) (a)
#  define vf8_times_i(a) (a)
#endif

/* Tiles of the separable road, in vectors: 6 rows of columns summed, 4 phases of a row; 4 rows, or phases, of pairs. */
#if RC_BYTES == 64 || (RC_BYTES == 16 && defined(__aarch64__))
#  define RC_COLUMN_VECS 4
#  define RC_QUAD_VECS 4
#  define RC_PAIR_VECS 2
#else
#  define RC_COLUMN_VECS 2
#  define RC_QUAD_VECS 2
#  define RC_PAIR_VECS 1
#endif

/* A line that will be read soon, into the first-level cache; or later, into the second. */
#if defined(__GNUC__) || defined(__clang__)
#  define RC_READ_SOON(p) __builtin_prefetch(p)
#  define RC_READ_LATER(p) __builtin_prefetch((p), 0, 2)
#else
#  define RC_READ_SOON(p)
#  define RC_READ_LATER(p)
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
RC_INLINE vfg vfg_zero(void) { return 0; }

/* Square blocks transposed, one vector a row: log2(lanes) rounds, each zipping the rows' first half with their second.
 *
 *     a b    zip      a c
 *     c d   ----->    b d       a 2 x 2 block takes one round
 */
#if RC_BYTES
#  define RC_ZIP(T, I, n, x, y, lo, hi) const T lo = RC_SHUFFLE(x, y, I, RC_LOW_##n), hi = RC_SHUFFLE(x, y, I, RC_HIGH_##n);
#  define RC_ROUND_2(T, I, f, g) \
    RC_ZIP(T, I, 2, f##0, f##1, g##0, g##1)
#  define RC_ROUND_4(T, I, f, g) \
    RC_ZIP(T, I, 4, f##0, f##2, g##0, g##1) RC_ZIP(T, I, 4, f##1, f##3, g##2, g##3)
#  define RC_ROUND_8(T, I, f, g) \
    RC_ZIP(T, I, 8, f##0, f##4, g##0, g##1) RC_ZIP(T, I, 8, f##1, f##5, g##2, g##3) \
    RC_ZIP(T, I, 8, f##2, f##6, g##4, g##5) RC_ZIP(T, I, 8, f##3, f##7, g##6, g##7)
#  define RC_ROUND_16(T, I, f, g) \
    RC_ZIP(T, I, 16, f##0, f##8, g##0, g##1) RC_ZIP(T, I, 16, f##1, f##9, g##2, g##3) \
    RC_ZIP(T, I, 16, f##2, f##10, g##4, g##5) RC_ZIP(T, I, 16, f##3, f##11, g##6, g##7) \
    RC_ZIP(T, I, 16, f##4, f##12, g##8, g##9) RC_ZIP(T, I, 16, f##5, f##13, g##10, g##11) \
    RC_ZIP(T, I, 16, f##6, f##14, g##12, g##13) RC_ZIP(T, I, 16, f##7, f##15, g##14, g##15)
#  define RC_TRANSPOSE_2(T, I) \
    const T a0 = T##_load(RC_ROW(0)); const T a1 = T##_load(RC_ROW(1)); \
    RC_ROUND_2(T, I, a, b) \
    T##_store(d + 0 * d_step, b0); T##_store(d + 1 * d_step, b1);
#  define RC_TRANSPOSE_4(T, I) \
    const T a0 = T##_load(RC_ROW(0)); const T a1 = T##_load(RC_ROW(1)); \
    const T a2 = T##_load(RC_ROW(2)); const T a3 = T##_load(RC_ROW(3)); \
    RC_ROUND_4(T, I, a, b) RC_ROUND_4(T, I, b, c) \
    T##_store(d + 0 * d_step, c0); T##_store(d + 1 * d_step, c1); T##_store(d + 2 * d_step, c2); \
    T##_store(d + 3 * d_step, c3);
#  define RC_TRANSPOSE_8(T, I) \
    const T a0 = T##_load(RC_ROW(0)); const T a1 = T##_load(RC_ROW(1)); \
    const T a2 = T##_load(RC_ROW(2)); const T a3 = T##_load(RC_ROW(3)); \
    const T a4 = T##_load(RC_ROW(4)); const T a5 = T##_load(RC_ROW(5)); \
    const T a6 = T##_load(RC_ROW(6)); const T a7 = T##_load(RC_ROW(7)); \
    RC_ROUND_8(T, I, a, b) RC_ROUND_8(T, I, b, c) RC_ROUND_8(T, I, c, d) \
    T##_store(d + 0 * d_step, d0); T##_store(d + 1 * d_step, d1); T##_store(d + 2 * d_step, d2); \
    T##_store(d + 3 * d_step, d3); T##_store(d + 4 * d_step, d4); T##_store(d + 5 * d_step, d5); \
    T##_store(d + 6 * d_step, d6); T##_store(d + 7 * d_step, d7);
#  define RC_TRANSPOSE_16(T, I) \
    const T a0 = T##_load(RC_ROW(0)); const T a1 = T##_load(RC_ROW(1)); \
    const T a2 = T##_load(RC_ROW(2)); const T a3 = T##_load(RC_ROW(3)); \
    const T a4 = T##_load(RC_ROW(4)); const T a5 = T##_load(RC_ROW(5)); \
    const T a6 = T##_load(RC_ROW(6)); const T a7 = T##_load(RC_ROW(7)); \
    const T a8 = T##_load(RC_ROW(8)); const T a9 = T##_load(RC_ROW(9)); \
    const T a10 = T##_load(RC_ROW(10)); const T a11 = T##_load(RC_ROW(11)); \
    const T a12 = T##_load(RC_ROW(12)); const T a13 = T##_load(RC_ROW(13)); \
    const T a14 = T##_load(RC_ROW(14)); const T a15 = T##_load(RC_ROW(15)); \
    RC_ROUND_16(T, I, a, b) RC_ROUND_16(T, I, b, c) RC_ROUND_16(T, I, c, d) RC_ROUND_16(T, I, d, e) \
    T##_store(d + 0 * d_step, e0); T##_store(d + 1 * d_step, e1); T##_store(d + 2 * d_step, e2); \
    T##_store(d + 3 * d_step, e3); T##_store(d + 4 * d_step, e4); T##_store(d + 5 * d_step, e5); \
    T##_store(d + 6 * d_step, e6); T##_store(d + 7 * d_step, e7); T##_store(d + 8 * d_step, e8); \
    T##_store(d + 9 * d_step, e9); T##_store(d + 10 * d_step, e10); T##_store(d + 11 * d_step, e11); \
    T##_store(d + 12 * d_step, e12); T##_store(d + 13 * d_step, e13); T##_store(d + 14 * d_step, e14); \
    T##_store(d + 15 * d_step, e15);
/* Sums of up to 8 neighbouring lanes, in each of them. */
#  define RC_NEIGHBOURS_2(I) \
    e += RC_SHUFFLE(e, e, I, RC_SWAP_2);
#  define RC_NEIGHBOURS_4(I) \
    e += RC_SHUFFLE(e, e, I, RC_SWAP_4); e += RC_SHUFFLE(e, e, I, 2, 3, 0, 1);
#  define RC_NEIGHBOURS_8(I) \
    e += RC_SHUFFLE(e, e, I, RC_SWAP_8); \
    e += RC_SHUFFLE(e, e, I, 2, 3, 0, 1, 6, 7, 4, 5); \
    e += RC_SHUFFLE(e, e, I, 4, 5, 6, 7, 0, 1, 2, 3);
#  define RC_NEIGHBOURS_16(I) \
    e += RC_SHUFFLE(e, e, I, RC_SWAP_16); \
    e += RC_SHUFFLE(e, e, I, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13); \
    e += RC_SHUFFLE(e, e, I, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11);
#  define RC_TRANSPOSE(T, I, N) RC_OF(RC_TRANSPOSE_, N)(T, I)
#  define RC_NEIGHBOURS(I, N) RC_OF(RC_NEIGHBOURS_, N)(I)
#else
#  define RC_TRANSPOSE(T, I, N) T##_store(d, T##_load(RC_ROW(0))); (void)d_step;
#  define RC_NEIGHBOURS(I, N)
#endif
/* A square block of vectors to vectors d_step bytes apart: from vectors s_step bytes apart, or from byte x of rows. */
#define RC_ROW(k) (s + (k) * s_step)
RC_INLINE void vf4_transpose(const char *s, Py_ssize_t s_step, char *d, Py_ssize_t d_step) { RC_TRANSPOSE(vf4, int32_t, RC_N4) }
RC_INLINE void vf8_transpose(const char *s, Py_ssize_t s_step, char *d, Py_ssize_t d_step) { RC_TRANSPOSE(vf8, int64_t, RC_N8) }
#undef RC_ROW
#define RC_ROW(k) (rows[k] + x)
RC_INLINE void vf4_take_rows(const char **rows, Py_ssize_t x, char *d, Py_ssize_t d_step) { RC_TRANSPOSE(vf4, int32_t, RC_N4) }
RC_INLINE void vf8_take_rows(const char **rows, Py_ssize_t x, char *d, Py_ssize_t d_step) { RC_TRANSPOSE(vf8, int64_t, RC_N8) }
#undef RC_ROW
RC_INLINE vf4 vf4_neighbours(vf4 e) { RC_NEIGHBOURS(int32_t, RC_N4) return e; }
RC_INLINE vf8 vf8_neighbours(vf8 e) { RC_NEIGHBOURS(int64_t, RC_N8) return e; }

/* Lane by lane: bits ored; negative numbers set to zero; the lesser of low and a positive e; the larger of two. */
#if RC_BYTES
#  define RC_BITS(NAME, INT, TOP) \
    RC_INLINE NAME NAME##_or(NAME a, NAME b) { return (NAME)((INT)a | (INT)b); } \
    RC_INLINE NAME NAME##_positive(NAME a) { return (NAME)((INT)a & ~((INT)a >> TOP)); }
#  define RC_LANE_BY_LANE(NAME, INT, TOP) \
    RC_BITS(NAME, INT, TOP) \
    RC_INLINE NAME NAME##_pick(INT m, NAME a, NAME b) { return (NAME)(((INT)a & m) | ((INT)b & ~m)); } \
    RC_INLINE NAME NAME##_least(NAME low, NAME e) { return NAME##_pick((INT)(e < low) & (INT)(e > 0), e, low); } \
    RC_INLINE NAME NAME##_most(NAME high, NAME e) { return NAME##_pick((INT)(e > high), e, high); }
#  if RC_BYTES == 64      /* else gcc makes vectors of the masks */
RC_BITS(vf4, vi4, 31)
RC_BITS(vf8, vi8, 63)
RC_INLINE vf4 vf4_least(vf4 low, vf4 e) {
    return (vf4)_mm512_mask_min_ps((__m512)low, _mm512_cmp_ps_mask((__m512)e, _mm512_setzero_ps(), _CMP_GT_OQ), (__m512)e, (__m512)low);
}
RC_INLINE vf8 vf8_least(vf8 low, vf8 e) {
    return (vf8)_mm512_mask_min_pd((__m512d)low, _mm512_cmp_pd_mask((__m512d)e, _mm512_setzero_pd(), _CMP_GT_OQ), (__m512d)e, (__m512d)low);
}
RC_INLINE vf4 vf4_most(vf4 high, vf4 e) { return (vf4)_mm512_max_ps((__m512)e, (__m512)high); }
RC_INLINE vf8 vf8_most(vf8 high, vf8 e) { return (vf8)_mm512_max_pd((__m512d)e, (__m512d)high); }
#  else
RC_LANE_BY_LANE(vf4, vi4, 31)
RC_LANE_BY_LANE(vf8, vi8, 63)
#  endif
#else
#  define RC_LANE_BY_LANE(NAME, INT) \
    RC_INLINE NAME NAME##_or(NAME a, NAME b) { INT x, y; memcpy(&x, &a, sizeof x), memcpy(&y, &b, sizeof y); \
                                               x |= y; memcpy(&a, &x, sizeof x); return a; } \
    RC_INLINE NAME NAME##_positive(NAME a) { return a < 0 ? 0 : a; } \
    RC_INLINE NAME NAME##_least(NAME low, NAME e) { return e < low && e > 0 ? e : low; } \
    RC_INLINE NAME NAME##_most(NAME high, NAME e) { return e > high ? e : high; }
RC_LANE_BY_LANE(vf4, uint32_t)
RC_LANE_BY_LANE(vf8, uint64_t)
#endif

/* The nearest whole number, half to even. */
#if defined(__GNUC__) && !defined(__clang__)
#  define rc_round(x) __builtin_irintf(x)          /* has vectors; (int) rintf(x) takes one instruction more */
#else
#  define rc_round(x) ((int) rintf(x))
#endif

/* Sums shifted, rounded half to even and held to the limits of a type of 8 or 16 bits: RC_BYTES bytes of them at once, where
 * RC_PACKS.  What is too small, and no number, becomes the least integer; what is too large is held before it is one, other limits are
 * those of packing, which goes by 16 bytes of a vector. */
#if RC_BYTES && defined(__x86_64__)
#  include <immintrin.h>
#  define RC_PACKS 1
#  if RC_BYTES == 64
#    define RC_MM(OP) _mm512_##OP
typedef __m512 rc_floats;
typedef __m512i rc_ints;
#    define RC_IN_ORDER_1(v) _mm512_permutexvar_epi32(_mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15), v)
#    define RC_IN_ORDER_2(v) _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7), v)
#  elif RC_BYTES == 32
#    define RC_MM(OP) _mm256_##OP
typedef __m256 rc_floats;
typedef __m256i rc_ints;
#    define RC_IN_ORDER_1(v) _mm256_permutevar8x32_epi32(v, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7))
#    define RC_IN_ORDER_2(v) _mm256_permute4x64_epi64(v, 0xd8)
#  else
#    define RC_MM(OP) _mm_##OP
typedef __m128 rc_floats;
typedef __m128i rc_ints;
#    define RC_IN_ORDER_1(v) (v)
#    define RC_IN_ORDER_2(v) (v)
#  endif
/* A vector of floating numbers of integers of 8 or 16 bits. */
#  if RC_BYTES == 64
typedef __m256i rc_half_ints;
#    define RC_MM_HALF(OP) _mm256_##OP
#  else
typedef __m128i rc_half_ints;
#    define RC_MM_HALF(OP) _mm_##OP
#  endif
#  define RC_WIDEN(NAME, PART, LANE, BYTES, TO_INTS, TO_FLOATS) \
    RC_INLINE void rc_widen_##NAME(const char *s, char *d) { \
        PART x = {0}; \
        memcpy(&x, s, (BYTES) * RC_LANES(LANE)); \
        RC_STORE(TO_FLOATS(TO_INTS(x))); \
    }
#  define RC_STORE(V) do { const vf4 v = (vf4)(V); memcpy(d, &v, sizeof v); } while (0)
RC_WIDEN(u1_f4, __m128i, float, 1, RC_MM(cvtepu8_epi32), RC_MM(cvtepi32_ps))
RC_WIDEN(u2_f4, rc_half_ints, float, 2, RC_MM(cvtepu16_epi32), RC_MM(cvtepi32_ps))
RC_WIDEN(i2_f4, rc_half_ints, float, 2, RC_MM(cvtepi16_epi32), RC_MM(cvtepi32_ps))
RC_WIDEN(u1_f8, __m128i, double, 1, RC_MM_HALF(cvtepu8_epi32), RC_MM(cvtepi32_pd))
RC_WIDEN(u2_f8, __m128i, double, 2, RC_MM_HALF(cvtepu16_epi32), RC_MM(cvtepi32_pd))
RC_WIDEN(i2_f8, __m128i, double, 2, RC_MM_HALF(cvtepi16_epi32), RC_MM(cvtepi32_pd))
RC_INLINE rc_ints rc_held(const float *s, int k, float shift, float most) {
    vf4 x;
    memcpy(&x, s + k * RC_LANES(float), sizeof x);
    return RC_MM(cvtps_epi32)(RC_MM(min_ps)(RC_MM(set1_ps)(most), (rc_floats)(x + shift)));       /* of no number: the second one */
}
RC_INLINE rc_ints rc_held_or_0(const float *s, int k, float shift, float most) {
    vf4 x;
    memcpy(&x, s + k * RC_LANES(float), sizeof x);
    x += shift;
    x = (vf4)((vi4)x & (vi4)(x == x));
    return RC_MM(cvtps_epi32)(RC_MM(min_ps)(RC_MM(set1_ps)(most), (rc_floats)x));
}
RC_INLINE void rc_put_u1(const float *s, char *d, float shift) {
    const rc_ints a = RC_MM(packs_epi32)(rc_held(s, 0, shift, 255), rc_held(s, 1, shift, 255));
    const rc_ints b = RC_MM(packs_epi32)(rc_held(s, 2, shift, 255), rc_held(s, 3, shift, 255));
    const rc_ints v = RC_IN_ORDER_1(RC_MM(packus_epi16)(a, b));
    memcpy(d, &v, sizeof v);
}
RC_INLINE void rc_put_u2(const float *s, char *d, float shift) {
    const rc_ints v = RC_IN_ORDER_2(RC_MM(packus_epi32)(rc_held(s, 0, shift, 65535), rc_held(s, 1, shift, 65535)));
    memcpy(d, &v, sizeof v);
}
RC_INLINE void rc_put_i2(const float *s, char *d, float shift) {
    const rc_ints v = RC_IN_ORDER_2(RC_MM(packs_epi32)(rc_held_or_0(s, 0, shift, 32767), rc_held_or_0(s, 1, shift, 32767)));
    memcpy(d, &v, sizeof v);
}
#else
#  define RC_PACKS 0
#  define rc_put_u1(s, d, shift) (void)0
#  define rc_put_u2(s, d, shift) (void)0
#  define rc_put_i2(s, d, shift) (void)0
#  define rc_widen_u1_f4(s, d) (void)0
#  define rc_widen_u2_f4(s, d) (void)0
#  define rc_widen_i2_f4(s, d) (void)0
#  define rc_widen_u1_f8(s, d) (void)0
#  define rc_widen_u2_f8(s, d) (void)0
#  define rc_widen_i2_f8(s, d) (void)0
#endif

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
