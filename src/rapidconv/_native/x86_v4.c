#define PyInit_kernels PyInit_x86_v4
#include "kernels.c"
