"""HTML and SVG from Python: elements whose text is escaped, so that only what is made here is markup."""

from html import escape


class Markup(str):
    """Text that is markup already, for template engines too."""

    __slots__ = ()

    def __html__(self) -> str:
        return self


def tag(name: str, /, *children: object, **attributes: object) -> Markup:
    """Return an element; `_` in an attribute's name stands for `-`, at its end for nothing, none leaves it out."""
    written = "".join(
        f' {key if key == "viewBox" else key.rstrip("_").replace("_", "-")}="{escape(_text(value))}"'
        for key, value in attributes.items()
        if value is not None
    )
    content = join(*children)
    return Markup(f"<{name}{written}>{content}</{name}>" if content or name not in _VOID else f"<{name}{written}>")


def join(*children: object) -> Markup:
    """Return children one after the other: markup as it is, other text escaped, none not at all."""
    return Markup(
        "".join(child if isinstance(child, Markup) else escape(_text(child)) for child in children if child is not None)
    )


_VOID = frozenset({"br", "meta", "link"})


def _text(value: object) -> str:
    # Coordinates need no more than a tenth.
    text = f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() or letter == "\n" else " " for letter in text)
