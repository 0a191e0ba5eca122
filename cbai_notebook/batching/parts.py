"""What a driver and its workers tell each other: how to ask, parts of the rows, and the replies.

The driver is the process that runs the batch. It has the rows, the stored answers and the budget. Its
workers only ask. All of this is pickled, so it is made of plain values as far as it can be.
"""

from __future__ import annotations

import os
import platform
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from cbai_notebook._version import __version__
from cbai_notebook.batching.sending import Reply
from cbai_notebook.client.budget import Used
from cbai_notebook.conversation.row_requests import RowRequests

if TYPE_CHECKING:
    from cbai_notebook.client.model import Model
    from cbai_notebook.client.settings import Settings
    from cbai_notebook.conversation.prepare import PreparedPrompt

_STARTED = uuid.uuid4().hex


def process_id() -> str:
    """Return the name of this process, which no other one has, on any machine and at any time."""
    return f"{_STARTED}-{os.getpid()}"


def versions() -> tuple[str, str]:
    """Return the versions that must be equal everywhere: of Python, without its patch, and of ours."""
    return ".".join(platform.python_version_tuple()[:2]), __version__


@dataclass(frozen=True)
class BatchSpec:
    """How a worker asks the rows of one batch.

    Attributes:
        model: The model, without settings.
        params: The parameters and options of each request, without its messages.
        settings: The driver's settings; without keys, unless they are shared.
        has_key: Whether the driver has a key for the address.
        shares_key: Whether the settings have it.
        is_limited: Whether tokens are limited, so that an answer without counts has to be estimated.
        batch: The name of the batch, which no other one has.
        driver: The process of the driver.
    """

    model: Model
    params: Mapping[str, Any]
    settings: Settings
    has_key: bool
    shares_key: bool
    is_limited: bool
    batch: str = field(default_factory=lambda: uuid.uuid4().hex)
    driver: str = field(default_factory=process_id)

    @classmethod
    def of(
        cls, prepared: PreparedPrompt[Model], *, shares_key: bool, is_limited: bool
    ) -> BatchSpec:
        """Return how to ask with a prepared prompt.

        Args:
            prepared: The prompt.
            shares_key: Whether the workers get the keys.
            is_limited: Whether tokens are limited.
        """
        settings = prepared.settings
        return cls(
            model=prepared.model.for_another_process(),
            params=RowRequests(prepared).options([]),
            # The texts are screened by the driver.
            settings=replace(settings, before_send=None) if shares_key else settings.without_keys(),
            has_key=settings.has_key_for(prepared.provider),
            shares_key=shares_key,
            is_limited=is_limited,
        )


class PartRow(NamedTuple):
    """A row of a part: its number in the batch, the key of its request, and what is sent."""

    number: int
    key: bytes
    messages: list[Any]


@dataclass(frozen=True)
class Part:
    """Some rows for one worker.

    Attributes:
        batch: The name of the batch, which no other one has.
        spec: How to ask; pickled where the worker is in another process.
        worker: The name of the worker.
        process: The process that may run this part, so that nobody runs it a second time after the
            end of that process; ``""`` for any.
        share: How many requests the worker may send at once.
        rows: The rows.
    """

    batch: str
    spec: BatchSpec | bytes
    worker: str
    process: str
    share: int
    rows: Sequence[PartRow]


class Arrived(NamedTuple):
    """Replies that a worker has at one moment.

    Attributes:
        batch: The name of the batch.
        replies: The numbers of rows, each with its reply; None for a row that was not sent.
        used: What the worker has used since its last message.
    """

    batch: str
    replies: list[tuple[int, Reply | None]]
    used: Used
