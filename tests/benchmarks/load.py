"""Measure the cost of ``%load_ext cbai_notebook`` in a bare IPython: CPU time and heavy imports."""

from __future__ import annotations

import json
import sys
import time

HEAVY = ("pandas", "ipywidgets", "anywidget", "markdown_it", "nh3", "httpx", "xllamacpp", "stamina")


def main() -> None:
    """Load the extension in a new shell and print ``[seconds, [heavy imports]]``."""
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell.instance()
    before = time.process_time()
    shell.run_line_magic("load_ext", "cbai_notebook")
    used = time.process_time() - before
    print(json.dumps([used, [name for name in HEAVY if name in sys.modules]]))


if __name__ == "__main__":
    main()
