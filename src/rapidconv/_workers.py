"""How many threads a call may use, when more than one gains, and the one pool that lends them."""

import math
import operator
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from queue import SimpleQueue
from typing import Any

__all__ = ["GRAIN", "VARIABLE", "cpus", "get_workers", "resolve", "run", "set_workers", "share", "workers_for"]

VARIABLE = "RAPIDCONV_NUM_THREADS"
_FALLBACK = "OMP_NUM_THREADS"       # joblib and Dask set it in their workers

#: Seconds of one thread's work for every worker: with less, waking another costs more than it takes over.
#: 2 vCPUs of a Sapphire Rapids, 2026-11-21, `python -m benchmarks.workers --grain 1e-9`.
GRAIN = 125e-6


# How many there are

def _quota(text: str) -> float | None:
    """CPUs that ``cpu.max`` of cgroup v2 ("quota period"), or quota and period of v1 joined so, allow; None: no limit."""
    quota, _, period = text.strip().partition(" ")
    try:
        share, length = int(quota), int(period)
    except ValueError:      # "max 100000", or nothing we know
        return None
    return share / length if share > 0 and length > 0 else None


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii", errors="replace").strip()
    except OSError:
        return ""


def _tightest_quota(membership: str, mount: Path) -> float | None:
    """Least quota of a process's cgroup and those around it.

    Parameters
    ----------
    membership : str
        Text of ``/proc/self/cgroup``: lines ``0::/path`` (v2) and ``number:controllers:/path`` (v1).
    mount : Path
        Where the groups are mounted. In a container the path may begin outside the mount; then only its root is seen.
    """
    quotas = []
    for line in membership.splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if controllers and "cpu" not in controllers.split(","):
            continue
        parts = [part for part in path.split("/") if part]
        for depth in range(len(parts) + 1):
            group = mount.joinpath(controllers, *parts[:depth])
            if controllers:
                text = f"{_read(group / 'cpu.cfs_quota_us')} {_read(group / 'cpu.cfs_period_us')}"
            else:
                text = _read(group / "cpu.max")
            quotas.append(_quota(text))
    return min((quota for quota in quotas if quota is not None), default=None)


def _count_cpus() -> int:
    """CPUs this process may use: those of its affinity, fewer where a cgroup's quota allows less."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _tightest_quota(_read(Path("/proc/self/cgroup")), Path("/sys/fs/cgroup"))
    return count if quota is None else max(1, min(count, math.ceil(quota)))


def _limit(own: str, foreign: str) -> int | None:
    """Most workers by our variable, else by OpenMP's; None where neither says."""
    if own not in ("", "auto"):
        if own.isascii() and own.isdigit() and int(own) > 0:
            return int(own)
        msg = f"{VARIABLE}={own!r} is not a number of threads; accepted: a positive whole number, or 'auto'"
        raise ImportError(msg)
    outermost = foreign.partition(",")[0].strip()       # "4,2": of nested loops
    return int(outermost) if outermost.isascii() and outermost.isdigit() and int(outermost) > 0 else None


#: CPUs of the process, counted once, at import.
cpus = _count_cpus()
_default = min(cpus, _limit(os.environ.get(VARIABLE, ""), os.environ.get(_FALLBACK, "")) or cpus)


# How many are asked for

_asked: ContextVar[int | None] = ContextVar("rapidconv workers", default=None)


def resolve(workers: Any) -> int:
    """Number of workers that an argument `workers` allows, by the rules and in the words of scipy.fft."""
    return _asked.get() or _default if workers is None else _count(workers)


def _count(workers: Any) -> int:
    """Number of workers that an integer stands for."""
    try:
        count = operator.index(workers)
    except TypeError:
        msg = f"workers must be an integer, not {workers!r}"
        raise TypeError(msg) from None
    if count == 0:
        msg = "workers must not be zero"
        raise ValueError(msg)
    if count < -cpus:
        msg = f"workers value out of range; got {count}, must not be less than {-cpus}"
        raise ValueError(msg)
    return count if count > 0 else count + 1 + cpus


@contextmanager
def set_workers(workers: int) -> Iterator[None]:
    """Set the default number of workers inside a ``with`` statement, as `scipy.fft.set_workers` does.

    It holds for the thread or asynchronous task that entered the statement, and takes effect there only: for a whole
    process set the environment variable ``RAPIDCONV_NUM_THREADS`` before rapidconv is imported.

    Parameters
    ----------
    workers : int
        Number of threads, by the rules of the argument `workers` of `convolve2d`.

    Raises
    ------
    ValueError
        If `workers` is zero, or less than minus the number of CPUs.
    TypeError
        If `workers` is not an integer.

    See Also
    --------
    get_workers

    Examples
    --------
    >>> import rapidconv
    >>> with rapidconv.set_workers(1):
    ...     rapidconv.get_workers()
    1
    """
    token = _asked.set(_count(workers))
    try:
        yield
    finally:
        _asked.reset(token)


