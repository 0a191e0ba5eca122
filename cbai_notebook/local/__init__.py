"""The offline model: a small language model on this machine, as a provider.

Its server is a child process on the loopback interface, so the client is the same as for the cloud.
"""

from __future__ import annotations

import asyncio
import contextvars
import importlib.util
import re
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from cbai_notebook.errors import LocalModelError, MissingDependencyError
from cbai_notebook.files import expanded
from cbai_notebook.i18n import say

if TYPE_CHECKING:
    from cbai_notebook.client.capabilities import Capabilities, Feature
    from cbai_notebook.client.providers import Endpoint
    from cbai_notebook.client.settings import Settings
    from cbai_notebook.local.server import Address

__all__ = ["DEMO_MODEL", "LocalProvider", "provider", "require_runtime"]

T = TypeVar("T")

DEMO_MODEL = "SmolLM2-135M-Instruct"
# Compared on 19 everyday prompts: without these the model rambles, and repeats itself to the end.
DEMO_SYSTEM = "You are a helpful assistant. Give short, simple answers."
DEMO_DEFAULTS = {"temperature": 0, "repeat_penalty": 1.05, "max_tokens": 512}

_INSTALL = 'pip install "cbai-notebook[local]"'


def require_runtime(*, configured: bool = False) -> None:
    """Check that the runtime of the model is installed.

    Args:
        configured: Whether another provider is connected already.

    Raises:
        MissingDependencyError: It is not; the message names both alternatives, unless one is there.
    """
    if importlib.util.find_spec("xllamacpp") is None:
        if configured:
            raise MissingDependencyError(say("offline.needs_runtime", install=_INSTALL))
        raise MissingDependencyError(
            say(
                "offline.two_ways",
                install=_INSTALL,
            )
        )


# What a chat template that knows a feature mentions.
_MENTIONS: Mapping[Feature, re.Pattern[str]] = {
    "tools": re.compile(r"\btools\b"),
    "thinking": re.compile(r"think|reasoning"),
}


class LocalProvider:
    """The provider of the demo model, and of any GGUF file by its path."""

    def __init__(self, show_progress: bool = True) -> None:
        self.show_progress = show_progress

    def capabilities(self, model: str | None) -> Capabilities | None:
        """Return what a model cannot do, by its chat template; nothing is fetched or started.

        Args:
            model: As for `endpoint`.
        """
        from cbai_notebook.client.capabilities import Capabilities
        from cbai_notebook.local.gguf import chat_templates

        if model is None or _is_demo(model):
            return Capabilities(say("offline.model"), {"tools": "", "thinking": "", "images": ""})
        try:
            gguf = _gguf(model)
        except LocalModelError:
            return None  # `endpoint` reports it
        templates = chat_templates(gguf)
        if templates is None:
            return None
        lacking: dict[Feature, str] = {
            feature: say("offline.no_place_in_template")
            for feature, words in _MENTIONS.items()
            if not words.search(templates)
        }
        # Images take a second file, the projector, which the server does not get.
        lacking["images"] = say("offline.only_text_models")
        return Capabilities(say("offline.model_of_file", name=gguf.stem), lacking)

    async def endpoint(self, model: str | None, settings: Settings) -> Endpoint:
        """Return the endpoint; fetch the weights and start the server if needed.

        Args:
            model: Path of a GGUF file; None or the demo model's name for the demo model.
            settings: Only for the advice of an error: the offline model needs no account.

        Returns:
            An endpoint on 127.0.0.1, ready for requests.

        Raises:
            MissingDependencyError: The extra ``local`` is not installed.
            LocalModelError: The weights cannot be fetched or found, or the server does not start.
        """
        require_runtime(configured=settings.configured)
        if model is None or _is_demo(model):
            return await self._demo()
        return await self._own_model(_gguf(model))

    async def _demo(self) -> Endpoint:
        from cbai_notebook.local import server, weights

        path = weights.present()
        address = server.serving(path) if path else None
        if address is None:

            def start(cancel: threading.Event) -> Address:
                return server.ensure(
                    weights.fetch(self.show_progress, cancel=cancel), DEMO_MODEL, cancel
                )

            address = await _on_a_thread(start)
        return _endpoint(
            address,
            model=DEMO_MODEL,
            label=say("offline.label", name=DEMO_MODEL.removesuffix("-Instruct")),
            defaults=DEMO_DEFAULTS,
            system=DEMO_SYSTEM,
        )

    async def _own_model(self, gguf: Path) -> Endpoint:
        from cbai_notebook.local import server

        address = server.serving(gguf)
        if address is None:
            address = await _on_a_thread(lambda cancel: server.ensure(gguf, gguf.stem, cancel))
        return _endpoint(
            address,
            model=gguf.stem,
            label=say("offline.label_of_file", name=gguf.stem),
            defaults={"max_tokens": 2048},  # a model that does not stop would fill its context
            system=None,
        )


def _endpoint(
    address: Address,
    *,
    model: str,
    label: str,
    defaults: Mapping[str, Any],
    system: str | None,
) -> Endpoint:
    from cbai_notebook.client.providers import Endpoint

    return Endpoint(
        provider="local",
        url=f"{address.url}/v1/chat/completions",
        api_key=address.key,
        default_model=model,
        always_stream=True,  # the server does not stop generating when a client disconnects
        at_once=1,
        defaults=defaults,
        system=system,
        label=label,
    )


def _is_demo(model: str) -> bool:
    return model.lower() == DEMO_MODEL.lower()


def _gguf(model: str) -> Path:
    path = expanded(model).absolute()
    if not path.is_file():
        raise LocalModelError(
            say(
                "offline.no_file",
                path=path,
            )
        )
    with path.open("rb") as file:
        if file.read(4) != b"GGUF":
            raise LocalModelError(say("offline.no_gguf", path=path))
    return path


async def _on_a_thread(work: Callable[[threading.Event], T]) -> T:
    """Run blocking work on a separate thread; a cancellation sets the event that the work gets.

    The thread is a daemon, unlike those of the event loop's executor: the kernel can quit without
    waiting for a download.
    """
    loop = asyncio.get_running_loop()
    result: asyncio.Future[T] = loop.create_future()
    cancel = threading.Event()

    def deliver(set_outcome: Callable[[], None]) -> None:
        def unless_cancelled() -> None:
            if not result.done():
                set_outcome()

        if not loop.is_closed():
            loop.call_soon_threadsafe(unless_cancelled)

    def run() -> None:
        try:
            value = work(cancel)
        except BaseException as error:  # noqa: BLE001 - raised again by the future
            failure = error
            deliver(lambda: result.set_exception(failure))
        else:
            deliver(lambda: result.set_result(value))

    # The context holds the cell that the progress bar belongs to.
    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(run,), daemon=True).start()
    try:
        return await result
    finally:
        cancel.set()


provider = LocalProvider()
