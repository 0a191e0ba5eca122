"""The variables that a prompt can name, as Python code at the place of the magic would find them."""

from __future__ import annotations

import sys
from collections import ChainMap
from collections.abc import Iterator, Mapping
from inspect import CO_OPTIMIZED
from types import CodeType, FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.interactiveshell import InteractiveShell

_BETWEEN = ("IPython.", "cbai_notebook.")
"""How the modules begin whose functions run between the user's code and our magic."""


def variables_in_scope(shell: InteractiveShell) -> Mapping[str, Any]:
    """Return the variables of the code that has called the running magic.

    In a function, its own variables come first, then those of the functions around it that are
    still running, then those of its module. The user's variables come last.
    """
    caller: FrameType | None = sys._getframe(1)
    while caller is not None and str(caller.f_globals.get("__name__")).startswith(_BETWEEN):
        caller = caller.f_back
    user: dict[str, Any] = shell.user_ns
    if caller is None or caller.f_locals is user:
        return user
    # Copies: a frame that is kept alive would keep all objects of its function alive.
    scopes = [dict(frame.f_locals) for frame in _with_enclosing(caller)]
    if caller.f_globals is not user:
        scopes.append(caller.f_globals)
    return ChainMap(*scopes, user)


def _with_enclosing(frame: FrameType) -> Iterator[FrameType]:
    """Yield a frame, and the frames of the functions around it, the innermost first.

    A name that occurs only in a prompt makes no closure, so it is looked up in the running calls.
    That also finds the function around a comprehension, which has a frame of its own before
    Python 3.12.
    """
    yield frame
    code: CodeType = frame.f_code
    outer = frame.f_back
    while outer is not None:
        if any(constant is code for constant in outer.f_code.co_consts):
            if outer.f_code.co_flags & CO_OPTIMIZED:  # a function: no cell, module or class
                yield outer
            code = outer.f_code
        outer = outer.f_back
