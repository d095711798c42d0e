"""What this installation is and what it runs on."""

from importlib.metadata import version
from typing import TypedDict

from . import _native

__all__ = ["Config", "__version__", "show_config"]

__version__ = version("rapidconv")


class Config(TypedDict):
    """What `show_config` tells."""

    version: str
    compiled: list[str]
    supported: list[str]
    in_use: str
    variable: str


def show_config(mode: str = "stdout") -> Config | None:
    """Tell which targets are compiled, supported by this machine, and in use.

    Parameters
    ----------
    mode : {"stdout", "dicts"}
        Print it, or return it as a dictionary.

    Returns
    -------
    dict or None
        Keys ``version``, ``compiled``, ``supported`` (lists, best first), ``in_use``, and ``variable``, the name of
        the environment variable that forces a target.

    Raises
    ------
    ValueError
        If `mode` is neither.

    Examples
    --------
    >>> import rapidconv
    >>> config = rapidconv.show_config(mode="dicts")
    >>> config["in_use"] in config["supported"]
    True
    """
    config = Config(
        version=__version__,
        compiled=list(_native.compiled),
        supported=list(_native.supported),
        in_use=_native.in_use,
        variable=_native.VARIABLE,
    )
    if mode == "dicts":
        return config
    if mode != "stdout":
        msg = f"`mode` must be 'stdout' or 'dicts', not {mode!r}"
        raise ValueError(msg)
    print(f"rapidconv {config['version']}")
    print(f"targets compiled:  {', '.join(config['compiled'])}")
    print(f"targets supported: {', '.join(config['supported'])}")
    print(f"target in use:     {config['in_use']} (force another with {config['variable']})")
    return None
