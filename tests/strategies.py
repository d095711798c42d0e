"""Hypothesis strategies: arrays of any dtype and layout, and whole problems."""

from hypothesis import strategies as st
from zoo import BOUNDARIES, DTYPES, LAYOUTS, MODES, small, values

seeds = st.integers(0, 2**32 - 1)
sides = st.one_of(st.integers(1, 9), st.integers(1, 70))
shapes = st.tuples(sides, sides)
kernel_sides = st.one_of(st.integers(1, 4), st.integers(1, 20))
kernel_shapes = st.tuples(kernel_sides, kernel_sides)
boundaries = st.sampled_from(BOUNDARIES)
modes = st.sampled_from(MODES)


@st.composite
def arrays(draw, dtypes, shapes=shapes):
    """An array of one of the dtypes, in one of the layouts."""
    dtype, shape, seed = draw(st.sampled_from(dtypes)), draw(shapes), draw(seeds)
    layout = LAYOUTS[draw(st.sampled_from(sorted(LAYOUTS)))]
    maker = draw(st.sampled_from([values, small]))
    return layout(maker(shape, dtype, seed))


@st.composite
def problems(draw, dtypes=DTYPES):
    """in1, in2, mode, boundary, fillvalue; 'valid' only where the shapes allow it."""
    in1, in2 = draw(arrays(dtypes)), draw(arrays(dtypes, kernel_shapes))
    mode = draw(modes)
    if mode == "valid" and not (
        all(n >= k for n, k in zip(in1.shape, in2.shape, strict=True))
        or all(n <= k for n, k in zip(in1.shape, in2.shape, strict=True))
    ):
        mode = "same"
    return in1, in2, mode, draw(boundaries), draw(st.sampled_from([0, 1, 2]))
