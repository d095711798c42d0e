"""The jobs the library is made for, on real photographs, each compared with SciPy.

`run` works through `JOBS`.  A job filters pictures through a `Bench`, which times and checks every call against
SciPy's, and returns the `Panel`s of its sheet.  To add a job, write its function and enter it in `JOBS`.

Needs SciPy, scikit-image (whose wheel holds the photographs) and matplotlib: the extra `demo`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from time import perf_counter
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
import scipy
import scipy.ndimage
import scipy.signal
from matplotlib.figure import Figure
from skimage import data, transform

import rapidconv
import rapidconv.ndimage
import rapidconv.signal

Array = npt.NDArray[Any]

BOX_BLUR = np.ones((3, 3)) / 9
BINOMIAL = np.outer([1, 4, 6, 4, 1], [1, 4, 6, 4, 1]) / 256
LAPLACE = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]])
OUTLINE = np.array([[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]])
SHARPEN = np.array([[0, -1, 0], [-1, 5, -1], [0, -1, 0]])
EMBOSS = np.array([[-2, -1, 0], [-1, 1, 1], [0, 1, 2]])
SCHARR = np.array([[-3 - 3j, -10j, 3 - 3j], [-10, 0, 10], [-3 + 3j, 10j, 3 + 3j]])
RIPPLE = np.array([[0, -1, np.sqrt(2)], [1, 0, -1], [-np.sqrt(2), 1, 0]])


# --- Measuring and checking -------------------------------------------------------------------------------------------


class Row(NamedTuple):
    """One filter call: how long it took, and how far from SciPy it landed."""

    label: str
    ours_ms: float
    scipy_ms: float
    difference: float  # largest over all outputs
    share: float  # largest of difference / bound over all outputs; above 1 is a failure
    exact: bool  # the data are integers: the difference has to be 0

    @property
    def ok(self) -> bool:
        """Whether every output is within its bound (a NaN is not)."""
        return self.difference == 0 if self.exact else self.share <= 1

    @property
    def verdict(self) -> str:
        """The difference in words, for the table and the sheet."""
        if self.ok and self.exact:
            return "exactly 0"
        size = f"{self.difference:.1e}" if self.difference else "0"
        return f"{size}, " + ("must be 0" if self.exact else f"{self.share:.1%} of bound")


@dataclass
class Bench:
    """Times our calls beside SciPy's and keeps one `Row` for each."""

    repeats: int
    rows: list[Row] = field(default_factory=list)

    def filter(
        self, label: str, function: str, image: Array, kernel: Array, *, exact: bool = False, **options: Any
    ) -> Array:
        """Filter a grey or colour picture with `function` of both `signal` modules and return our result.

        A colour picture, channels last, is one call for us and a loop over the channels for SciPy.
        """
        ours = getattr(rapidconv.signal, function)
        theirs = partial(_each_channel, getattr(scipy.signal, function))
        axis = -1 if image.ndim == 3 else None
        return self.compare(
            label,
            lambda: ours(image, kernel, channel_axis=axis, **options),
            lambda: theirs(image, kernel, **options),
            None if exact else partial(_bound, theirs, image, kernel, options),
        )

    def compare(
        self, label: str, ours: Callable[[], Array], theirs: Callable[[], Array], bound: Callable[[], Array] | None,
        repeats: int | None = None,
    ) -> Array:  # fmt: skip
        """Time two calls that should agree, within `bound()` or, without one, exactly; return the first's result."""
        ours_s = theirs_s = np.inf
        for _ in range(repeats or self.repeats):
            start = perf_counter()
            result = ours()
            between = perf_counter()
            expected = theirs()
            ours_s, theirs_s = min(ours_s, between - start), min(theirs_s, perf_counter() - between)
        difference, share = np.inf, np.inf
        if result.shape == expected.shape and result.dtype == expected.dtype:
            distance = np.abs(result - expected)
            difference = float(distance.max())
            if bound is not None:
                allowed = bound()
                with np.errstate(divide="ignore"):  # a difference where none is allowed: infinitely too large
                    share = float(np.max(distance / np.where(distance == 0, 1.0, allowed)))
        self.rows.append(Row(label, ours_s * 1e3, theirs_s * 1e3, difference, share, bound is None))
        return result


