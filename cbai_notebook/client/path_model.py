"""A model at a path of its own: the Mini Program's ``createModel({modelName, modelPath, …})``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from cbai_notebook.client.model import Model
from cbai_notebook.client.path_decoder import USUAL_TEXT, PathDecoder, ValuePath
from cbai_notebook.client.providers import CloudBaseProvider, Endpoint, base_url_of
from cbai_notebook.client.wire_format import WireFormat
from cbai_notebook.errors import UsageError
from cbai_notebook.i18n import say

if TYPE_CHECKING:
    from cbai_notebook.client.settings import Settings
    from cbai_notebook.client.transport import Transport

_NAMES = {
    "model_name": ("model_name", "modelName"),
    "model_path": ("model_path", "modelPath"),
    "extract_path": ("extract_path", "extractPath"),
    "reasoning_path": ("reasoning_path", "reasoningPath"),
}
_EXAMPLE = (
    'create_model({"model_name": "custom-mine", "model_path": "/v1/chat/completions", '
    f'"extract_path": "{USUAL_TEXT}"}})'
)
_URL_PATH = re.compile(r"(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~!$&'()*+,;=:@-]+)+/?")


@dataclass(frozen=True)
class ModelPaths:
    """Where a model is asked, and where its answers have their text.

    Args:
        name: The model's name in CloudBase, as the provider of other models.
        path: The path of its address below ``{base}/ai/{name}``.
        text: Where each event has its text; None for the usual place.
        reasoning: Where each event has its thinking; None for the usual place.
    """

    name: str
    path: str
    text: ValuePath | None
    reasoning: ValuePath | None

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> ModelPaths:
        """Read the argument of `create_model`, in the spelling of Python or of the Mini Program.

        Raises:
            UsageError: A value is missing, unknown or not valid.
        """
        known = {spelling for spellings in _NAMES.values() for spelling in spellings}
        unknown = next((name for name in given if name not in known), None)
        if unknown is not None:
            raise UsageError(
                say("provider.create_model_does_not_take", name=repr(unknown), example=_EXAMPLE)
            )
        found: dict[str, Any] = {
            name: next((given[each] for each in spellings if given.get(each) is not None), None)
            for name, spellings in _NAMES.items()
        }
        for name in ("model_name", "model_path", "extract_path"):
            if not found[name] or not isinstance(found[name], str):
                raise UsageError(say("provider.create_model_needs", name=name, example=_EXAMPLE))
        text, reasoning = found["extract_path"], found["reasoning_path"]
        return cls(
            CloudBaseProvider(found["model_name"]).name,
            _url_path(found["model_path"]),
            None if text == USUAL_TEXT else ValuePath(text, "extract_path"),
            None if reasoning is None else ValuePath(reasoning, "reasoning_path"),
        )


class PathModel(Model):
    """A model at a path of its own; made by ``create_model({"model_name": …, …})``.

    Args:
        paths: Where it is asked, and where its answers have their text.
        settings: The settings; by default the current ones at the time of each request.
        transport: Sends the requests; by default `HTTPTransport`.
    """

    def __init__(
        self,
        paths: ModelPaths,
        *,
        settings: Settings | None = None,
        transport: Transport | None = None,
    ) -> None:
        super().__init__(paths.name, settings=settings, transport=transport)
        self._paths = paths

    def _provider(self, settings: Settings) -> PathProvider:
        return PathProvider(self._paths)


class PathProvider(CloudBaseProvider):
    """The provider of a model at a path of its own.

    Args:
        paths: Where it is asked, and where its answers have their text.
    """

    def __init__(self, paths: ModelPaths) -> None:
        super().__init__(paths.name)
        self._path = paths.path
        self.wire_format = PathFormat(paths)

    async def endpoint(self, model: str | None, settings: Settings) -> Endpoint:
        """Return the endpoint at the path."""
        endpoint = await super().endpoint(model, settings)
        return replace(endpoint, url=f"{base_url_of(settings)}/ai/{self.name}{self._path}")


class PathFormat(WireFormat):
    """Chat completions whose answers have their text at another place.

    Args:
        paths: Where the answers have their text.
    """

    decodes_completions = True

    def __init__(self, paths: ModelPaths) -> None:
        self._paths = paths

    def decoder(self) -> PathDecoder:
        """Return a new decoder for the events of one stream."""
        return PathDecoder(self._paths.text, self._paths.reasoning)


def _url_path(path: str) -> str:
    path = path if path.startswith("/") else f"/{path}"
    if not _URL_PATH.fullmatch(path):
        raise UsageError(say("provider.model_path_is_wrong", path=path))
    return path
