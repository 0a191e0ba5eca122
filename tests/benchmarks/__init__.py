"""What the README's table of figures says, measured in one run: ``python -m tests.benchmarks``.

Timings are compared with a peer in the same run, in turns, so that a machine that is busy at the
moment slows both. Nothing here is asserted; a benchmark is read, not passed.
"""
