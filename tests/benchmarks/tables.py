"""Measure the tables that DataFrames become in a prompt: their length and the time they take.

The length is compared with ``DataFrame.to_markdown(index=False, floatfmt=".4g")`` of pandas.
"""

from __future__ import annotations

from collections.abc import Iterator
from time import process_time
from typing import TYPE_CHECKING

from cbai_notebook.preferences import Preferences
from cbai_notebook.prompts.tables import markdown_table
from tests.benchmarks.table import Row

if TYPE_CHECKING:
    import pandas as pd

ROWS = 200
ALL_ROWS = Preferences(table_rows=ROWS)


def frames() -> dict[str, pd.DataFrame]:
    """Return DataFrames of 200 rows, the same in every run."""
    import numpy as np
    import pandas as pd

    random = np.random.default_rng(2026)
    days = pd.date_range("2026-01-01", periods=ROWS, freq="D")
    words = np.array(
        ["tea", "a green tea, 100 g", "乌龙茶", "pot | cup", "two\nlines", "", "unknown"]
    )
    return {
        "measurements": pd.DataFrame(
            random.normal([0, 1, 20, 1013, -40, 1e-6], [1, 0.1, 5, 8, 9, 1e-7], (ROWS, 6)),
            columns=["x", "drift", "temperature", "pressure", "level", "leakage"],
        ),
        "orders": pd.DataFrame(
            {
                "order_id": random.integers(10**11, 10**12, ROWS),
                "customer": random.integers(1, 10_000, ROWS).astype(float),
                "amount": random.integers(100, 1_000_000, ROWS) / 100,
                "tax": random.integers(100, 1_000_000, ROWS) / 100 * 0.19,
                "day": days,
                "paid": random.random(ROWS) < 0.9,
            }
        ),
        "mixed text": pd.DataFrame(
            {
                "product": random.choice(words, ROWS),
                "note": random.choice(words, ROWS),
                "stars": random.integers(1, 6, ROWS),
                "score": random.random(ROWS),
            }
        ),
    }


def rows() -> Iterator[Row]:
    """Measure and yield the rows of the table."""
    import numpy as np
    import pandas as pd

    lengths = {
        name: len(markdown_table(frame, ALL_ROWS).text)
        / len(frame.to_markdown(index=False, floatfmt=".4g"))
        for name, frame in frames().items()
    }
    yield Row(
        'tables: characters over `to_markdown(floatfmt=".4g")`, ' + ", ".join(lengths),
        "≤ 1.1",
        ", ".join(f"{length:.2f}" for length in lengths.values()),
    )
    large = pd.DataFrame(np.random.default_rng(2026).normal(size=(100_000, 10)))
    seconds = _seconds(large)
    yield Row(
        "tables: 100,000 rows × 10 columns into a prompt, over 20 rows, CPU",
        "≤ 1.1",
        f"{seconds / _seconds(large[:20]):.2f} ({seconds * 1e3:.1f} ms)",
    )


def _seconds(frame: pd.DataFrame) -> float:
    """Return the least CPU time of one table, which other programs disturb least."""
    times = []
    for _ in range(25):
        begin = process_time()
        for _ in range(10):
            markdown_table(frame)
        times.append((process_time() - begin) / 10)
    return min(times)