def _each_channel(function: Callable[..., Array], image: Array, kernel: Array, **options: Any) -> Array:
    """SciPy's way with colour pictures: filter each channel, put the results back together."""
    if image.ndim == 2:
        return function(image, kernel, **options)
    first = function(image[..., 0], kernel, **options)
    result = np.empty((*first.shape, image.shape[-1]), first.dtype)
    result[..., 0] = first
    for channel in range(1, image.shape[-1]):
        result[..., channel] = function(image[..., channel], kernel, **options)
    return result


def _bound(function: Callable[..., Array], image: Array, kernel: Array, options: dict[str, Any]) -> Array:
    """Largest difference two correctly rounded summations may show: taps * eps * sum |image| |kernel|."""
    magnitudes = function(np.abs(image), np.abs(kernel), **options)
    bound: Array = kernel.size * np.finfo(magnitudes.dtype).eps * magnitudes
    return bound


# --- Pictures ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Pictures:
    """The photographs, floating point in [0, 1], all from scikit-image's wheel."""

    quick: bool

    def two_blocks(self) -> Array:
        """Zeros with a block of ones 40 wide above one 60 wide."""
        image = np.zeros((100, 100))
        image[:50, :40] = 1
        image[50:, :60] = 1
        return image

    def grey(self) -> Array:
        """A grey photograph, 225 x 225."""
        return _grey()

    def colour(self) -> Array:
        """A colour photograph, 1018 x 1645 x 3; with `--quick` a quarter of that each way."""
        return _colour((254, 411) if self.quick else (1018, 1645))

    def small_colour(self) -> Array:
        """A colour photograph, 300 x 451 x 3, as it comes."""
        return _photograph("chelsea")

    def face(self) -> Array:
        """A grey photograph of a cat's face in 0..255, 768 x 1024; with `--quick` half of that each way."""
        middle = _photograph("chelsea")[:, 30:430].mean(axis=2) * 255
        return _resized(middle, (384, 512) if self.quick else (768, 1024))


def _photograph(name: str) -> Array:
    """A picture of `skimage.data`, as floating point in [0, 1]."""
    picture: Array = getattr(data, name)()
    return picture / 255.0


@cache
def _grey() -> Array:
    return _resized(_photograph("camera"), (225, 225))


@cache
def _colour(shape: tuple[int, int]) -> Array:
    retina = _photograph("retina")
    rows = round(retina.shape[1] * shape[0] / shape[1])
    top = (retina.shape[0] - rows) // 2
    return _resized(retina[top : top + rows], shape)


def _resized(picture: Array, shape: tuple[int, int]) -> Array:
    resize: Callable[..., Array] = transform.resize
    return resize(picture, shape, anti_aliasing=True)


def _clip(picture: Array) -> Array:
    return np.clip(picture, 0, 1)


# --- Jobs -------------------------------------------------------------------------------------------------------------


class Panel(NamedTuple):
    """One picture of a sheet."""

    picture: Array
    title: str
    limits: tuple[float, float] = (0, 1)
    colours: str = "gray"
    bar: bool = False
    dot: tuple[int, int] | None = None      # (row, column) to mark in red


def half_planes(bench: Bench, pictures: Pictures) -> list[Panel]:
    """Kernel, image and result of two kernels that are each other's negative."""
    image = pictures.two_blocks()
    kernel = np.ones((10, 10))
    kernel[:, :5] = -1
    panels = []
    for number, weights in ((1, kernel), (2, -kernel)):
        label = f"half-plane kernel {number}, 10x10"
        result = bench.filter(label, "convolve2d", image, weights, exact=True, mode="same", boundary="symm")
        panels += [
            Panel(weights, f"kernel {number}", (-1, 1), bar=True),
            Panel(image, "image", bar=True),
            Panel(result, f"result {number}: {result.min():.0f} to {result.max():.0f}", (-50, 50), "RdBu_r", bar=True),
        ]
    return panels


def blur_and_edges(bench: Bench, pictures: Pictures) -> list[Panel]:
    """Box blur and Laplace of a grey photograph, default mode and boundary."""
    image = pictures.grey()
    blurred = bench.filter("box blur 3x3, grey", "convolve2d", image, BOX_BLUR)
    edges = bench.filter("Laplace 3x3, grey", "convolve2d", image, LAPLACE)
    return [
        Panel(image, f"original: camera, {_size(image)}"),
        Panel(blurred, f"box blur, {_size(blurred)}"),
        Panel(_clip(edges), f"edges (Laplace, clipped to 0..1), {_size(edges)}"),
    ]


