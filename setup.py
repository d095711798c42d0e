"""Build of the compiled targets; everything else about the package stands in pyproject.toml."""

import os
import platform
import sys
from pathlib import Path

import numpy as np
from Cython.Build import cythonize
from setuptools import Extension, setup

MACHINE = platform.machine().lower()
MSVC = sys.platform == "win32"
NATIVE = Path("src/rapidconv/_native")

# The targets and their flags: one row per compiled copy of the kernels, the row's name is the module's name.
#   machines: where it is built;  unix, msvc: compiler flags
TARGETS = {
    "x86_v4": {"machines": {"x86_64", "amd64"}, "unix": ["-march=x86-64-v4"], "msvc": ["/arch:AVX512"]},
    "x86_v3": {"machines": {"x86_64", "amd64"}, "unix": ["-march=x86-64-v3"], "msvc": ["/arch:AVX2"]},
    "x86_v2": {"machines": {"x86_64", "amd64"}, "unix": ["-march=x86-64-v2"], "msvc": []},
    "neon": {"machines": {"aarch64", "arm64"}, "unix": [], "msvc": []},
    # gcc 12 vectorises the one-lane tap loop into loads of the next tap's inputs, past the end of the image.
    "portable": {"machines": {MACHINE}, "unix": ["-DRAPIDCONV_ONE_LANE", "-fno-tree-vectorize"], "msvc": ["/DRAPIDCONV_ONE_LANE"]},
}
# -O3 and -fwrapv (integer lanes wrap) are ours: an environment's CFLAGS replaces Python's own flags.  Contracting a*b+c to one FMA is wanted;
# nothing here lets the compiler reorder sums.
GNU = ["-O3", "-fwrapv", "-ffp-contract=fast", "-fno-math-errno", "-g0", "-Wno-psabi", "-Wno-sign-compare", "-Wno-maybe-uninitialized"]
COMMON = ["/O2", "/fp:precise"] if MSVC else GNU
NUMPY = [("NPY_NO_DEPRECATED_API", "NPY_2_0_API_VERSION"), ("NPY_TARGET_VERSION", "NPY_2_0_API_VERSION")]
# A micro-kernel is one function per constant number of rows and vectors only if all its parts are inlined.
INLINE = [] if MSVC else [("CYTHON_INLINE", "__inline__ __attribute__((always_inline))")]


def extension(name: str, source: str, includes: list[str], flags: list[str]) -> Extension:
    """Extension module rapidconv._native.<name>, rebuilt when any file of the kernels changes."""
    shared = [str(path) for pattern in ("*.pxi", "*.pxd", "*.h") for path in sorted(NATIVE.glob(pattern))]
    return Extension(
        f"rapidconv._native.{name}",
        [str(NATIVE / source)],
        include_dirs=[str(NATIVE), np.get_include(), *includes],
        define_macros=[*NUMPY, *INLINE],
        extra_compile_args=COMMON + flags,
        depends=shared,
    )


flags_of = "msvc" if MSVC else "unix"
built = [name for name, row in TARGETS.items() if MACHINE in row["machines"]]
# Each target takes half a minute or more: whoever needs few of them names those, separated by spaces.
wanted = os.environ.get("RAPIDCONV_BUILD", "").split()
if not set(wanted) <= set(built):
    sys.exit(f"RAPIDCONV_BUILD names {' '.join(wanted)}; targets of this machine are {' '.join(built)}")

# Cython translates the kernels once; each target's C file includes the translation under its own name.
*helpers, kernels = cythonize(
    [extension(name, f"{name}.pyx", [], []) for name in ("cpu", "memory", "kernels")],
    build_dir="build/cython",
    compiler_directives={
        "language_level": 3,
        "boundscheck": False,
        "wraparound": False,
        "cdivision": True,
        "initializedcheck": False,
        "freethreading_compatible": True,
    },
)
(translated,) = map(Path, kernels.sources)
targets = [
    extension(name, f"{name}.c", [str(translated.parent)], TARGETS[name][flags_of]) for name in wanted or built
]
for target in targets:
    target.depends.append(str(translated))

setup(options={"build_ext": {"parallel": os.cpu_count()}}, ext_modules=[*helpers, *targets])
