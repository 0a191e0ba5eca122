"""Install the system packages that the tests need: a browser, a Chinese font, Node.js.

``python -m tests.install`` installs only what is missing: on Debian as packages, on other systems the
browser of Playwright.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

BROWSERS = ("chromium", "chromium-browser", "google-chrome")


def browser_path() -> str | None:
    """Return the path of the browser for the tests: ``CBAI_CHROMIUM`` or a browser of the system."""
    return os.environ.get("CBAI_CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)


def _packages() -> list[str]:
    """Return the names of the missing Debian packages."""
    packages = []
    if browser_path() is None:
        packages.append("chromium")
    if not any(Path("/usr/share/fonts").rglob("*CJK*")):
        packages.append("fonts-noto-cjk")
    if shutil.which("node") is None or shutil.which("npm") is None:
        packages += ["nodejs", "npm"]
    return packages


def _run(*command: str) -> None:
    print("+", *command, flush=True)
    subprocess.run(command, check=True)


def _apt_get() -> tuple[str, ...] | None:
    """Return the command for apt-get; None without apt-get or without the rights to use it."""
    if shutil.which("apt-get") is None or not Path("/etc/debian_version").exists():
        return None
    quiet = ("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q", "-y")
    if os.geteuid() == 0:
        return quiet
    return ("sudo", *quiet) if shutil.which("sudo") else None


def main() -> None:
    """Install the missing packages."""
    packages = _packages()
    apt_get = _apt_get()
    if packages and apt_get:
        _run(*apt_get, "update")
        _run(*apt_get, "install", "--no-install-recommends", *packages)
    if browser_path() is None:
        _run(sys.executable, "-m", "playwright", "install", "chromium")


if __name__ == "__main__":
    main()
