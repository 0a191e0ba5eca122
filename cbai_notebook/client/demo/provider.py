"""The provider of the demo model."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from cbai_notebook.client.demo.script import BASE_URL, IMAGES_PATH, NAME
from cbai_notebook.client.providers import DEMO, Endpoint
from cbai_notebook.i18n import say

if TYPE_CHECKING:
    from cbai_notebook.client.settings import Settings


class DemoProvider:
    """The provider of the demo model, which answers in this process."""

    async def endpoint(self, model: str | None, settings: Settings) -> Endpoint:
        """Return the endpoint; nothing has to be set up.

        Args:
            model: The name of a demo model; None for ``"demo"``.
            settings: Not used: the demo model needs no account.
        """
        reach()
        is_named = model not in (None, NAME)
        return Endpoint(
            provider=DEMO,
            url=f"{BASE_URL}/chat/completions",
            default_model=NAME,
            label=say("demo.label_named", name=model) if is_named else say("demo.label"),
        )

    def image_endpoint(self) -> Endpoint:
        """Return the endpoint for drawings: each is a plain square."""
        reach()
        return Endpoint(DEMO, f"{BASE_URL}{IMAGES_PATH}", default_model=NAME)


def reach() -> None:
    """Let requests to the address of the demo model be answered in this process."""
    from cbai_notebook.client.demo.service import serve
    from cbai_notebook.client.transport import answer_in_process

    answer_in_process(urlsplit(BASE_URL).netloc, serve)
