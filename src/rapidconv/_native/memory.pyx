"""Memory of results.  That of a dropped result is kept for the next one.

The first touch of new memory costs more than many a filter: 4 MiB, a 1024^2 float32 picture, take 0.97 ms in pages of 4 KiB, of
which a 3x3 kernel needs 0.4 (2026-11-21, Sapphire Rapids, Linux 6.18).  The arrays are NumPy's own, whose memory handler (NEP 49)
is ours: they own their memory and can be resized, pickled and freed by any thread, as others are.

    block:   | capacity, 64 bytes | numbers ...                       |
"""

from cpython.pycapsule cimport PyCapsule_GetPointer, PyCapsule_New
from libc.string cimport memcpy, memset, strcmp

from numpy import empty as new_array

cimport numpy as cnp

cnp.import_array()

cdef extern from "memory.h" nogil:
    enum:
        RC_ALIGNMENT
    void* rc_new_block(size_t size)
    void rc_drop_block(void* block, size_t size)
    bint rc_try_lock()
    void rc_unlock()

cdef extern from "numpy/arrayobject.h":
    ctypedef struct PyDataMemAllocator:
        void* ctx
        void* (*malloc)(void* ctx, size_t size) noexcept nogil
        void* (*calloc)(void* ctx, size_t count, size_t size) noexcept nogil
        void* (*realloc)(void* ctx, void* numbers, size_t size) noexcept nogil
        void (*free)(void* ctx, void* numbers, size_t size) noexcept nogil
    ctypedef struct PyDataMem_Handler:
        char name[127]
        unsigned char version
        PyDataMemAllocator allocator
    object PyDataMem_SetHandler(object handler)

cdef enum:
    HEAD = RC_ALIGNMENT
    MOST_KEPT = 16              # blocks
    LEAST_KEPT = 1 << 17        # bytes: smaller ones are NumPy's and the C library's business
    SPARE = 8                   # a kept block serves what is smaller by up to one part in so many

cdef char* kept[MOST_KEPT]      # blocks, the one dropped first first
cdef int n_kept = 0
cdef size_t kept_bytes = 0, most_bytes = 0


cdef inline size_t capacity(const char* block) noexcept nogil:
    """Bytes of a block without its head."""
    return (<size_t*> block)[0]


cdef void forget(int k) noexcept nogil:
    """Take a kept block off the list; with the lock."""
    global n_kept, kept_bytes
    n_kept -= 1
    kept_bytes -= capacity(kept[k])
    for k in range(k, n_kept):
        kept[k] = kept[k + 1]


cdef void drop_down_to(size_t bytes, int blocks) noexcept nogil:
    """Give kept blocks back, the oldest first, until no more is kept; with the lock."""
    cdef char* block
    while n_kept > 0 and (kept_bytes > bytes or n_kept > blocks):
        block = kept[0]
        forget(0)
        rc_drop_block(block, capacity(block) + HEAD)


cdef void* lend(void* ctx, size_t size) noexcept nogil:
    """Memory of at least so many bytes: that of the kept block that fits best, or new."""
    cdef int k, best = -1
    cdef char* block = NULL
    if rc_try_lock():
        for k in range(n_kept):
            if (size <= capacity(kept[k]) <= size + size / SPARE
                    and (best < 0 or capacity(kept[k]) <= capacity(kept[best]))):
                best = k
        if best >= 0:
            block = kept[best]
            forget(best)
        rc_unlock()
    if block == NULL and size <= (<size_t> -1) - HEAD:
        block = <char*> rc_new_block(size + HEAD)
        if block != NULL:
            (<size_t*> block)[0] = size
    return NULL if block == NULL else block + HEAD


cdef void take_back(void* ctx, void* numbers, size_t size) noexcept nogil:
    """Keep the memory of a dropped array, or give it back to the system.  What NumPy takes for its size is not asked."""
    global n_kept, kept_bytes
    cdef char* block
    if numbers == NULL:
        return
    block = <char*> numbers - HEAD
    if LEAST_KEPT <= capacity(block) <= most_bytes and rc_try_lock():
        drop_down_to(most_bytes - capacity(block), MOST_KEPT - 1)
        kept[n_kept] = block
        n_kept += 1
        kept_bytes += capacity(block)
        rc_unlock()
    else:
        rc_drop_block(block, capacity(block) + HEAD)


cdef void* lend_zeros(void* ctx, size_t count, size_t size) noexcept nogil:
    cdef void* numbers = NULL
    if size == 0 or count <= (<size_t> -1) / size:
        numbers = lend(ctx, count * size)
    return NULL if numbers == NULL else memset(numbers, 0, count * size)


cdef void* lend_more(void* ctx, void* numbers, size_t size) noexcept nogil:
    """As realloc: of another size, the same numbers."""
    cdef void* new = lend(ctx, size)
    if new != NULL and numbers != NULL:
        memcpy(new, numbers, min(size, capacity(<char*> numbers - HEAD)))
        take_back(ctx, numbers, 0)
    return new


cdef PyDataMem_Handler handler
memcpy(handler.name, b"rapidconv", 10)
handler.version = 1
handler.allocator.ctx = NULL
handler.allocator.malloc = lend
handler.allocator.calloc = lend_zeros
handler.allocator.realloc = lend_more
handler.allocator.free = take_back
ours = PyCapsule_New(&handler, "mem_handler", NULL)


def empty(tuple shape, cnp.dtype dtype):
    """A new array in C order, as numpy.empty makes it, in kept memory if it is large and there is some.

    An allocator that the user has set is left in force.
    """
    cdef double size = dtype.itemsize
    for length in shape:
        size *= length
    if size < LEAST_KEPT:
        return new_array(shape, dtype)
    before = PyDataMem_SetHandler(ours)
    try:
        if strcmp((<PyDataMem_Handler*> PyCapsule_GetPointer(before, "mem_handler")).name, "default_allocator") != 0:
            PyDataMem_SetHandler(before)
        return new_array(shape, dtype)
    finally:
        PyDataMem_SetHandler(before)


def keep(size_t size):
    """Keep at most so many bytes of dropped arrays from now on, and none of those dropped before."""
    global most_bytes
    most_bytes = size
    release()


def release():
    """Give all kept memory back to the system."""
    if rc_try_lock():
        drop_down_to(0, 0)
        rc_unlock()


def kept_now():
    """Bytes kept now."""
    return kept_bytes
