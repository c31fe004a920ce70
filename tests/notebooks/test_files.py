"""The notebooks as they are committed: without outputs and traces of a machine, short, linked, alike in languages."""

import re
from pathlib import Path

import nbformat
import pytest

from tests.docs.pages import anchors, links
from tests.notebooks.files import ENGLISH, EVERY, FOLDER, cells, korean, read

NAMES = [
    "0.0.Setup-Environment.ipynb",
    "1.1.Prepare-Dataset.ipynb",
    "2.1.Train-Exp-Pipeline.ipynb",
    "3.1.HPO-Pipeline.ipynb",
    "4.1.Eval-Pipeline.ipynb",
    "5.1.All-Pipeline.ipynb",
    "6.1.Deploy-Inference.ipynb",
]
KERNEL = {"display_name": "Python 3", "language": "python", "name": "python3"}
MOST_CODE_CELLS = 18
# Where a user's files are, on the systems that people have.
MACHINE_PATHS = re.compile(r"/(?:home|root|Users|tmp|work|mnt|opt/conda)/|[A-Z]:\\\\")


def test_the_workshop_has_its_modules() -> None:
    assert ENGLISH == NAMES


@pytest.mark.parametrize("name", EVERY)
def test_a_notebook_is_committed_without_outputs_and_traces_of_a_machine(name: str) -> None:
    document = read(name)
    nbformat.validate(document)
    assert document["metadata"] == {"kernelspec": KERNEL, "language_info": {"name": "python"}}
    for cell in document["cells"]:
        assert cell["metadata"] == {}
        assert cell.get("outputs", []) == []
        assert cell.get("execution_count") is None
    assert MACHINE_PATHS.findall((FOLDER / name).read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("name", EVERY)
def test_a_cell_keeps_its_name(name: str) -> None:
    ids = [cell["id"] for cell in read(name)["cells"]]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch(r"[a-z][a-z0-9-]*", each) for each in ids)


@pytest.mark.parametrize("name", ENGLISH)
def test_a_notebook_says_what_it_is_about_how_long_it_takes_and_what_to_read_next(name: str) -> None:
    first, *_, last = cells(name, "markdown")
    assert first.startswith(f"# {name[:3]} ")
    assert "*Time: " in first
    assert "## What you saw" in last
    assert "**Read next:**" in last
    assert len(cells(name, "code")) <= MOST_CODE_CELLS


@pytest.mark.parametrize("name", EVERY)
def test_links_lead_somewhere(name: str) -> None:
    for link in (link for text in cells(name, "markdown") for link in links(text)):
        if link.startswith("https://"):
            continue
        path, _, anchor = link.partition("#")
        target = FOLDER / path if path else FOLDER / name
        assert target.is_file(), link
        assert not anchor or anchor in anchors(_prose(target)), link


@pytest.mark.parametrize("name", ENGLISH)
def test_the_korean_edition_has_the_same_code_and_all_text_in_korean(name: str) -> None:
    english, edition = read(name)["cells"], read(korean(name))["cells"]
    assert [(cell["id"], cell["cell_type"]) for cell in edition] == [
        (cell["id"], cell["cell_type"]) for cell in english
    ]
    assert cells(korean(name), "code") == cells(name, "code")
    assert [text for text in cells(korean(name), "markdown") if not re.search(r"[가-힣]", text)] == []


@pytest.mark.parametrize("name", ENGLISH)
def test_a_reader_stays_in_a_language_and_can_change_it(name: str) -> None:
    to_korean, *others = _notebooks_linked(name)
    to_english, *korean_others = _notebooks_linked(korean(name))
    assert (to_korean, to_english) == (korean(name), name)
    assert korean_others == [korean(other) for other in others]


def _prose(path: Path) -> str:
    if path.suffix == ".ipynb":
        return "\n\n".join(cells(path.name, "markdown"))
    return path.read_text(encoding="utf-8")


def _notebooks_linked(name: str) -> list[str]:
    return [link for text in cells(name, "markdown") for link in links(text) if link.endswith(".ipynb")]
