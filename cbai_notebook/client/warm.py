"""Prepare in the background what the first request needs, so that the user does not wait for it."""

from __future__ import annotations

import threading

from cbai_notebook.errors import CbaiError


def warm_up() -> None:
    """Prepare for the first request in a background thread, and return at once."""
    threading.Thread(target=_prepare, name="cbai-warm", daemon=True).start()


def _prepare() -> None:
    # Imported in the thread: importing these modules, with the HTTP library, is most of the work.
    from cbai_notebook.client import (  # noqa: F401
        providers,
        retry,
        stream,
        stream_task,
        transport,
    )

    providers.announced()
    try:
        transport.tls_context()
    except CbaiError:
        # The request that needs it tells the user.
        return
