"""The `rapidconv` command: `demo`, `config` and `--version`.

Exit status: 0 when all is well, 1 when a result of the demo is out of bounds, 2 when the command was used wrongly
or a package it needs is missing.  Everything heavy is imported by the command that needs it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryFile

DEMO_EXTRAS = ("scipy", "skimage", "matplotlib")
NO_EXTRAS = 'rapidconv demo needs SciPy, scikit-image and matplotlib: pip install "rapidconv[demo]"'


def main(argv: Sequence[str] | None = None) -> int:
    """Run the `rapidconv` command.

    Parameters
    ----------
    argv : sequence of str, optional
        The words after `rapidconv`; those of the process by default.

    Returns
    -------
    int
        The exit status.

    Examples
    --------
    >>> from rapidconv.cli import main
    >>> main(["config"])  # doctest: +SKIP
    """
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.command == "config":
        return _config()
    return _demo(parser, arguments.out, quick=arguments.quick)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="rapidconv", description="Convolution and correlation of NumPy arrays, as SciPy defines them: a demo, and facts.")
    parser.add_argument("--version", action=_Version, help="print the version and leave")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    demo = commands.add_parser(
        "demo",
        help="filter photographs, compare every result with SciPy, write labelled pictures",
        description="Filter the photographs that scikit-image ships, compare every result and its time with SciPy's, "
        "and write one labelled PNG for each job. Exit status 1 if a result is out of bounds.",
    )
    demo.add_argument("--out", type=Path, default=Path("rapidconv-demo"), metavar="DIR", help="where the pictures go, made if need be; default: %(default)s")
    demo.add_argument("--quick", action="store_true", help="smaller colour photograph, fewer repeats")

    commands.add_parser("config", help="print version, targets (compiled, supported here, in use), threads, memory kept")
    return parser


class _Version(argparse.Action):
    """`--version`, without importing the package before it is asked for."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str | None = None) -> None:
        super().__init__(option_strings, dest, nargs=0, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from rapidconv import __version__

        sys.stdout.write(f"rapidconv {__version__}\n")
        parser.exit()


def _config() -> int:
    from rapidconv import show_config

    show_config()
    return 0


def _demo(parser: argparse.ArgumentParser, out: Path, *, quick: bool) -> int:
    try:
        from rapidconv.demo import run
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in DEMO_EXTRAS:
            raise
        sys.stderr.write(f"{NO_EXTRAS}\n")
        return 2
    try:
        out.mkdir(parents=True, exist_ok=True)
        TemporaryFile(dir=out).close()
    except OSError as error:
        parser.error(f"cannot write into {out}: {error.strerror}")
    return 0 if run(out, quick=quick) else 1


if __name__ == "__main__":
    sys.exit(main())
