"""Run as a script: convolutions before and after a fork, with threads; exits 0 if the child got the parent's bits."""

import os
import signal as posix
import sys
import threading

import zoo

import rapidconv
from rapidconv import _workers


def work(workers):
    in1, in2 = zoo.values((900, 800), "float32", 1), zoo.values((9, 9), "float32", 2)
    return rapidconv.convolve2d(in1, in2, "same", "symm", workers=workers).tobytes()


def meets():
    """Whether two threads really run at the same time: a pool that came over a fork without its threads has none."""
    meeting = threading.Barrier(2, timeout=20)
    try:
        _workers.run(lambda _: meeting.wait(), 2, 2)
    except threading.BrokenBarrierError:
        return False
    return True


def main():
    expected = work(1)
    if work(2) != expected:
        sys.exit("two workers, another result")
    side = threading.Thread(target=work, args=(2,))
    side.start()
    child = os.fork()
    if child == 0:
        posix.alarm(60)  # A pool whose threads did not survive the fork would hang here.
        os._exit(0 if work(2) == expected and work(None) == expected and meets() else 1)
    side.join()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    sys.exit(code if work(2) == expected else 2)


if __name__ == "__main__":
    main()
