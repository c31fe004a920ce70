"""The documentation says what the code does: options, messages, files and links are held to it."""

import ast
import json
import re
import sys
import tomllib
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

import pytest

from pipelines import (
    approve_model,
    deploy_model,
    get_pipeline_definition,
    init_project,
    run_pipeline,
    sagemaker_local,
    teardown_project,
)
from pipelines.delivery.gate import EXIT_CODES, REJECTION
from pipelines.delivery.interrupt import INTERRUPTED
from pipelines.fraud import dataset, drafting
from pipelines.fraud.dataset import SCHEMA
from pipelines.local.cache import KEY_MEMBERS, KEY_MEMBERS_OF_TRAINING_DEFINITION
from pipelines.local.containers.images import RUNTIMES
from pipelines.local.executions.recovery import REASON
from pipelines.local.steps.step_types import STEP_TYPES
from tests.docs.pages import PAGES, PICTURES, REPOSITORY, anchors, blocks, links, quoted, rows, section, tree

COMMANDS: dict[str, Callable[[list[str]], int]] = {
    "approve-model": approve_model.main,
    "deploy-model": deploy_model.main,
    "run-pipeline": run_pipeline.main,
    "get-pipeline-definition": get_pipeline_definition.main,
    "teardown-project": teardown_project.main,
    "init-project": init_project.main,
    "sagemaker-local serve": lambda rest: sagemaker_local.main(["serve", *rest]),
    "sagemaker-local experiments": lambda rest: sagemaker_local.main(["experiments", *rest]),
    "sagemaker-local ui": lambda rest: sagemaker_local.main(["ui", *rest]),
    "python -m pipelines.fraud.dataset": dataset.main,
    "python -m pipelines.fraud.drafting": drafting.main,
}
PLACES = re.compile(r"(?:pipelines|docs|tests|benchmarks|\.ci)/[\w./-]*|[\w./-]+\.(?:toml|ini|cfg)|Makefile")
MACHINE = re.compile(r"(?<![\w.])/(?:home|root|tmp|work|Users|private|var)/")


