"""The same bad call of a filter gets the same error, in type and in words, as from SciPy; and the extras name what is wrong."""

import inspect
import warnings

import numpy as np
import pytest
import scipy.ndimage

from rapidconv import ndimage

GREY = np.arange(12.0).reshape(3, 4)
BYTES = GREY.astype(np.uint8)
HALF = GREY.astype(np.float16)
WAVES = GREY + 1j
CUBE = np.arange(24.0).reshape(2, 3, 4)
ONES = np.ones((3, 3))
LINE = np.ones(3)
FIXED = np.zeros((3, 4))
FIXED.flags.writeable = False
OBJECTS, TEXT, DATES = np.array([None]), np.array(["a"]), np.array(["2020"], "M8[Y]")
SHORT = np.zeros(3)


def faults(*given, **keywords):
    return given, keywords


# What is wrong with a call of correlate or convolve. Several faults in one call show which check comes first.
ND = {
    "ragged": faults([[1, 2], [3]], ONES),
    "weights ragged": faults(GREY, [[1, 2], [3]]),
    "weights text": faults(GREY, [["a"]]),
    "weights object": faults(GREY, [[object()]]),
    "weights 1-D": faults(GREY, LINE),
    "weights 3-D": faults(GREY, np.ones((1, 3, 3))),
    "weights 0-D": faults(GREY, 2.0),
    "weights empty": faults(GREY, np.ones((0, 3))),
    "weights empty, complex": faults(WAVES, np.ones((0, 3))),
    "weights None": faults(GREY, None),
    "0-D, 1-D weights": faults(1.0, [1.0]),
    "axes out of range": faults(GREY, LINE, axes=(2,)),
    "axes below range": faults(GREY, LINE, axes=(-3,)),
    "axes twice": faults(GREY, ONES, axes=(1, -1)),
    "axes float": faults(GREY, LINE, axes=1.5),
    "axes floats": faults(GREY, LINE, axes=(1.5,)),
    "axes text": faults(GREY, LINE, axes="a"),
    "axes object": faults(GREY, LINE, axes=object()),
    "axes before weights": faults(GREY, [["a"]], axes=(7,)),
    "axes count": faults(CUBE, ONES, axes=(1,)),
    "axes before origin": faults(GREY, ONES, axes=(7, 0), origin=9),
    "origin too far": faults(GREY, ONES, origin=2),
    "origin too far back": faults(GREY, ONES, origin=-2),
    "origin of an even kernel": faults(GREY, np.ones((2, 2)), origin=1),
    "origin sequence": faults(GREY, ONES, origin=(0, 2)),
    "origin too many": faults(GREY, ONES, origin=(0, 0, 0)),
    "origin too few": faults(GREY, ONES, origin=[0]),
    "origin float": faults(GREY, ONES, origin=0.5),
    "origin text": faults(GREY, ONES, origin="a"),
    "origin None": faults(GREY, ONES, origin=None),
    "origin before output": faults(GREY, ONES, origin=2, output="nonsense"),
    "weights before origin": faults(GREY, LINE, origin=9),
    "output nonsense": faults(GREY, ONES, output="nonsense"),
    "output str": faults(GREY, ONES, output="S4"),
    "output bool by name": faults(GREY, ONES, output="bool"),
    "output a number": faults(GREY, ONES, output=3),
    "output of other shape": faults(GREY, ONES, output=SHORT),
    "output read-only": faults(GREY, ONES, output=FIXED),
    "output half": faults(GREY, ONES, output=np.float16),
    "output longdouble": faults(GREY, ONES, output=np.longdouble),
    "output object": faults(GREY, ONES, output=object),
    "output complex": faults(GREY, ONES, output=complex),
    "output complex array": faults(GREY, ONES, output=np.zeros((3, 4), complex)),
    "output abstract": faults(GREY, ONES, output=np.number),
    "output before mode": faults(GREY, ONES, output=SHORT, mode="x"),
    "output real for complex": faults(WAVES, ONES, output=np.zeros((3, 4))),
    "output real by name for complex": faults(WAVES, ONES, output="f8"),
    "output of complex before axes": faults(WAVES, ONES, output="f8", axes=7),
    "mode nonsense": faults(GREY, ONES, mode="nonsense"),
    "mode REFLECT": faults(GREY, ONES, mode="REFLECT"),
    "mode None": faults(GREY, ONES, mode=None),
    "mode 0": faults(GREY, ONES, mode=0),
    "mode list": faults(GREY, ONES, mode=["wrap", "wrap"]),
    "mode bytes": faults(GREY, ONES, mode=b"wrap"),
    "mode array": faults(GREY, ONES, mode=np.array("wrap")),
    "mode before cval": faults(GREY, ONES, mode="x", cval=None),
    "mode before read-only": faults(GREY, ONES, mode="x", output=FIXED),
    "read-only before cval": faults(GREY, ONES, cval=None, output=FIXED),
    "read-only before dtype": faults(HALF, ONES, output=FIXED),
    "cval None": faults(GREY, ONES, cval=None),
    "cval text": faults(GREY, ONES, cval="a"),
    "cval list": faults(GREY, ONES, cval=[1]),
    "cval array": faults(GREY, ONES, cval=np.ones(1)),
    "cval huge": faults(GREY, ONES, cval=10**400),
    "cval complex": faults(GREY, ONES, cval=1j),
    "cval complex under complex weights": faults(GREY, 1j * ONES, cval=1 + 0j),
    "cval of complex": faults(WAVES, ONES, cval=None),
    "cval of complex before axes": faults(GREY, 1j * ONES, cval=1j, axes=9),
    "cval before dtype": faults(HALF, ONES, cval=None),
    "cval before true origin": faults(GREY, ONES, cval=None, origin=True),
    "origin True": faults(GREY, ONES, origin=True),
    "true origin before dtype": faults(HALF, ONES, origin=True),
    "half": faults(HALF, ONES),
    "half by complex": faults(HALF, 1j * ONES),
    "longdouble": faults(GREY.astype("g"), ONES),
    "clongdouble": faults(GREY.astype("G"), ONES),
    "object": faults(OBJECTS, LINE),
    "dates": faults(DATES, LINE),
    "dates by complex": faults(DATES, [1j]),
    "text": faults(TEXT, LINE),
    "text by complex": faults(TEXT, [1j]),
    "objects by complex": faults(OBJECTS, [1j]),
}
LINES = {
    "weights empty": faults(GREY, []),
    "weights empty, complex": faults(WAVES, []),
    "weights 2-D": faults(GREY, ONES),
    "weights text": faults(GREY, ["a"]),
    "weights None": faults(GREY, [None, object()]),
    "axis out of range": faults(GREY, LINE, axis=2),
    "axis float": faults(GREY, LINE, axis=1.0),
    "axis None": faults(GREY, LINE, axis=None),
    "output half of the other byte order": faults(GREY, LINE, output=np.zeros((3, 4), HALF.dtype.newbyteorder())),
    "0-D": faults(1.0, LINE),
    "output before weights": faults(GREY, [], output=SHORT),
    "weights before axis": faults(GREY, [], axis=9),
    "axis before origin": faults(GREY, LINE, axis=9, origin=9),
    "origin too far": faults(GREY, LINE, origin=2),
    "origin None": faults(GREY, LINE, origin=None),
    "origin text": faults(GREY, LINE, origin="a"),
    "origin float": faults(GREY, LINE, origin=0.5),
    "origin before mode": faults(GREY, LINE, origin=9, mode="x"),
    "mode nonsense": faults(GREY, LINE, mode="nonsense"),
    "mode list": faults(GREY, LINE, mode=["wrap"]),
    "mode bytes": faults(GREY, LINE, mode=b"wrap"),
    "mode before cval": faults(GREY, LINE, mode="x", cval=None),
    "read-only before cval": faults(GREY, LINE, cval=None, output=FIXED),
    "cval None": faults(GREY, LINE, cval=None),
    "cval text of complex": faults(WAVES, LINE, cval="a"),
    "cval complex": faults(GREY, LINE, cval=1j),
    "cval before float origin": faults(GREY, LINE, cval=None, origin=0.5),
    "half": faults(HALF, LINE),
    "half by complex": faults(HALF, 1j * LINE),
    "object": faults(OBJECTS, LINE),
    "dates": faults(DATES, LINE),
    "output half": faults(GREY, LINE, output="f2"),
    "output complex": faults(GREY, LINE, output="D"),
    "output text": faults(GREY, LINE, output=np.str_),
    "output list of other shape": faults(GREY, LINE, output=[1.0]),
}
FILTERS = {
    "gaussian_filter": {
        "sigmas too many": faults(GREY, (1, 2, 3)),
        "sigma text": faults(GREY, "a"),
        "sigma None": faults(GREY, None),
        "order negative": faults(GREY, 1, -1),
        "orders too few": faults(GREY, 1, [0]),
        "radius negative": faults(GREY, 1, radius=-1),
        "radius float": faults(GREY, 1, radius=1.5),
        "radii too few": faults(GREY, 1, radius=(1,)),
        "truncate negative": faults(GREY, 1, truncate=-4),
        "truncate infinite": faults(GREY, 1, truncate=np.inf),
        "modes too few": faults(GREY, 1, mode=["wrap"]),
        "mode nonsense": faults(GREY, 1, mode="nonsense"),
        "one mode nonsense": faults(GREY, 1, mode=("wrap", "nonsense")),
        "axes twice": faults(GREY, 1, axes=(0, 0)),
        "axes out of range": faults(GREY, 1, axes=(2,)),
        "sigmas for all axes": faults(GREY, (1, 2), axes=1),
        "axes before sigmas": faults(GREY, (1, 2, 3), axes=(7,)),
        "output before axes": faults(GREY, 1, axes=(7,), output=SHORT),
        "cval None": faults(GREY, 1, cval=None),
        "cval complex": faults(GREY, 1, cval=1j),
        "half": faults(HALF, 1),
        "complex output": faults(GREY, 1, output=complex),
        "real output": faults(WAVES, 1, output="f8"),
        "objects": faults(OBJECTS, 1),
        "dates": faults(DATES, 1),
        "text": faults(TEXT, 1),
        "read-only": faults(GREY, 1, output=FIXED),
    },
    "gaussian_filter1d": {
        "sigma text": faults(GREY, "x"),
        "sigma None": faults(GREY, None),
        "sigma list": faults(GREY, [1, 2]),
        "sigma 0": faults(GREY, 0),
        "sigma negative": faults(GREY, -1.0),
        "sigma nan": faults(GREY, np.nan),
        "axis out of range": faults(GREY, 1, 5),
        "order None": faults(GREY, 1, -1, None),
        "order text": faults(GREY, 1, order="0"),
        "order negative": faults(GREY, 1, order=-2),
        "truncate None": faults(GREY, 1, truncate=None),
        "radius float": faults(GREY, 1, radius=2.0),
        "0-D": faults(1.0, 1),
    },
    "uniform_filter": {
        "size None": faults(GREY, None),
        "size text": faults(GREY, "3"),
        "sizes too few": faults(GREY, (3,)),
        "origin too far": faults(GREY, 3, origin=2),
        "origin float": faults(GREY, 3, origin=0.5),
        "mode None": faults(GREY, 3, mode=None),
        "modes too few": faults(GREY, 3, mode=["wrap"]),
        "cval complex": faults(GREY, 3, cval=1j),
        "cval None": faults(GREY, 3, cval=None),
        "half": faults(HALF, 3),
        "complex output": faults(GREY, 3, output=complex),
        "output before axes": faults(GREY, 3, axes=(7,), output=SHORT),
    },
    "uniform_filter1d": {
        "size 0": faults(GREY, 0),
        "size float": faults(GREY, 2.5),
        "size None": faults(GREY, None),
        "size text": faults(GREY, "3"),
        "axis before size": faults(GREY, 0, axis=7),
        "axis before output": faults(GREY, 3, axis=7, output=SHORT),
        "size before output": faults(GREY, 0, output=SHORT),
        "origin too far": faults(GREY, 3, origin=2),
        "origin float": faults(GREY, 3, origin=0.5),
        "output before origin": faults(GREY, 3, origin=2, output=SHORT),
        "origin before mode": faults(GREY, 3, origin=2, mode="x"),
        "mode list": faults(GREY, 3, mode=["reflect"]),
        "cval text": faults(GREY, 3, cval="a"),
        "half": faults(HALF, 3),
    },
    "laplace": {
        "axes twice": faults(GREY, axes=(0, 0)),
        "modes too few": faults(GREY, mode=["wrap"]),
        "modes for all axes": faults(GREY, mode=("wrap", "wrap"), axes=0),
        "output before axes": faults(GREY, output=SHORT, axes=(9,)),
        "axes before modes": faults(GREY, mode=["wrap"], axes=(9,)),
        "complex output": faults(GREY, output=complex),
        "half": faults(HALF),
        "cval None": faults(GREY, cval=None),
        "mode nonsense": faults(GREY, mode="x"),
        "one mode nonsense": faults(GREY, mode=("wrap", "x")),
    },
    "gaussian_laplace": {
        "unknown keyword": faults(GREY, 1, foo=2),
        "order": faults(GREY, 1, order=1),
        "sigmas too many": faults(GREY, (1, 2, 3)),
        "sigmas for all axes": faults(CUBE, (1, 2, 3), axes=(0, 2)),
        "radii for the axes": faults(CUBE, 1, axes=(0, 2), radius=(1, 2)),
        "half": faults(HALF, 1),
    },
    "gaussian_gradient_magnitude": {
        "unknown keyword": faults(GREY, 1, foo=2),
        "sigmas for the axes": faults(CUBE, (1, 2), axes=(0, 2)),
        "half": faults(HALF, 1),
    },
    "generic_laplace": {
        "no function": faults(GREY, None),
        "arguments": faults(GREY, scipy.ndimage.sobel, extra_arguments=3),
        "output before axes": faults(GREY, scipy.ndimage.sobel, output=SHORT, axes=(9,)),
    },
    "generic_gradient_magnitude": {
        "no function": faults(GREY, None),
        "modes too few": faults(GREY, scipy.ndimage.sobel, mode=["wrap"]),
    },
}
GRADIENTS = {
    "axis out of range": faults(GREY, 5),
    "axis None": faults(GREY, None),
    "0-D": faults(1.0),
    "axis before output": faults(GREY, 7, output=SHORT),
    "axis before modes": faults(GREY, 7, mode=["wrap"]),
    "modes too few": faults(GREY, 0, mode=["wrap"]),
    "mode nonsense": faults(GREY, 0, mode="x"),
    "output before mode": faults(GREY, 0, mode="x", output=SHORT),
    "second mode nonsense": faults(GREY, 0, mode=("wrap", "x")),
    "cval complex": faults(GREY, 0, cval=1j),
    "cval None": faults(GREY, cval=None),
    "complex output": faults(GREY, output=complex),
    "half": faults(HALF),
}
CONVOLVE = {case: given for case, given in ND.items() if given[1].get("origin") is not True}     # -True is a number
TABLE = {
    "correlate": ND, "convolve": CONVOLVE, "correlate1d": LINES, "convolve1d": LINES, "sobel": GRADIENTS, "prewitt": GRADIENTS, **FILTERS,
}  # fmt: skip
CASES = [(name, case) for name, cases in TABLE.items() for case in cases]


