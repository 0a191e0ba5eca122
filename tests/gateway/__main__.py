"""``python -m tests.gateway``: run the gateway as a program."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import signal
import sys
import threading
from typing import TYPE_CHECKING

from tests import gateway as package
from tests.gateway import pictures, spec
from tests.gateway.gateway import DEFAULT_KEY, Gateway
from tests.gateway.limits import Rate
from tests.gateway.scenario import Scenario

if TYPE_CHECKING:
    from collections.abc import Sequence


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    made = argparse.ArgumentParser(
        prog="python -m tests.gateway",
        description=package.__doc__,
        epilog=f"{spec.__doc__}\nThe words:\n\n{spec.table()}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--port", type=int, default=0, help="where to listen; 0 is any free port")
    made.add_argument("--key", default=DEFAULT_KEY, help=f"the right API key ({DEFAULT_KEY})")
    made.add_argument("--default", default="default", help="the spec for a request without one")
    made.add_argument("--concurrency", type=int, help="refuse more answers at once than this")
    made.add_argument(
        "--rate",
        type=Rate.parse,
        metavar="PER_SECOND[:BURST[:RETRY_AFTER]]",
        help="refuse more answers a second than this; RETRY_AFTER: seconds, date, or a fixed value",
    )
    made.add_argument(
        "--plain", action="store_true", help="only the default answer, made once; for benchmarks"
    )
    made.add_argument("--picture", type=int, default=2, help="pixels of a side of what it draws")
    made.add_argument("--with-parent", action="store_true", help="end when standard input ends")
    return made


async def run(options: argparse.Namespace) -> None:
    """Serve until SIGTERM, or until standard input ends if the options say so."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    if options.with_parent:

        def watch_parent() -> None:
            sys.stdin.read()
            loop.call_soon_threadsafe(stop.set)

        threading.Thread(target=watch_parent, daemon=True).start()
    with contextlib.suppress(NotImplementedError):  # Windows
        loop.add_signal_handler(signal.SIGTERM, stop.set)
    gateway = Gateway(
        key=options.key,
        port=options.port,
        default=options.default,
        concurrency=options.concurrency,
        rate=options.rate,
        plain=options.plain,
    )
    picture = pictures.png(options.picture, options.picture)
    gateway.images.file = Scenario(body=picture, content_type="image/png")
    async with gateway:
        print(gateway.base_url, gateway.control_url, sep="\n", flush=True)
        await stop.wait()


def main(arguments: Sequence[str] | None = None) -> int:
    """Run from the command line; return the exit status."""
    options = parser().parse_args(arguments)
    try:
        asyncio.run(run(options))
    except KeyboardInterrupt:
        return 130
    except (OSError, ValueError) as error:
        print(f"the gateway cannot start: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
