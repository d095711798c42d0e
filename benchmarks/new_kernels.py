"""What a call takes whose kernel was never seen, beside one made before and beside the others.

``python -m benchmarks.new_kernels`` prints microseconds of a call, symm and same, on one thread, for some works: as direct
sums; by the method chosen, with a new kernel in each call, and with the same; SciPy; OpenCV's ``filter2D``.
"""

from __future__ import annotations

import sys
from itertools import cycle
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .cases import Work
from .peers import OTHERS, OURS, CannotDo, make_call
from .timing import Call, best_times

#: More kernels than any plans are kept of (`_plan`): when one comes again, its plan is gone.
KERNELS = 150

#: Sides and type of images, sides and kind of kernels.
SIDES = (
    ("float32", 32, "product", 9), ("float32", 60, "product", 11), ("float32", 100, "product", 15), ("float32", 300, "product", 15),
    ("float64", 60, "product", 11), ("float64", 100, "product", 15), ("uint8", 100, "product", 9), ("float32", 100, "box", 15),
    ("float32", 64, "random", 15), ("float32", 64, "random", 31), ("float32", 128, "random", 15), ("float32", 300, "random", 15),
    ("float32", 300, "random", 31), ("float64", 64, "random", 15), ("float64", 100, "random", 15), ("uint8", 100, "random", 15),
    ("uint8", 300, "random", 15),
)  # fmt: skip
WORKS = [(Work((side, side), (taps, taps), dtype, method="auto"), kind) for dtype, side, kind, taps in SIDES]


def make_kernels(work: Work, kind: str) -> list[NDArray[Any]]:
    """Different kernels of a kind: of small whole numbers for integers."""
    rng = np.random.default_rng(5)
    whole = np.dtype(work.dtype).kind in "iu"

    def draw(*shape: int) -> NDArray[Any]:
        return rng.integers(1, 9, shape) if whole else rng.normal(size=shape)

    if kind == "product":
        found = [np.outer(draw(work.kernel[0]), draw(work.kernel[1])) for _ in range(KERNELS)]
    elif kind == "box":
        found = [np.ones(work.kernel) * draw() for _ in range(KERNELS)]
    else:
        found = [draw(*work.kernel) for _ in range(KERNELS)]
    return [kernel.astype(work.dtype) for kernel in found]


def make_calls(work: Work, kind: str) -> dict[str, Call]:
    """Calls by the names of their columns, without those that cannot be."""
    kernels = make_kernels(work, kind)
    values = np.random.default_rng(6).integers(0, 256, work.image) if np.dtype(work.dtype).kind in "iu" else None
    image = (np.random.default_rng(6).normal(size=work.image) if values is None else values).astype(work.dtype)
    ours = make_call(OURS, work, (image, kernels[0]))
    calls = {"direct": Call(ours.function, ours.args, {**ours.kwargs, "method": "direct"}), "again": ours}
    following = cycle(kernels)
    calls["new"] = Call(lambda: ours.function(image, next(following), **ours.kwargs))
    for name in OTHERS:
        try:
            calls[name] = make_call(name, work, (image, kernels[0]))
        except CannotDo:
            continue
    return calls


def main() -> int:
    """Print the table."""
    columns = ["direct", "new", "again", *OTHERS]
    print(f"{'us a call':<48} " + " ".join(f"{name:>8}" for name in columns))
    only = sys.argv[1] if len(sys.argv) > 1 else ""
    for work, kind in WORKS:
        label = f"{work.dtype} {work.image[0]}^2 by {kind} {work.kernel[0]}x{work.kernel[1]}"
        if only in label:
            times = best_times(make_calls(work, kind), rounds=5, budget=0.1)
            shown = (f"{1e6 * times[name]:>8.1f}" if name in times else f"{'n/a':>8}" for name in columns)
            print(f"{label:<48} " + " ".join(shown), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
