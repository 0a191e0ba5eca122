"""Benchmarks that measure the figures of ``docs/figures.md`` in one run: ``python -m tests.benchmarks``.

Runs of this package and of the package that it is compared with alternate, so that a busy machine
slows both. Benchmarks print figures and assert nothing about them.
"""
