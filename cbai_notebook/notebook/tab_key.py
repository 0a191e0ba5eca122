"""The Tab key in prompts. Loading the extension registers it, the first Tab in a prompt imports the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from IPython.core.completer import CompletionContext
    from IPython.core.interactiveshell import InteractiveShell

_IDENTIFIER = "cbai_notebook"


def register(shell: InteractiveShell) -> None:
    """Register completion of prompts with a shell; a second call changes nothing."""
    from IPython.core.completer import SimpleCompletion, context_matcher

    # The highest priority: where a prompt has completions, IPython offers none for Python code.
    @context_matcher(identifier=_IDENTIFIER, priority=1000)  # type: ignore[untyped-decorator]
    def match(context: CompletionContext) -> dict[str, Any]:
        if "%cbai" not in context.full_text:
            return {"completions": []}
        from cbai_notebook.notebook.command_line.at_cursor import completions_at_cursor

        found = completions_at_cursor(context, shell)
        choices = [SimpleCompletion(choice, type="magic") for choice in found.choices]
        return {
            "completions": choices or (_NoneButOurs() if found.alone else []),
            "matched_fragment": found.fragment,
            "suppress": found.alone or bool(choices),
            "ordered": True,
        }

    unregister(shell)
    shell.Completer.custom_matchers.append(match)


class _NoneButOurs(tuple[Any, ...]):
    """No completions, and none for Python code: IPython leaves those out only if there are others."""

    def __len__(self) -> int:
        return 1


def unregister(shell: InteractiveShell) -> None:
    """Remove completion of prompts from a shell."""
    matchers = shell.Completer.custom_matchers
    matchers[:] = [
        matcher for matcher in matchers if getattr(matcher, "matcher_identifier", "") != _IDENTIFIER
    ]
