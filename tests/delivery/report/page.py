"""An HTML page as a test reads it."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

_VOID = {"meta", "br", "link"}


@dataclass
class Element:
    """An element with its own text and its children."""

    name: str
    attributes: dict[str, str | None]
    children: list["Element"] = field(default_factory=list)
    text: str = ""

    def all(self, name: str | None = None) -> list["Element"]:
        found = [self] if name in {None, self.name} else []
        return found + [each for child in self.children for each in child.all(name)]

    @property
    def words(self) -> str:
        return " ".join([self.text, *(child.words for child in self.children)])


class Page(HTMLParser):
    """Parses strictly: what is not closed as it was opened is a mistake."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.root = Element("document", {})
        self._open = [self.root]
        self.feed(text)
        self.close()
        assert self._open == [self.root], [each.name for each in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, dict(attrs))
        assert len(element.attributes) == len(attrs), f"<{tag}> has an attribute twice"
        self._open[-1].children.append(element)
        if tag not in _VOID:
            self._open.append(element)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop().name == tag, tag

    def handle_data(self, data: str) -> None:
        self._open[-1].text += data
