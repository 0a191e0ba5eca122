from statistics import median
from tests.benchmarks.store import _checkpointing
from pathlib import Path

for r in _checkpointing("tests.benchmarks.store", Path("/tmp/bm/stream.sqlite")):
    print(r)
