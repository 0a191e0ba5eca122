"""Alignment of two texts word by word: a long common subsequence, in bounded time.

Words that occur exactly once in each text are anchors (patience diff, Bram Cohen). The text between
two anchors is aligned in the same way, at most `DEPTH` times, and a short stretch is aligned
exactly. The inside of a long stretch without anchors is not aligned, so the time grows with the
length of the texts and never with its square.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Sequence

EXACT = 40_000
"""Product of the word counts of both sides up to which a stretch is aligned exactly."""

DEPTH = 12
"""How often a stretch is cut at anchors, at most: each level reads every word once."""

Words = Sequence[str]
Pair = tuple[int, int]


def pairs(old: Words, new: Words) -> list[Pair]:
    """Return the indices of aligned words as pairs ``(in old, in new)``, both ascending."""
    found: list[Pair] = []
    todo = [(0, len(old), 0, len(new), 0)]
    while todo:
        start, end, new_start, new_end, depth = todo.pop()
        while start < end and new_start < new_end and old[start] == new[new_start]:
            found.append((start, new_start))
            start, new_start = start + 1, new_start + 1
        while start < end and new_start < new_end and old[end - 1] == new[new_end - 1]:
            end, new_end = end - 1, new_end - 1
            found.append((end, new_end))
        left, right = old[start:end], new[new_start:new_end]
        if len(left) * len(right) <= EXACT:
            found += [(start + i, new_start + j) for i, j in _exact(left, right)]
        elif depth < DEPTH:
            # Each anchor is the first word of the next stretch.
            cuts = [(start + i, new_start + j) for i, j in _anchors(left, right)]
            for (i, j), (i_end, j_end) in zip(
                [(start, new_start), *cuts], [*cuts, (end, new_end)], strict=True
            ):
                if cuts:
                    todo.append((i, i_end, j, j_end, depth + 1))
    return sorted(found)


def _anchors(old: Words, new: Words) -> list[Pair]:
    """Return the longest sequence of words that occur once in each text, in the same order."""
    once, new_once = _once(old), _once(new)
    both = [(place, new_once[word]) for word, place in once.items() if word in new_once]
    # Longest increasing subsequence of the places in `new`: `ends[n]` is the lowest end of one of
    # length n + 1.
    ends: list[int] = []
    last: list[int] = []
    before: list[int | None] = []
    for index, (_, place) in enumerate(both):
        length = bisect_left(ends, place)
        before.append(last[length - 1] if length else None)
        ends[length : length + 1] = [place]
        last[length : length + 1] = [index]
    run: list[Pair] = []
    at = last[-1] if last else None
    while at is not None:
        run.append(both[at])
        at = before[at]
    return run[::-1]


def _once(words: Words) -> dict[str, int]:
    count = Counter(words)
    return {word: place for place, word in enumerate(words) if count[word] == 1}


def _exact(old: Words, new: Words) -> list[Pair]:
    """Return the alignment whose words have the most characters in total."""
    # best[i][j] is the most characters that old[i:] and new[j:] can have in common.
    best = [[0] * (len(new) + 1)]
    for word in reversed(old):
        below, row, right = best[-1], [0], 0
        for j in range(len(new) - 1, -1, -1):
            right = below[j + 1] + len(word) if word == new[j] else max(below[j], right)
            row.append(right)
        row.reverse()
        best.append(row)
    best.reverse()
    found: list[Pair] = []
    i = j = 0
    while i < len(old) and j < len(new):
        if old[i] == new[j]:
            found.append((i, j))
            i, j = i + 1, j + 1
        elif best[i + 1][j] >= best[i][j + 1]:
            i += 1
        else:
            j += 1
    return found
