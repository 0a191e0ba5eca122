"""What this process runs for: a notebook's user, or a visitor of an app."""

from __future__ import annotations

import os
from collections.abc import Mapping


def is_app(environ: Mapping[str, str] | None = None) -> bool:
    """Return whether this kernel serves a visitor of an app, who is not its author.

    Voilà starts a kernel for each visitor, with ``SERVER_SOFTWARE`` set as a web server sets it for
    a CGI script (RFC 3875, 4.1.17). A kernel that it starts before the visitor comes has
    ``VOILA_PREHEAT`` instead. Servers that run one process for all visitors, as Panel and Solara
    do, are not recognised.

    Args:
        environ: Environment variables; those of the process by default.
    """
    environ = os.environ if environ is None else environ
    return environ.get("SERVER_SOFTWARE", "").startswith("voila/") or "VOILA_PREHEAT" in environ