def options_in(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", text))


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_of_a_command_and_no_other_is_documented(
    command: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Whoever gives no name of its own has that of the process, such as `-c`.
    monkeypatch.setattr(sys, "argv", ["program"])
    with pytest.raises(SystemExit):
        COMMANDS[command](["--help"])
    usage, _, described = capsys.readouterr().out.partition("\n\n")
    documented = {option for row in rows(section("docs/commands.md", command)) for option in options_in(row[0])}
    assert documented == options_in(usage) | options_in(described.partition("options:")[2])


def test_every_installed_command_is_documented() -> None:
    scripts = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]["scripts"]
    assert set(scripts) <= anchors(PAGES["docs/commands.md"])


def test_every_exit_code_is_documented() -> None:
    codes = {row[0] for row in rows(section("docs/commands.md", "run-pipeline")) if row[0].isdecimal()}
    assert codes == {str(code) for code in (*EXIT_CODES.values(), 2, INTERRUPTED)}


def test_the_steps_of_the_example_of_an_outcome_are_those_of_the_pipeline() -> None:
    (text,) = blocks(section("docs/outcome.md", "Example"), "json")
    example = json.loads(text)
    named = [each["name"] for each in example["steps"]] + [each["step"] for each in example["verdict"]["branches"]]
    named += [*example["steps_not_run"], example["reason"].partition(" ")[0]]
    source = (REPOSITORY / "pipelines" / "fraud" / "pipeline.py").read_text()
    assert [name for name in named if f'"{name}"' not in source] == []


def test_the_arguments_of_get_pipeline_and_their_defaults_are_documented() -> None:
    module = ast.parse((REPOSITORY / "pipelines" / "fraud" / "pipeline.py").read_text())
    (function,) = (node for node in module.body if isinstance(node, ast.FunctionDef) and node.name == "get_pipeline")
    documented = [row[0] for row in rows(section("docs/pipeline.md", "Arguments of get_pipeline"))]
    assert sorted(documented) == sorted(f"`{argument.arg}`" for argument in function.args.kwonlyargs)


def test_the_word_for_a_rejection_is_documented() -> None:
    assert f"`{REJECTION}`" in section("docs/pipeline.md", "The two gates")


@pytest.mark.parametrize("table", SCHEMA["tables"])
def test_every_column_and_what_it_may_hold_is_documented(table: str) -> None:
    documented = {row[0].strip("`"): row[1] for row in rows(section("docs/data.md", table))}
    assert list(documented) == [column["name"] for column in SCHEMA["tables"][table]]
    for column in SCHEMA["tables"][table]:
        allowed = [str(column[limit]) for limit in ("minimum", "maximum") if limit in column]
        for value in (*column.get("categories", ()), *column.get("aliases", ()), *allowed):
            assert re.search(rf"(?<![\w/]){re.escape(value)}(?![\w/])", documented[column["name"]]), column["name"]


def test_step_types_and_images_of_this_machine_are_documented() -> None:
    text = section("docs/local.md", "What runs")
    listed = re.findall(r"\w+", text.partition("Step types: ")[2].partition(".")[0])
    assert set(listed) - {"and"} == set(STEP_TYPES)
    assert [row[0] for row in rows(text)] == [f"`{image}`" for image in RUNTIMES]


def test_what_a_cache_key_is_made_of_is_documented() -> None:
    documented = {row[0]: quoted(row[1]) for row in rows(section("docs/local.md", "Caching"))[: len(KEY_MEMBERS)]}
    definitions = {"TrainingJobDefinition", "TrainingJobDefinitions"}
    expected = {kind: list(members) for kind, members in KEY_MEMBERS.items()}
    expected["Tuning"] = [name for name in expected["Tuning"] if name not in definitions]
    assert documented == {**expected, "Tuning": [*expected["Tuning"], *KEY_MEMBERS_OF_TRAINING_DEFINITION]}


def test_the_reason_of_an_execution_whose_process_was_killed_is_quoted() -> None:
    assert blocks(section("docs/local.md", "Stopping and crashes"), "text") == [f"{REASON}\n"]


@pytest.mark.parametrize("page", PAGES)
def test_every_file_and_folder_that_a_page_names_is_there(page: str) -> None:
    named = [name for name in quoted(PAGES[page]) if PLACES.fullmatch(name)]
    assert [name for name in named if not (REPOSITORY / name).exists()] == []


def test_the_folders_that_the_readme_draws_are_there() -> None:
    (drawing,) = blocks(section("README.md", "What is where"), "")
    paths = tree(drawing)
    assert "pipelines/fraud/pipeline.py" in paths
    assert [path for path in paths if not (REPOSITORY / path).exists()] == []


def test_every_room_of_the_local_sagemaker_is_listed() -> None:
    drawing = blocks(section("docs/development.md", "Who may import whom"), "")[1]
    listed = {name for line in drawing.splitlines() for name in re.split(r"  +| \| ", line)}
    there = {path.stem for path in (REPOSITORY / "pipelines" / "local").iterdir() if not path.stem.startswith("__")}
    assert there <= listed


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page: str) -> None:
    for link in links(PAGES[page]):
        target, _, anchor = link.partition("#")
        path = (REPOSITORY / page).parent / target if target else REPOSITORY / page
        assert path.exists(), link
        assert not anchor or anchor in anchors(path.read_text(encoding="utf-8")), link


def test_every_page_can_be_reached_from_the_readme() -> None:
    reached, waiting = set(), ["README.md"]
    while waiting:
        page = waiting.pop()
        reached.add(page)
        found = (((REPOSITORY / page).parent / link.partition("#")[0]).resolve() for link in links(PAGES[page]))
        names = {path.relative_to(REPOSITORY.resolve()).as_posix() for path in found}
        waiting += sorted(name for name in names if name in PAGES and name not in reached)
    assert reached == set(PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_make_has_every_task_that_a_page_names(page: str) -> None:
    tasks = set(re.findall(r"^([a-z]+):", (REPOSITORY / "Makefile").read_text(), re.MULTILINE))
    shell = "\n".join([*blocks(PAGES[page], "sh"), *quoted(PAGES[page])])
    assert set(re.findall(r"^make (?:\w+=\S+ )?([a-z]+)", shell, re.MULTILINE)) <= tasks


def test_nothing_names_a_place_on_the_machine_of_whoever_wrote_it() -> None:
    texts = PAGES | {picture.name: picture.read_text(encoding="utf-8") for picture in PICTURES}
    assert [name for name, text in texts.items() if MACHINE.search(text)] == []


@pytest.mark.parametrize("picture", PICTURES, ids=lambda picture: picture.name)
def test_a_picture_is_whole_and_loads_nothing(picture: Path) -> None:
    text = picture.read_text(encoding="utf-8")
    assert ET.fromstring(text).tag == "{http://www.w3.org/2000/svg}svg"
    # What a terminal has printed is shown, not loaded.
    drawing = re.sub(r"(<text\b[^>]*>)[^<]*", r"\1", text)
    assert set(re.findall(r"https?://[^\"' )]+", drawing)) == {"http://www.w3.org/2000/svg"}