def error_of(function, given, keywords):
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            return function(*given, **keywords)
        except Exception as error:  # noqa: BLE001 - whichever SciPy raises
            return error


@pytest.mark.parametrize(("name", "case"), CASES, ids=lambda value: value.replace(" ", "-"))
def test_same_error_as_scipy(name, case):
    given, keywords = TABLE[name][case]
    theirs = error_of(getattr(scipy.ndimage, name), given, keywords)
    mine = error_of(getattr(ndimage, name), given, keywords)
    assert isinstance(theirs, Exception)
    assert (type(mine), str(mine)) == (type(theirs), str(theirs))


@pytest.mark.parametrize("name", ["correlate", "convolve", "correlate1d", "convolve1d"])
@pytest.mark.parametrize(
    ("keywords", "kind", "words"),
    [
        ({"method": "fastest"}, ValueError, "`method` must be one of"),
        ({"method": 3}, ValueError, "`method` must be one of"),
        ({"workers": 0}, ValueError, "workers"),
        ({"workers": 1.5}, TypeError, "integer"),
    ],
)
def test_extras(name, keywords, kind, words):
    with pytest.raises(kind, match=words):
        getattr(ndimage, name)(GREY, LINE if name.endswith("1d") else ONES, **keywords)


def test_a_method_that_cannot_serve_says_why():
    with pytest.raises(ValueError, match="cannot serve"):
        ndimage.correlate(CUBE.astype(int), np.full((3, 3, 3), 0.3), method="fft")
    with pytest.raises(ValueError, match="cannot serve"):
        ndimage.correlate(CUBE.astype(float), np.arange(27.0).reshape(3, 3, 3) ** 2, method="separable")


