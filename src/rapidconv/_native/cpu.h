/* x86-64 levels by CPUID, and by XGETBV what the operating system saves: a CPU's word alone is not enough. */
#ifndef RAPIDCONV_CPU_H
#define RAPIDCONV_CPU_H

#if defined(__x86_64__) || defined(_M_X64)
#  if defined(_MSC_VER)
#    include <intrin.h>
static void rc_cpuid(unsigned leaf, unsigned r[4]) { __cpuidex((int *)r, (int)leaf, 0); }
static unsigned rc_saved(void) { return (unsigned)_xgetbv(0); }
#  else
#    include <cpuid.h>
static void rc_cpuid(unsigned leaf, unsigned r[4]) { __cpuid_count(leaf, 0, r[0], r[1], r[2], r[3]); }
static unsigned rc_saved(void) {
    unsigned low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return low;
}
#  endif
enum { RC_EAX, RC_EBX, RC_ECX, RC_EDX };
static int rc_has(unsigned word, unsigned bits) { return (word & bits) == bits; }

static int rc_x86_level(void) {
    unsigned r[4], leaf1[4] = {0}, leaf7[4] = {0}, more[4] = {0}, last, last_more, saved = 0;
    rc_cpuid(0, r);
    last = r[RC_EAX];
    rc_cpuid(0x80000000u, r);
    last_more = r[RC_EAX];
    if (last >= 1) rc_cpuid(1, leaf1);
    if (last >= 7) rc_cpuid(7, leaf7);
    if (last_more >= 0x80000001u) rc_cpuid(0x80000001u, more);
    /* v2: SSE3, SSSE3, CMPXCHG16B, SSE4.1, SSE4.2, POPCNT; LAHF */
    if (!rc_has(leaf1[RC_ECX], 1u | 1u << 9 | 1u << 13 | 1u << 19 | 1u << 20 | 1u << 23)) return 1;
    if (!rc_has(more[RC_ECX], 1u)) return 1;
    /* v3: FMA, MOVBE, OSXSAVE, AVX, F16C; BMI1, AVX2, BMI2; LZCNT; the system saves xmm and ymm */
    if (!rc_has(leaf1[RC_ECX], 1u << 12 | 1u << 22 | 1u << 27 | 1u << 28 | 1u << 29)) return 2;
    saved = rc_saved();
    if (!rc_has(leaf7[RC_EBX], 1u << 3 | 1u << 5 | 1u << 8) || !rc_has(more[RC_ECX], 1u << 5)) return 2;
    if (!rc_has(saved, 0x6u)) return 2;
    /* v4: AVX512 F, DQ, CD, BW, VL; the system saves masks and zmm */
    if (!rc_has(leaf7[RC_EBX], 1u << 16 | 1u << 17 | 1u << 28 | 1u << 30 | 1u << 31)) return 3;
    return rc_has(saved, 0xe6u) ? 4 : 3;
}

/* Whether there are dot products of bytes and of shorts in vectors of 64 bytes: AVX512_VNNI. */
static int rc_x86_dots(void) {
    unsigned r[4], leaf7[4] = {0};
    rc_cpuid(0, r);
    if (r[RC_EAX] >= 7) rc_cpuid(7, leaf7);
    return rc_x86_level() == 4 && rc_has(leaf7[RC_ECX], 1u << 11);
}

/* Whether there are products of matrices of bytes, AMX_TILE and AMX_INT8, and the system saves their registers. */
static int rc_x86_matrices(void) {
    unsigned r[4], leaf7[4] = {0};
    rc_cpuid(0, r);
    if (r[RC_EAX] >= 7) rc_cpuid(7, leaf7);
    return rc_x86_level() == 4 && rc_has(leaf7[RC_EDX], 3u << 24) && rc_has(rc_saved(), 3u << 17);
}
#else
static int rc_x86_level(void) { return 0; }
static int rc_x86_dots(void) { return 0; }
static int rc_x86_matrices(void) { return 0; }
#endif

/* Whether this process may use the registers of matrices.  Linux wants to be asked (ARCH_REQ_XCOMP_PERM, XTILEDATA), once for all
 * threads and forks, as signal frames grow by 8 KiB; it refuses where a thread's stack for signals is too small.  To ask again costs
 * a system call. */
#if defined(__linux__) && defined(__x86_64__)
#  include <sys/syscall.h>
#  include <unistd.h>
static int rc_allows_matrices(void) { return syscall(SYS_arch_prctl, 0x1023, 18) == 0; }
#else
static int rc_allows_matrices(void) { return 0; }
#endif

#endif
