"""Benchmarks of rapidconv against the libraries people use today.

Two entries share one description of the works (``cases``) and of the libraries (``peers``): the ``bench_*`` modules
for asv, which follow one machine through time, and ``python -m benchmarks.compare``, which prints one table of ratios.
Nothing here is a test: a slow machine must never turn a build red.
"""
