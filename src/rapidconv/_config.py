"""What this installation is and what it runs on."""

from importlib.metadata import version
from typing import TypedDict

from . import _memory, _native, _workers

__all__ = ["Config", "__version__", "show_config"]

__version__ = version("rapidconv")


class Config(TypedDict):
    """What `show_config` tells."""

    version: str
    compiled: list[str]
    supported: list[str]
    in_use: str
    variable: str
    cpus: int
    workers: int
    workers_variable: str
    kept_mib: int
    kept_variable: str


def show_config(mode: str = "stdout") -> Config | None:
    """Tell which targets are compiled, supported by this machine, and in use, how many threads, and what memory is kept.

    Parameters
    ----------
    mode : {"stdout", "dicts"}
        Print it, or return it as a dictionary.

    Returns
    -------
    dict or None
        Keys ``version``, ``compiled``, ``supported`` (lists, best first), ``in_use``; ``variable``, the name of
        the environment variable that forces a target; ``cpus``, those this process may use; ``workers``, the threads
        a call may use if it does not say, as `get_workers` tells; ``workers_variable``, the name of the environment
        variable that limits them; ``kept_mib``, the most memory of dropped results that is kept, in MiB (see
        `release_memory`); ``kept_variable``, the name of the environment variable that sets it.

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
    if mode not in ("stdout", "dicts"):
        msg = f"`mode` must be 'stdout' or 'dicts', not {mode!r}"
        raise ValueError(msg)
    config = Config(
        version=__version__,
        compiled=list(_native.compiled),
        supported=list(_native.supported),
        in_use=_native.in_use,
        variable=_native.VARIABLE,
        cpus=_workers.cpus,
        workers=_workers.get_workers(),
        workers_variable=_workers.VARIABLE,
        kept_mib=_memory.most_mib,
        kept_variable=_memory.VARIABLE,
    )
    if mode == "dicts":
        return config
    print(f"rapidconv {config['version']}")
    print(f"targets compiled:  {', '.join(config['compiled'])}")
    print(f"targets supported: {', '.join(config['supported'])}")
    print(f"target in use:     {config['in_use']} (force another with {config['variable']})")
    print(f"threads of a call: {config['workers']} of {config['cpus']} CPUs (limit them with {config['workers_variable']})")
    print(f"memory kept:       {config['kept_mib']} MiB of dropped results at most (set with {config['kept_variable']})")
    return None
