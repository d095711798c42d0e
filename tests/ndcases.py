"""Random calls of scipy.ndimage's linear filters, and how near to SciPy's a result has to be."""

import warnings

import numpy as np
import scipy.ndimage
import zoo

from rapidconv import ndimage

MODES = ("reflect", "grid-mirror", "mirror", "nearest", "constant", "grid-constant", "wrap", "grid-wrap")
REAL = "?bhilqBHILQfd"
LAYOUTS = [zoo.LAYOUTS[name] for name in ("array", "fortran", "negative", "every_other", "read_only", "swapped", "misaligned", "field")]


class Calls:
    """A reproducible source of calls."""

    def __init__(self, seed):
        self.rng = np.random.default_rng(seed)

    def one_of(self, things):
        return things[int(self.rng.integers(len(things)))]

    def chance(self, part):
        return self.rng.random() < part

    def shape(self):
        """One to four axes, now and then without pixels."""
        ndim = self.one_of((1, 2, 2, 3, 3, 4))
        return tuple(int(self.rng.integers(not self.chance(0.02), 8 if ndim < 4 else 5)) for _ in range(ndim))

    def pixels(self, shape, char):
        """Small numbers of a type, in any layout."""
        dtype = np.dtype(char)
        if dtype.kind in "biu":
            low = 0 if dtype.kind in "bu" else -100
            image = self.rng.integers(low, 2 if char == "?" else 120, shape).astype(dtype)
        else:
            image = self.rng.normal(size=shape) * 10
            if self.chance(0.4):
                image = np.rint(image)
            if dtype.kind == "c":
                image = image + 1j * self.rng.normal(size=shape) * 10
            image = image.astype(dtype)
        if image.size and self.chance(0.1):
            return np.broadcast_to(image[:1], image.shape)
        return self.one_of(LAYOUTS)(image) if image.ndim > 1 and image.size else image

    def weights(self, shape):
        """Whole, fractional, symmetric, antisymmetric or complex weights of any type, with zeros among them."""
        whole = self.rng.integers(-3, 4, shape)
        back = (slice(None, None, -1),) * len(shape)
        return self.one_of(
            (
                whole,
                whole.astype(float),
                whole.astype(self.one_of(("b", "B", "f", "H", "?", ">f4"))),
                self.rng.normal(size=shape),
                self.rng.normal(size=shape) + 1j * self.rng.normal(size=shape),
                whole / 7,
                (whole + whole[back]) / 7,
                (whole - whole[back]) / 7,
            )
        )

    def cval(self, is_complex):
        value = self.one_of((0, 0, 0.0, 2.5, 7, -3, 300, np.float32(1.5), np.int64(4)))
        return value + 2j if is_complex and self.chance(0.5) else value

    def output(self, shape, is_complex):
        """None, a type, or an array of zeros."""
        char = self.one_of("FD" if is_complex else REAL)
        return self.one_of((None, None, np.dtype(char), np.dtype(char).type, np.zeros(shape, char)))

    def origin(self, taps):
        return int(self.rng.integers(-(taps // 2), (taps - 1) // 2 + 1))

    def call(self, name):
        """Arguments of one call."""
        shape = self.shape()
        ndim = len(shape)
        image = self.pixels(shape, self.one_of(REAL + "FD"))
        keywords = {"mode": self.one_of(MODES)}
        axes = None
        if self.chance(0.3) and not name.endswith("1d") and name not in ("sobel", "prewitt"):
            axes = sorted(self.rng.permutation(ndim)[: self.rng.integers(1, ndim + 1)].tolist())
            keywords["axes"] = tuple(axis - ndim * self.chance(0.3) for axis in axes)
        count = ndim if axes is None else len(axes)
        is_complex = image.dtype.kind == "c"
        arguments = getattr(self, f"_{name.rstrip('1d').split('_')[0]}")(name, ndim, count, keywords)
        if arguments and isinstance(arguments[0], np.ndarray):
            is_complex |= arguments[0].dtype.kind == "c"
        has_modes = not name.endswith("1d") and not name.startswith(("correlate", "convolve"))
        if has_modes and self.chance(0.3):
            keywords["mode"] = [self.one_of(MODES) for _ in range(ndim if name in ("sobel", "prewitt") else count)]
        if name in ("correlate", "convolve") and max(arguments[0].shape) > 2 * min(shape) and keywords["mode"] in MODES[:2]:
            keywords["mode"] = "mirror"     # N1: SciPy reads beside the image; test_kernels_larger_than_the_image has these
        keywords["cval"] = self.cval(image.dtype.kind == "c")
        keywords["output"] = self.output(shape, is_complex)
        return image, arguments, keywords

    def _correlate(self, name, ndim, count, keywords):
        if name.endswith("1d"):
            weights = self.weights((int(self.rng.integers(1, self.one_of((6, 30)))),))
            keywords["axis"] = int(self.rng.integers(-ndim, ndim))
            keywords["origin"] = self.origin(len(weights))
            return (weights,)
        weights = self.weights(tuple(int(self.rng.integers(1, self.one_of((4, 4, 12 if ndim < 3 else 4)))) for _ in range(count)))
        if self.chance(0.5):
            keywords["origin"] = [self.origin(taps) for taps in weights.shape]
        return (self.one_of(LAYOUTS)(weights) if weights.ndim > 1 and weights.size > 1 else weights,)

    _convolve = _correlate

    def _uniform(self, name, ndim, count, keywords):
        size = int(self.rng.integers(1, self.one_of((6, 20))))
        if name.endswith("1d"):
            keywords["axis"] = int(self.rng.integers(-ndim, ndim))
        elif self.chance(0.4):
            return ([int(self.rng.integers(1, 6)) for _ in range(count)],)
        keywords["origin"] = self.origin(size)
        return (size,)

    def _gaussian(self, name, ndim, count, keywords):
        if self.chance(0.3):
            keywords["truncate"] = 2.5
        if self.chance(0.2):
            keywords["radius"] = int(self.rng.integers(0, 5))
        if name == "gaussian_filter1d":
            keywords["axis"] = int(self.rng.integers(-ndim, ndim))
        if name.startswith("gaussian_filter"):
            keywords["order"] = int(self.rng.integers(0, 4)) if self.chance(0.4) else 0
        return (float(self.rng.uniform(0.5, 2)),)

    def _sobel(self, name, ndim, count, keywords):
        keywords["axis"] = int(self.rng.integers(-ndim, ndim))
        return ()

    _prewitt = _sobel

    def _laplace(self, name, ndim, count, keywords):
        return ()


def outcome(module, name, image, arguments, keywords):
    """Result of a call; a given array is handed over as a copy."""
    output = keywords.get("output")
    keywords = dict(keywords, output=output.copy() if isinstance(output, np.ndarray) else output)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            result = getattr(module, name)(image, *arguments, **keywords)
        except Exception as error:  # noqa: BLE001 - whichever SciPy raises
            return error
    assert not isinstance(output, np.ndarray) or result is keywords["output"]
    return result


def difference(name, image, arguments, keywords):
    """What is wrong with a call of ours, an empty string where nothing is."""
    before = image.copy()
    ours = outcome(ndimage, name, image, arguments, keywords)
    theirs = outcome(scipy.ndimage, name, before, arguments, keywords)      # SciPy errs where pixels share memory
    if isinstance(ours, Exception) or isinstance(theirs, Exception):
        same = type(ours) is type(theirs) and str(ours) == str(theirs)
        return "" if same else f"{ours!r}, SciPy {theirs!r}"
    if not np.array_equal(before, image):
        return "the image was changed"
    if (ours.dtype, ours.shape) != (theirs.dtype, theirs.shape):
        return f"{ours.dtype} {ours.shape}, SciPy {theirs.dtype} {theirs.shape}"
    near = _near(name, image, arguments, keywords, ours, theirs)
    return "" if near.all() else f"{ours[~near][:4]}, SciPy {theirs[~near][:4]}"


def _near(name, image, arguments, keywords, ours, theirs):
    """Where results agree, or may differ: docs/differences.md."""
    if theirs.dtype.kind == "b":
        single = name.startswith(("correlate", "convolve"))
        # N7: SciPy's bytes are those of the sum, 2 is none of a bool, and later passes read them.
        return (ours == (theirs.view("u1") != 0)) | ((theirs.view("u1") == 0) & ours) | (not single)
    if theirs.dtype.kind in "iu":
        # N13: sums beyond the type are its largest or smallest number in SciPy, or lose digits.
        wide = np.abs(theirs.astype(float)) >= min(2.0 ** (8 * theirs.itemsize - 1) - 1, 2.0**52)
        wraps = theirs.dtype.char in "LQ" and not name.startswith(("correlate", "convolve"))
        return (ours == theirs) | (wide & (theirs.itemsize >= 4)) | wraps
    gain = 40.0 * 20.0 ** (image.ndim * bool(keywords.get("order")))
    weights = arguments[0] if name.startswith(("correlate", "convolve")) else np.full(1, gain)
    narrow = image.dtype.char == "F" and weights.dtype.kind == "c"      # SciPy rounds some products to the image's type
    eps = np.finfo(np.float32 if narrow else ours.dtype).eps
    largest = max(np.abs(image).max(initial=0), abs(keywords["cval"])) * 1.0
    return np.abs(ours - theirs) <= 8 * (weights.size + 4) * eps * largest * np.abs(weights).sum()
