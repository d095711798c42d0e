#define PyInit_kernels PyInit_x86_v2
#include "kernels.c"