def extents(bench: Bench, pictures: Pictures) -> list[Panel]:
    """What mode, boundary and fillvalue do, shown with a kernel wide enough to see it."""
    image = pictures.grey()
    kernel = np.ones((31, 31)) / 31**2
    frame = (image.shape[0] + kernel.shape[0] - 1, image.shape[1] + kernel.shape[1] - 1)
    panels = [Panel(_framed(image, frame), f"original: camera, {_size(image)}")]
    for options in (
        {"mode": "full"},
        {"mode": "same"},
        {"mode": "valid"},
        {"boundary": "fill", "fillvalue": 1},
        {"boundary": "wrap"},
        {"boundary": "symm"},
        {"mode": "same", "boundary": "symm"},
    ):
        words = ", ".join(f"{name}={value!r}" for name, value in options.items())
        result = bench.filter(f"box 31x31, {words}", "convolve2d", image, kernel, **options)
        panels.append(Panel(_framed(result, frame), f"{words}\n{_size(result)}"))
    return panels


def emboss_and_gradient(bench: Bench, pictures: Pictures) -> list[Panel]:
    """Emboss and complex Scharr of every channel of a colour photograph."""
    image = pictures.colour()
    options: dict[str, Any] = {"mode": "same", "boundary": "symm"}
    embossed = bench.filter("emboss 3x3, colour", "convolve2d", image, EMBOSS, **options)
    gradient = bench.filter("Scharr 3x3 complex, colour", "convolve2d", image, SCHARR, **options)
    rows, columns = image.shape[:2]
    detail = (slice(rows // 4, rows * 5 // 8), slice(0, columns * 3 // 8))
    magnitude = _clip(np.abs(gradient))
    return [
        Panel(image, f"original: retina, {_size(image)}"),
        Panel(_clip(embossed), "emboss, clipped to 0..1"),
        Panel(magnitude, "Scharr: magnitude of the complex result, clipped to 0..1"),
        Panel(magnitude[detail], "Scharr, detail"),
    ]


def sharpen_and_emboss(bench: Bench, pictures: Pictures) -> list[Panel]:
    """Sharpen and emboss a colour photograph by scipy.ndimage's function, weights of shape (3, 3, 1)."""
    image = pictures.small_colour() * 255
    panels = [Panel(image.astype(np.uint8), f"original: chelsea, {_size(image)}")]
    for label, kernel in (("sharpen", SHARPEN), ("emboss", EMBOSS)):
        weights = kernel[:, :, np.newaxis].astype(float)
        result = bench.compare(
            f"{label} (3, 3, 1), ndimage.convolve",
            partial(rapidconv.ndimage.convolve, image, weights, mode="nearest"),
            partial(scipy.ndimage.convolve, image, weights, mode="nearest"),
            partial(_bound, scipy.ndimage.convolve, image, weights, {"mode": "nearest"}),
        )
        panels.append(Panel(np.clip(result, 0, 255).astype(np.uint8), f"{label}, clipped to 0..255, as uint8"))
    return panels


def find_template(bench: Bench, pictures: Pictures) -> list[Panel]:
    """Find an eye in a noisy photograph: the largest correlation with a patch of it, both without their means."""
    picture = pictures.face()
    size = 1 if pictures.quick else 2
    top, left, rows, columns = (size * n for n in (128, 163, 32, 40))
    rows += size - 1        # 65 x 80 of the large picture
    template = picture[top : top + rows, left : left + columns]
    noisy = picture - picture.mean() + np.random.default_rng(0).normal(scale=50, size=picture.shape)
    template = template - template.mean()
    options: dict[str, Any] = {"mode": "same", "boundary": "symm"}
    surface = bench.compare(
        f"template {_size(template)}, correlate2d",
        partial(rapidconv.signal.correlate2d, noisy, template, **options),
        partial(scipy.signal.correlate2d, noisy, template, **options),
        partial(_bound, scipy.signal.correlate2d, noisy, template, options),
        repeats=2,
    )
    y, x = np.unravel_index(np.argmax(surface), surface.shape)
    eye = (top + (rows - 1) // 2, left + (columns - 1) // 2)        # where correlate2d puts a kernel's middle
    top_left = f"found at ({y}, {x}), the patch's centre is {eye}"
    return [
        Panel(noisy, f"photograph, noise of standard deviation 50 added\n{top_left}", (-150, 150), dot=(int(y), int(x))),
        Panel(template, f"template, {_size(template)}", (-100, 100)),
        Panel(surface, "correlation", (float(surface.min()), float(surface.max())), dot=(int(y), int(x))),
    ]


def correlation(bench: Bench, pictures: Pictures) -> list[Panel]:
    """Correlation is convolution with the kernel turned by half a turn."""
    image = pictures.grey()
    turned = np.ascontiguousarray(RIPPLE[::-1, ::-1])
    options: dict[str, Any] = {"mode": "same", "boundary": "symm"}
    convolved = bench.filter("ripple 3x3, convolve2d", "convolve2d", image, RIPPLE, **options)
    correlated = bench.filter("ripple 3x3, correlate2d", "correlate2d", image, RIPPLE, **options)
    again = bench.compare(
        "turned ripple, correlate2d (SciPy: convolve2d)",
        lambda: rapidconv.signal.correlate2d(image, turned, **options),
        lambda: scipy.signal.convolve2d(image, RIPPLE, **options),
        partial(_bound, scipy.signal.convolve2d, image, RIPPLE, options),
    )
    blank = convolved - again
    return [
        Panel(image, f"original: camera, {_size(image)}", bar=True),
        Panel(convolved, "convolution", (-1, 1), bar=True),
        Panel(correlated, "correlation", (-1, 1), bar=True),
        Panel(RIPPLE, "ripple kernel", (-1.5, 1.5), "RdBu_r", bar=True),
        Panel(convolved - correlated, "convolution - correlation", (-2, 2), "RdBu_r", bar=True),
        Panel(blank, f"convolution - correlation with\nthe turned kernel: largest {np.abs(blank).max():.1g}", (-2, 2),
              "RdBu_r", bar=True),
    ]  # fmt: skip


def uses(bench: Bench, pictures: Pictures) -> list[Panel]:
    """Smoothing, sharpening, embossing and edge detection of a colour photograph."""
    image = pictures.small_colour()
    panels = [Panel(image, f"original: chelsea, {_size(image)}")]
    for name, label, kernel in (
        ("smoothing", "binomial 5x5", BINOMIAL),
        ("sharpening", "sharpen 3x3", SHARPEN),
        ("embossing", "emboss 3x3", EMBOSS),
        ("edges", "outline 3x3", OUTLINE),
        ("edges, magnitude", "Scharr / 8, complex", SCHARR / 8),
    ):
        result = bench.filter(f"{label}, colour", "convolve2d", image, kernel, mode="same", boundary="symm")
        shown = np.abs(result) if np.iscomplexobj(result) else result
        panels.append(Panel(_clip(shown), f"{name}: {label}"))
    return panels


class Job(NamedTuple):
    """One entry of the table of jobs: its sheet is `<key>-<name>.png`."""

    key: str
    name: str
    title: str
    columns: int
    work: Callable[[Bench, Pictures], list[Panel]]
    note: str = ""


COLOUR = "colour: one call of rapidconv with channel_axis=-1, a loop over the channels with SciPy"

JOBS: tuple[Job, ...] = (
    Job("A", "half-planes", "Half-plane kernels on a two-block image", 3, half_planes),
    Job("B1", "blur-and-edges", "Blur and edges of a grey photograph", 3, blur_and_edges),
    Job("B2", "mode-and-boundary", "What mode, boundary and fillvalue mean", 4, extents),
    Job("B3", "emboss-and-scharr", "Emboss and gradient of a colour photograph", 2, emboss_and_gradient, COLOUR),
    Job("B4", "sharpen-and-emboss", "Sharpen and emboss without a loop over channels", 3, sharpen_and_emboss),
    Job("B5", "correlation", "Correlation against convolution", 3, correlation),
    Job("B6", "template", "Find a template", 3, find_template, "the template: the minimum of 2"),
    Job("B7", "uses", "Smoothing, sharpening, embossing, edge detection (clipped to 0..1)", 3, uses, COLOUR),
)


def _size(picture: Array) -> str:
    return " x ".join(str(length) for length in picture.shape)


def _framed(picture: Array, frame: tuple[int, int]) -> Array:
    """Centre a picture in a frame of NaN, so that pictures of different size are drawn to one scale."""
    before = [(whole - part) // 2 for whole, part in zip(frame, picture.shape, strict=True)]
    after = [whole - part - b for whole, part, b in zip(frame, picture.shape, before, strict=True)]
    return np.pad(picture, list(zip(before, after, strict=True)), constant_values=np.nan)


# --- Sheets and table -------------------------------------------------------------------------------------------------

INCHES_WIDE = 12.0
DOTS_PER_INCH = 110


def draw(path: Path, title: str, columns: int, panels: Sequence[Panel], footer: Sequence[str]) -> None:
    """Write the panels, row by row, and the lines under them into one PNG."""
    lines = -(-len(panels) // columns)
    across = INCHES_WIDE / columns
    tallest = max(panel.picture.shape[0] / panel.picture.shape[1] for panel in panels)
    picture_width = across - (0.75 if any(panel.bar for panel in panels) else 0.1)
    title_height = 0.24 * max(panel.title.count("\n") + 1 for panel in panels) + 0.12
    height = lines * (picture_width * tallest + title_height) + 0.5 + 0.2 * len(footer)

    with mpl.rc_context({"font.size": 10, "axes.titlesize": 10}):
        figure = Figure(figsize=(INCHES_WIDE, height), dpi=DOTS_PER_INCH, facecolor="white", layout="constrained")
        figure.suptitle(title, fontsize=14, fontweight="bold")
        for axes, panel in zip(figure.subplots(lines, columns, squeeze=False).flat, panels, strict=False):
            low, high = panel.limits
            shown = axes.imshow(panel.picture, cmap=panel.colours, vmin=low, vmax=high)
            axes.set_title(panel.title)
            if panel.dot is not None:
                axes.plot(panel.dot[1], panel.dot[0], "o", color="red", markersize=7)
            if panel.bar:
                figure.colorbar(shown, ax=axes, shrink=0.85)
        for axes in figure.axes:
            if axes.get_label() != "<colorbar>":
                axes.set_xticks([])
                axes.set_yticks([])
                axes.spines[:].set_color("lightgrey")
        figure.supxlabel("\n".join(footer), x=0.01, ha="left", fontsize=9, family="monospace", linespacing=1.4)
        figure.savefig(path)


def run(out: Path, *, quick: bool = False) -> bool:
    """Do every job, print the table, write the sheets.

    Parameters
    ----------
    out : Path
        Folder for the sheets; it has to exist.
    quick : bool, optional
        A smaller colour photograph and fewer repeats.

    Returns
    -------
    bool
        Whether every result was within its bound.
    """
    bench = Bench(repeats=2 if quick else 7)
    pictures = Pictures(quick)
    config = rapidconv.show_config("dicts")
    assert config is not None
    heading = (
        f"rapidconv {rapidconv.__version__} ({config['in_use']}), SciPy {scipy.__version__}, "
        f"NumPy {np.__version__}; times in ms, the minimum of {bench.repeats}"
    )
    _say(heading)
    _say(f"{'job':<4}{'call':<48}{'rapidconv':>10}{'SciPy':>10}{'times':>8}  largest difference")
    written = []
    for job in JOBS:
        first = len(bench.rows)
        panels = job.work(bench, pictures)
        rows = bench.rows[first:]
        for row in rows:
            _say(f"{job.key:<4}{_line(row)}")
        path = out / f"{job.key}-{job.name}.png"
        footer = [heading, *map(_sentence, rows), *filter(None, [job.note])]
        draw(path, f"{job.key}  {job.title}", job.columns, panels, footer)
        written.append(path)
    _say(COLOUR)
    _say("bound: taps * eps * sum |image| |kernel|, for each output; 'exactly 0' where the data are integers")
    for path in written:
        _say(f"wrote {path}")
    failed = [row.label for row in bench.rows if not row.ok]
    _say(f"OUT OF BOUNDS: {'; '.join(failed)}" if failed else f"all {len(bench.rows)} results are within the bound")
    return not failed


def _line(row: Row) -> str:
    times = row.scipy_ms / row.ours_ms
    return f"{row.label:<48}{row.ours_ms:>10.3f}{row.scipy_ms:>10.3f}{times:>7.1f}x  {row.verdict}"


def _sentence(row: Row) -> str:
    return (
        f"{row.label:<47} rapidconv {row.ours_ms:>8.3f} ms   SciPy {row.scipy_ms:>8.3f} ms"
        f"   {row.scipy_ms / row.ours_ms:>6.1f}x   largest difference {row.verdict}"
    )


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
