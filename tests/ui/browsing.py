"""A client of the page without a browser: what it is sent, byte by byte, and what stands in the answer."""

import http.client
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode, urlsplit

LIMIT_SECONDS = 30
# They have no end tag, so they are around nothing.
VOID = frozenset({"br", "hr", "input", "link", "meta"})
FORM = "application/x-www-form-urlencoded"


@dataclass
class Answer:
    """An answer of the server; what is in its page is read when it is asked for."""

    status: int
    headers: Mapping[str, str]
    text: str
    page: "Content" = field(init=False)

    def __post_init__(self) -> None:
        self.page = Content()
        self.page.feed(self.text)

    @property
    def words(self) -> str:
        """What the page says, in one line."""
        return " ".join("".join(self.page.said).split())

    @property
    def is_live(self) -> bool:
        """Whether it comes again by itself, for browsers without scripts too."""
        return self.page.pause < 1_000 and "http-equiv" in self.text

    def section(self, name: str) -> str:
        """What a part of the page says, by its id."""
        return " ".join("".join(self.page.parts[name]).split())


class Content(HTMLParser):
    """The words, links and parts of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []
        self.links: dict[str, str] = {}
        self.parts: dict[str, list[str]] = {}
        self.pause = 0
        self._inside: list[tuple[str, str | None, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        if tag == "body":
            self.pause = int(found.get("data-pause") or 0)
        if name := found.get("id"):
            self.parts[name] = []
        if link := found.get("href"):
            self.links.setdefault(link, "")
        if tag not in VOID:
            self._inside.append((tag, found.get("id"), found.get("href")))
        # Words of different elements are apart, as they are on a screen.
        self._say(" ")

    def handle_endtag(self, tag: str) -> None:
        while self._inside and self._inside.pop()[0] != tag:
            pass
        self._say(" ")

    def handle_data(self, data: str) -> None:
        if not any(tag in {"script", "style", "head"} for tag, _, _ in self._inside):
            self._say(data)

    def _say(self, words: str) -> None:
        self.said.append(words)
        for _, name, link in self._inside:
            if name:
                self.parts[name].append(words)
            if link:
                self.links[link] += words


class Client:
    """Asks one server, each time on a connection of its own."""

    def __init__(self, url: str) -> None:
        self.host = urlsplit(url).netloc

    def get(self, path: str, **headers: str) -> Answer:
        """Ask for a page; `_` in a header's name stands for `-`."""
        return self.ask("GET", path, headers=headers)

    def post(self, path: str, fields: Mapping[str, str], **headers: str) -> Answer:
        """Send a form."""
        return self.ask("POST", path, urlencode(fields).encode(), {"Content_Type": FORM, **headers})

    def ask(
        self, method: str, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send a request."""
        connection = http.client.HTTPConnection(self.host, timeout=LIMIT_SECONDS)
        try:
            named = {name.replace("_", "-"): value for name, value in (headers or {}).items()}
            connection.request(method, path, body, named)
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return Answer(answer.status, found, answer.read().decode())
        finally:
            connection.close()