@pytest.mark.parametrize("name", ndimage.__all__)
def test_signatures_are_scipys(name):
    def parameters(module):
        return [(p.name, p.default, p.kind) for p in inspect.signature(getattr(module, name)).parameters.values()]

    extras = [("method", "auto", inspect.Parameter.KEYWORD_ONLY), ("workers", None, inspect.Parameter.KEYWORD_ONLY)]
    has_extras = name.startswith(("correlate", "convolve"))
    assert parameters(ndimage) == parameters(scipy.ndimage) + (extras if has_extras else [])


@pytest.mark.parametrize("name", ["correlate", "correlate1d", "gaussian_filter"])
def test_a_real_type_asked_of_complex_sums_is_promoted_with_scipys_warning(name):
    given = {"correlate": ONES, "correlate1d": LINE, "gaussian_filter": 1.0}[name]
    with pytest.warns(UserWarning, match="promoting specified output dtype to complex") as ours:
        result = getattr(ndimage, name)(WAVES, given, output=np.float32)
    assert result.dtype == np.complex64
    assert ours[0].filename == __file__


def test_errors_leave_the_output_alone():
    out = np.full((3, 4), 7.0)
    error_of(ndimage.correlate, (GREY, ONES), {"output": out, "mode": "x"})
    error_of(ndimage.gaussian_filter, (GREY, 1), {"output": out, "mode": ("wrap", "x")})
    assert (out == 7).all()


@pytest.mark.parametrize("name", ["correlate", "convolve", "correlate1d", "convolve1d"])
def test_weights_of_a_line_on_one_pixel_without_axes_are_refused(name):
    """Such an image is small, but calls like it are not kept."""
    with pytest.raises(Exception, match=r"axis -1|must match") as theirs:
        getattr(scipy.ndimage, name)(np.array(5.0), np.ones(3))
    for image in (np.array(5.0), 5.0):
        with pytest.raises(type(theirs.value)):
            getattr(ndimage, name)(image, np.ones(3))
