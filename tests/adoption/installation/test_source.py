"""The templates of the checkout, or those that are given; a wrong file is refused before AWS is asked."""

import hashlib
import shutil
from pathlib import Path

import pytest

from pipelines.adoption.installation import source as sources
from pipelines.adoption.installation.source import LARGEST_BODY, LARGEST_TEMPLATE, read_source
from pipelines.delivery.errors import UsageError
from tests.adoption.aws import TEMPLATE


@pytest.fixture
def template(tmp_path: Path) -> Path:
    for name in ("template.yml", "install.yml"):
        shutil.copy(TEMPLATE.parent / name, tmp_path)
    return tmp_path / "template.yml"


def test_without_a_file_they_are_those_of_this_checkout() -> None:
    source = read_source(None)
    assert source.path == TEMPLATE
    assert source.template == TEMPLATE.read_bytes()
    assert source.installer == (TEMPLATE.parent / "install.yml").read_text()
    assert source.digest == hashlib.sha256(TEMPLATE.read_bytes()).hexdigest()
    assert source.digest.startswith(source.version)


def test_a_file_that_is_given_has_its_installer_beside_it(template: Path) -> None:
    (template.parent / "install.yml").write_text("Resources: {}\n")
    assert read_source(template).installer == "Resources: {}\n"


def test_without_a_checkout_a_file_is_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sources, "FOLDER", tmp_path / "site-packages" / "project-template")
    with pytest.raises(UsageError) as caught:
        read_source(None)
    assert str(caught.value) == (
        f"{tmp_path}/site-packages/project-template/template.yml does not exist: this command was installed without "
        "its checkout; give --template FILE, the project-template/template.yml of a checkout"
    )


def refusal(template: Path) -> str:
    with pytest.raises(UsageError) as caught:
        read_source(template)
    return str(caught.value)


def test_what_is_not_there_is_named(template: Path) -> None:
    (template.parent / "install.yml").unlink()
    assert refusal(template).startswith(f"--template: {template.parent}/install.yml does not exist")
    assert refusal(template.parent).startswith(f"--template: {template.parent} does not exist")


def test_another_template_than_a_project_s_is_refused(template: Path) -> None:
    shutil.copy(template.parent / "install.yml", template)
    assert (
        refusal(template) == f"--template {template} is no project template: it has no parameter SageMakerProjectName"
    )


def test_a_file_that_is_no_text_is_refused(template: Path) -> None:
    template.write_bytes(b"\xff\xfe")
    assert refusal(template).startswith(f"--template: {template} is no text in UTF-8: ")


@pytest.mark.parametrize(("name", "limit"), [("template.yml", LARGEST_TEMPLATE), ("install.yml", LARGEST_BODY)])
def test_what_cloudformation_does_not_take_is_refused(template: Path, name: str, limit: int) -> None:
    path = template.parent / name
    path.write_bytes(path.read_bytes().ljust(limit, b"\n"))
    read_source(template)
    path.write_bytes(path.read_bytes() + b"\n")
    assert refusal(template) == f"--template: {path} has {limit + 1} bytes, and CloudFormation takes {limit}"
