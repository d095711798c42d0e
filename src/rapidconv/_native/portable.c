#define PyInit_kernels PyInit_portable
#include "kernels.c"
