"""Keep markdown-it's debug records of our answers out of the log of the user's program.

markdown-it logs every rule that it tries. With ``logging.basicConfig(level=logging.DEBUG)`` in a
notebook each repaint of an answer would write thousands of lines into the cell. Records of the
user's own use of markdown-it stay: only those of the thread that parses one of our texts are dropped.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator


class _Parsing(threading.local):
    ours = False


_parsing = _Parsing()


def drop_our_records() -> None:
    """Add the filter to the loggers of markdown-it. Its modules must have been imported.

    A filter of a logger does not count for the loggers below it, so each one gets the filter.
    """
    for name, logger in logging.root.manager.loggerDict.items():
        if name.partition(".")[0] == "markdown_it" and isinstance(logger, logging.Logger):
            logger.addFilter(_is_not_ours)


@contextlib.contextmanager
def our_parsing() -> Iterator[None]:
    """Mark what this thread parses as ours."""
    before, _parsing.ours = _parsing.ours, True
    try:
        yield
    finally:
        _parsing.ours = before


def _is_not_ours(_record: logging.LogRecord) -> bool:
    return not _parsing.ours
