"""Windows of a browser in which nothing may go wrong unseen."""

import re
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request

PHONE = 360
DESKTOP = 1200
# What a browser says of each answer with an error, which is what some tests are about, and of a server that has ended.
TOLD_BY_THE_PAGE = re.compile(
    r"Failed to load resource: (the server responded with a status of \d+|net::ERR_CONNECTION_REFUSED)"
)


class Windows:
    """Opens windows of one browser, each with a memory of its own."""

    def __init__(self, browser: Browser) -> None:
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self.problems: list[str] = []
        self.requests: list[str] = []

    def open(self, *, width: int = DESKTOP, dark: bool = False, script: bool = True, calm: bool = False) -> Page:
        """Return a new window: of a phone's width, with dark colours, without scripts, or with little motion."""
        context = self._browser.new_context(
            viewport={"width": width, "height": 800},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce" if calm else "no-preference",
            java_script_enabled=script,
        )
        context.set_default_timeout(20_000)
        self._contexts.append(context)
        context.on("request", self._note_request)
        context.on("console", self._note_console)
        context.on("weberror", lambda error: self.problems.append(str(error.error)))
        return context.new_page()

    def must_say(self, words: str) -> None:
        """Hold that the browser has complained, and of nothing but what is said so: a regular expression."""
        assert self.problems
        assert all(re.search(words, each) for each in self.problems), self.problems
        self.problems.clear()

    def close(self) -> None:
        """Close all windows, and hold that none of them complained or asked another machine."""
        for context in self._contexts:
            context.close()
        assert not self.problems, self.problems
        assert {urlsplit(url).hostname for url in self.requests} <= {"127.0.0.1"}, self.requests

    def _note_request(self, request: Request) -> None:
        if urlsplit(request.url).scheme in {"http", "https", "ws", "wss"}:
            self.requests.append(request.url)

    def _note_console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not TOLD_BY_THE_PAGE.match(message.text):
            self.problems.append(message.text)
