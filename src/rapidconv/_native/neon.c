#define PyInit_kernels PyInit_neon
#include "kernels.c"
