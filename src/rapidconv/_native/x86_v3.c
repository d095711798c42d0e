#define PyInit_kernels PyInit_x86_v3
#include "kernels.c"
