"""What the documentation says of project-template is what it does."""

import json
import re
import shlex
from pathlib import Path

import botocore.session
import pytest
import yaml
from botocore.validate import validate_parameters

from pipelines.adoption.doctor.examine import OF_ALL, OF_CODEBUILD, OF_GITHUB
from pipelines.project_template import STACK, main
from tests.docs.pages import REPOSITORY, blocks, quoted, rows, section
from tests.docs.test_docs import options_in

WORKS = ("install", "doctor", "uninstall")


@pytest.mark.parametrize("work", WORKS)
def test_every_option_and_no_other_is_documented(work: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([work, "--help"])
    usage = capsys.readouterr().out
    documented = rows(section("docs/commands.md", f"project-template {work}"))
    assert {option for row in documented for option in options_in(row[0])} == options_in(usage)


def test_every_check_of_the_doctor_is_documented() -> None:
    documented = {
        name.split()[0] for row in rows(section("docs/adopt.md", "What the doctor checks")) for name in quoted(row[0])
    }
    assert {name.split()[0] for name in OF_ALL | OF_CODEBUILD | OF_GITHUB} - {"quotas"} <= documented | {"quota"}


def test_the_project_of_the_example_is_one_that_the_service_and_the_template_take() -> None:
    (command,) = (block for block in blocks(section("docs/adopt.md", "Creating a project"), "sh"))
    words = shlex.split(command)
    assert words[:5] == ["aws", "sagemaker", "create-project", "--project-name", "claims"]
    request = {"ProjectName": words[4], "TemplateProviders": json.loads(words[6])}
    model = botocore.session.Session().get_service_model("sagemaker").operation_model("CreateProject")
    assert model.input_shape
    validate_parameters(request, model.input_shape)
    given = {each["Key"] for each in request["TemplateProviders"][0]["CfnTemplateProvider"]["Parameters"]}
    declared = parameters_of(REPOSITORY / "project-template" / "template.yml")
    given_by_sagemaker = {"SageMakerProjectName", "SageMakerProjectId"}
    assert given <= declared.keys()
    assert {name for name, has_default in declared.items() if not has_default} <= given | given_by_sagemaker


def parameters_of(path: Path) -> dict[str, bool]:
    """The parameters of a template, and whether they have a default."""

    class Loader(yaml.SafeLoader):
        pass

    Loader.add_multi_constructor("!", lambda loader, suffix, node: None)
    document = yaml.load(path.read_text(), Loader)
    return {name: "Default" in parameter for name, parameter in document["Parameters"].items()}


def test_what_is_installed_is_called_as_it_is_said() -> None:
    named = {name for row in rows(section("docs/adopt.md", "What is installed")) for name in quoted(row[0])}
    installer = (REPOSITORY / "project-template" / "install.yml").read_text()
    made = {
        re.sub(
            r"\$\{AWS::(AccountId|Region)\}", lambda found: {"AccountId": "ACCOUNT", "Region": "REGION"}[found[1]], name
        )
        for name in re.findall(r"(?:BucketName|RoleName|ManagedPolicyName): !Sub (\S+)", installer)
    }
    assert made <= named
    assert STACK in named
