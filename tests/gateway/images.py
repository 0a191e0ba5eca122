"""The image models of the gateway: answer with links or with images, and serve the linked files.

A scenario is chosen as for a chat model; an answer uses its fields about the wire. The links lead
to the stranger, which answers with the scenario ``file``.

Source: ``docs.cloudbase.net/ai/image-model``; the paths are those of the official SDK.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.gateway import pictures
from tests.gateway.answer import JSON
from tests.gateway.errors import Error
from tests.gateway.events import Ask
from tests.gateway.scenario import Scenario

if TYPE_CHECKING:
    from tests.gateway.gateway import Gateway
    from tests.gateway.log import Exchange

_PATH = re.compile(r"(?:/v1)?(?:/ai/(?P<provider>[^/]+))?/images/(?P<newer>ar/)?generations")
_NEWER = "hunyuan-image-v3"
FILES = "/files/"
_NOBODY = Ask(False, "", "")


@dataclass
class Images:
    """The images of an answer, and the files behind its links.

    Args:
        file: The scenario that answers every link.
        link: Another link; ``{number}`` counts the images from 1.
        items: Another value for the whole ``data`` of the answer.
    """

    file: Scenario = field(
        default_factory=lambda: Scenario(body=pictures.png(), content_type="image/png")
    )
    link: str = ""
    items: list[Any] | None = None

    def owns(self, path: str) -> bool:
        """Return whether a path belongs to the image models."""
        return _PATH.fullmatch(path) is not None

    def serves(self, path: str) -> bool:
        """Return whether a path of the stranger is a link to an image."""
        return path.startswith(FILES)

    def decide(self, gateway: Gateway, exchange: Exchange) -> tuple[Scenario, Ask]:
        """Return the answer to a request."""
        match = _PATH.fullmatch(exchange.path)
        assert match is not None
        exchange.provider = match["provider"] or ""
        if exchange.method != "POST":
            return Scenario(error=Error("METHOD_NOT_ALLOWED")), _NOBODY
        asked = exchange.json
        model, prompt = asked.get("model"), asked.get("prompt")
        if not model or not prompt:
            return Scenario(error=Error("AI_MODEL_PARAM_REQUIRED")), _NOBODY
        newer = exchange.provider == "hunyuan-image" and model.startswith(_NEWER)
        if newer != bool(match["newer"]):
            return Scenario(error=Error("AI_MODEL_NOT_SUPPORTED")), _NOBODY
        chosen = gateway.choose(exchange.headers.get("x-gateway-scenario", model))
        if chosen.body is not None or chosen.raw is not None or chosen.redirect is not None:
            return chosen, _NOBODY
        if chosen.error is not None:
            return chosen, _NOBODY
        value = {
            "id": "image-000001",
            "created": 1_790_000_000,
            "data": self._items(gateway, exchange, asked),
        }
        return chosen.but(body=json.dumps(value).encode(), content_type=JSON), _NOBODY

    def _items(self, gateway: Gateway, exchange: Exchange, asked: dict[str, Any]) -> list[Any]:
        if self.items is not None:
            return self.items
        found = []
        for number in range(1, asked.get("n", 1) + 1):
            item = {"revised_prompt": f"{asked['prompt']}, in oil"}
            if asked.get("response_format") == "b64_json":
                item["b64_json"] = base64.b64encode(pictures.png(number, 1)).decode()
            else:
                name = f"{FILES}{exchange.number}-{number}.png?sign=a%2Fb%3D&time=1%3B2"
                item["url"] = self.link.format(number=number) or gateway.stranger_url + name
            found.append(item)
        return found
