"""Watchers: a listener that hostile content would call, and a record of what a page does."""

from __future__ import annotations

import contextlib
import http.server
import re
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.async_api import BrowserContext, Dialog, Error, Page, Request, Route


class LeakListener:
    """A loopback server that no harmless page calls; it remembers every request."""

    def __init__(self) -> None:
        self.hits: list[str] = []
        listener = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def _hit(self) -> None:
                listener.hits.append(f"{self.command} {self.path}")
                self.send_response(200)
                # The browser must not block a response because of its origin.
                self.send_header("Access-Control-Allow-Origin", "*")
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_POST = do_HEAD = do_OPTIONS = do_PUT = _hit

            def log_message(self, format: str, *args: object) -> None:
                """Log nothing: the hits are the log."""

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @contextlib.contextmanager
    def listening(self) -> Iterator[LeakListener]:
        """Listen on a separate thread until the block ends."""
        thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            self._server.server_close()
            thread.join()


@dataclass
class Watch:
    """Actions of the pages of a browser profile that harmless pages do not do.

    Args:
        origin: The Jupyter server's own ``host:port``.
        strangers: URLs of requests to other hosts.
        popups: Addresses that a page tried to open in a new window.
        dialogs: Messages of ``alert`` and other dialogs.
        errors: Uncaught exceptions of scripts.
        marks: Console messages that hostile payloads write when they run.
    """

    origin: str
    strangers: list[str] = field(default_factory=list)
    popups: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    marks: list[str] = field(default_factory=list)
    _pages: list[Page] = field(default_factory=list)

    @contextlib.asynccontextmanager
    async def attached(
        self, context: BrowserContext, *, empty_popups: bool = True
    ) -> AsyncIterator[None]:
        """Watch a profile until the block ends.

        Args:
            context: The profile.
            empty_popups: Whether new windows that its pages open stay empty, those to this machine
                too. It turns the browser's cache off, so every page loads the whole application.
        """
        context.on("request", self._on_request)
        if empty_popups:
            # Only requests to other hosts are routed: routing all requests makes pages slow.
            elsewhere = re.compile(rf"^https?://(?!{re.escape(self.origin)}/)")
            await context.route(elsewhere, self._keep_popups_empty)
        yield
        context.remove_listener("request", self._on_request)
        await context.unroute_all()

    def add(self, page: Page) -> None:
        """Record what a page of the test does."""
        self._pages.append(page)
        page.on("popup", lambda popup: popup.close())
        page.on("dialog", self._on_dialog)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda message: self._on_console(message.text))

    def _is_popup(self, request: Request) -> bool:
        if not request.is_navigation_request():
            return False
        try:
            return request.frame.page not in self._pages
        except Error:  # a window that does not exist yet has no frame
            return True

    async def _keep_popups_empty(self, route: Route, request: Request) -> None:
        await (route.abort() if self._is_popup(request) else route.continue_())

    async def _on_dialog(self, dialog: Dialog) -> None:
        if dialog.type == "beforeunload":  # Jupyter's own dialog about unsaved changes
            await dialog.accept()
            return
        self.dialogs.append(dialog.message)
        await dialog.dismiss()

    def _on_request(self, request: Request) -> None:
        address = urlsplit(request.url)
        if self._is_popup(request):
            self.popups.append(request.url)
        elif address.scheme in {"http", "https", "ws", "wss"} and address.netloc != self.origin:
            self.strangers.append(request.url)

    def _on_console(self, text: str) -> None:
        if "pwned" in text:
            self.marks.append(text)
