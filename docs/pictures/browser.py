"""The browser of this machine, without a window."""

import os
import shutil
from pathlib import Path

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge")
APPLICATIONS = (
    Path("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"),
    Path("/Applications/Chromium.app/Contents/MacOS/Chromium"),
)
# A browser on its own asks for updates and the like.
_QUIET = (
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    "--no-first-run",
)


def find_browser() -> Path | None:
    """Return the program of a browser."""
    found = (shutil.which(name) for name in PROGRAMS)
    return next((Path(place) for place in (*found, *APPLICATIONS) if place and Path(place).exists()), None)


def browser_arguments() -> list[str]:
    """Return the arguments that keep a browser quiet."""
    # The sandbox of Chromium refuses to work for root.
    return [*_QUIET, *(["--no-sandbox"] if os.geteuid() == 0 else [])]
