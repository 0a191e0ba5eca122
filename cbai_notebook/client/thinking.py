"""``think=``: one parameter name for all providers.

Source: CloudBase's models take ``thinking: {"type": "enabled" | "disabled"}``; the documentation of
DashScope names ``enable_thinking``; that of vLLM, SGLang and llama.cpp ``chat_template_kwargs``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cbai_notebook.errors import UsageError
from cbai_notebook.i18n import say


def _thinking_type(think: bool) -> dict[str, Any]:
    return {"thinking": {"type": "enabled" if think else "disabled"}}


def _chat_template(think: bool) -> dict[str, Any]:
    return {"chat_template_kwargs": {"enable_thinking": think}}


_BY_PROVIDER: Mapping[str, Callable[[bool], dict[str, Any]]] = {
    "dashscope": lambda think: {"enable_thinking": think},
    "custom": _chat_template,
    "local": _chat_template,
}


def parameters(provider: str, think: Any) -> dict[str, Any]:
    """Return the request parameters that turn thinking on or off.

    Args:
        provider: The provider's name; an unknown provider gets the parameter of CloudBase's models.
        think: True or False.

    Raises:
        UsageError: ``think`` is another value.
    """
    if not isinstance(think, bool):
        raise UsageError(say("request.think_is_wrong", value=repr(think)))
    return _BY_PROVIDER.get(provider, _thinking_type)(think)
