"""Ask a language model from a notebook: ``%load_ext cbai_notebook``, then ``%%cbai``.

The names below are loaded when they are first used, so that importing the package does no work.
"""

# Completion of `cbai.` reads this file too: what is not public begins with an underscore.
import importlib as _importlib
import sys as _sys
import typing as _typing

if _typing.TYPE_CHECKING:
    from cbai_notebook._version import __version__ as __version__
    from cbai_notebook.batching.batch import batch, last_batch
    from cbai_notebook.batching.listing import batches
    from cbai_notebook.batching.request_file import batch_import
    from cbai_notebook.bridge import run
    from cbai_notebook.client.agents.agent import Agent, agent
    from cbai_notebook.client.answer import Answer
    from cbai_notebook.client.chat_wire import Chunk
    from cbai_notebook.client.demo.demo import demo
    from cbai_notebook.client.demo.script import DemoAnswer
    from cbai_notebook.client.images.image import ImageAnswer
    from cbai_notebook.client.images.model import ImageModel, create_image_model
    from cbai_notebook.client.images.part import image_part
    from cbai_notebook.client.model import Model
    from cbai_notebook.client.model_factory import create_model
    from cbai_notebook.client.settings import Timeout
    from cbai_notebook.client.sse import Event
    from cbai_notebook.client.stream import TextStream
    from cbai_notebook.client.tools.sql import sql
    from cbai_notebook.client.tools.tool import Tool, tool
    from cbai_notebook.client.tools.toolbox import toolbox
    from cbai_notebook.comparison.compare import compare, last_comparison
    from cbai_notebook.configuration import configure
    from cbai_notebook.conversation import Conversation, chat, use
    from cbai_notebook.conversation.history import history
    from cbai_notebook.errors import CbaiError
    from cbai_notebook.evaluation import checks as check
    from cbai_notebook.evaluation.evaluate import evaluate
    from cbai_notebook.evaluation.runs import evaluations
    from cbai_notebook.mcp_servers.server import mcp
    from cbai_notebook.notebook.panel import ChatPanel
    from cbai_notebook.notebook.show import show
    from cbai_notebook.notebook.variables_tool import variables
    from cbai_notebook.prompts.prompt_file import prompt

_MODULES = {
    "__version__": "_version",
    "Agent": "client.agents.agent",
    "Answer": "client.answer",
    "CbaiError": "errors",
    "ChatPanel": "notebook.panel",
    "Chunk": "client.chat_wire",
    "Conversation": "conversation",
    "DemoAnswer": "client.demo.script",
    "Event": "client.sse",
    "ImageAnswer": "client.images.image",
    "ImageModel": "client.images.model",
    "Model": "client.model",
    "TextStream": "client.stream",
    "Timeout": "client.settings",
    "agent": "client.agents.agent",
    "batch": "batching.batch",
    "Tool": "client.tools.tool",
    "batch_import": "batching.request_file",
    "batches": "batching.listing",
    "chat": "conversation",
    "check": "evaluation.checks",
    "compare": "comparison.compare",
    "configure": "configuration",
    "create_image_model": "client.images.model",
    "create_model": "client.model_factory",
    "demo": "client.demo.demo",
    "evaluate": "evaluation.evaluate",
    "evaluations": "evaluation.runs",
    "history": "conversation.history",
    "last_batch": "batching.batch",
    "last_comparison": "comparison.compare",
    "image_part": "client.images.part",
    "mcp": "mcp_servers.server",
    "load_ipython_extension": "notebook.extension",
    "prompt": "prompts.prompt_file",
    "run": "bridge",
    "show": "notebook.show",
    "use": "conversation",
    "sql": "client.tools.sql",
    "tool": "client.tools.tool",
    "toolbox": "client.tools.toolbox",
    "variables": "notebook.variables_tool",
    "unload_ipython_extension": "notebook.extension",
}

__all__ = [
    "Agent",
    "Answer",
    "CbaiError",
    "ChatPanel",
    "Chunk",
    "Conversation",
    "DemoAnswer",
    "Event",
    "ImageAnswer",
    "ImageModel",
    "Model",
    "TextStream",
    "Timeout",
    "Tool",
    "agent",
    "batch",
    "batch_import",
    "batches",
    "chat",
    "check",
    "compare",
    "configure",
    "create_image_model",
    "create_model",
    "demo",
    "evaluate",
    "evaluations",
    "history",
    "image_part",
    "last_batch",
    "last_comparison",
    "mcp",
    "prompt",
    "run",
    "show",
    "sql",
    "tool",
    "toolbox",
    "use",
    "variables",
]


def __getattr__(name: str) -> _typing.Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(_importlib.import_module(f"{__name__}.{_MODULES[name]}"), name)
    globals()[name] = value
    if name in __all__:
        _show_in_notebook(name)
    return value


def _show_in_notebook(name: str) -> None:
    # Also without `%load_ext`, a cell that ends with an answer shows it, and one that runs a batch or
    # a comparison shows how far it is.
    from cbai_notebook.session import ipython_shell

    if (shell := ipython_shell()) is not None:
        from cbai_notebook.notebook import answer_formatters, batch_progress

        answer_formatters.register(shell)
        batch_progress.register()
        if name == "compare":
            from cbai_notebook.notebook import compare_live

            compare_live.register()
    if "marimo" in _sys.modules:
        from cbai_notebook.notebook import marimo_output

        marimo_output.register()


def __dir__() -> list[str]:
    return sorted({*__all__, "__version__", *(name for name in globals() if name.startswith("__"))})