def get_workers() -> int:
    """Tell how many threads a call may use when its argument `workers` is None.

    Returns
    -------
    int
        What `set_workers` says; outside of it the number of CPUs of this process, limited by the environment
        variable ``RAPIDCONV_NUM_THREADS``, or where that is not set, ``OMP_NUM_THREADS``.

    Examples
    --------
    >>> import rapidconv
    >>> with rapidconv.set_workers(2):
    ...     rapidconv.get_workers()
    2
    """
    return resolve(None)


# How many gain

def workers_for(seconds: float, units: int, workers: int) -> int:
    """How many workers to use.

    Parameters
    ----------
    seconds : float
        Predicted time of the work on one thread; rather too little than too much.
    units : int
        Units of work that can be handed out.
    workers : int
        As many as may be used.
    """
    return max(1, min(workers, units, int(seconds / GRAIN)))


# The pool

class _Job:
    """One call of `share`: so many threads of the pool have entered it, and so many are inside now."""

    __slots__ = ("empty", "entered", "error", "inside", "lock", "work")

    def __init__(self, work: Callable[[int], object]) -> None:
        self.work: Callable[[int], object] | None = work       # None when closed
        self.lock = threading.Lock()
        self.empty = threading.Lock()       # held while threads are inside a closed job
        self.entered = self.inside = 0
        self.error: BaseException | None = None

    def enter(self) -> tuple[Callable[[int], object], int] | None:
        """Come in as the worker of the next number, unless it is closed."""
        with self.lock:
            if self.work is None:
                return None
            self.inside += 1
            self.entered += 1
            return self.work, self.entered

    def help(self) -> None:
        """Work on it, unless it is closed."""
        entered = self.enter()
        if entered is None:
            return
        try:
            entered[0](entered[1])
        except BaseException as error:  # noqa: BLE001 - the caller raises it
            self.error = error
        del entered
        with self.lock:
            self.inside -= 1
            if self.work is None and not self.inside:
                self.empty.release()

    def close(self) -> None:
        """Let nobody in any more, and wait for those inside."""
        with self.lock:
            self.work = None        # what waits in the queue keeps no array alive
            if not self.inside:
                return
            self.empty.acquire()
        interrupt: BaseException | None = None
        while True:
            try:
                self.empty.acquire()
                break
            except BaseException as error:  # noqa: BLE001 - Ctrl-C: the threads still write to the result
                interrupt = error
        if interrupt is not None:
            raise interrupt


class _Pool:
    """Threads that wait for jobs. They are daemons: none holds up the end of the interpreter."""

    def __init__(self) -> None:
        self.jobs: SimpleQueue[_Job] = SimpleQueue()
        self.lock = threading.Lock()
        self.threads = 0

    def offer(self, job: _Job, helpers: int) -> None:
        """Let up to so many threads help with a job, as soon as they are free."""
        if self.threads < helpers:
            with self.lock:
                while self.threads < helpers:
                    name = f"rapidconv-{self.threads + 1}"
                    try:
                        threading.Thread(target=self.serve, name=name, daemon=True).start()
                    except RuntimeError:        # no more threads to be had: those there are do it
                        break
                    self.threads += 1
        for _ in range(min(helpers, self.threads)):
            self.jobs.put(job)

    def serve(self) -> None:
        """Help with one job after another."""
        _here.serves = True
        while True:
            self.jobs.get().help()


_here = threading.local()
_pool = _Pool()


def _forget() -> None:
    """A fork copies no threads, and locks as they were: begin anew."""
    global _pool
    _pool = _Pool()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)


def share(work: Callable[[int], object], workers: int) -> None:
    """Call ``work(0)`` here and ``work(1)``, ``work(2)`` ... on up to ``workers - 1`` threads of the pool meanwhile.

    Every call of `work` is to take turns at what there is to do until nothing is left. Threads that wake up when the
    call here has returned are not waited for, so a call finishes even if every thread of the pool is busy elsewhere.
    The first exception is raised when all have stopped.
    """
    if workers == 1 or getattr(_here, "serves", False):
        work(0)
        return
    job = _Job(work)
    try:
        _pool.offer(job, workers - 1)
        work(0)
    finally:
        job.close()
    error = job.error
    if error is not None:
        try:
            raise error
        finally:
            job.error = error = None        # which knows this frame, which knows it


def run(part: Callable[[int], object], count: int, workers: int) -> None:
    """Call ``part(i)`` once for every i < count, on up to so many threads.

    The parts and their order of beginning are the same for any number of workers; after an exception no further part
    begins. A part should take 100 microseconds or more and release the GIL: to take up the next one needs it.
    """
    if workers == 1 or count < 2:
        for i in range(count):
            part(i)
        return
    lock = threading.Lock()
    left = iter(range(count))

    def take_turns(_: int) -> None:
        nonlocal left
        while True:
            with lock:
                i = next(left, None)
            if i is None:
                return
            try:
                part(i)
            except BaseException:
                with lock:
                    left = iter(())
                raise

    share(take_turns, min(workers, count))
