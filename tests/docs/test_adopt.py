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
from pipelines.adoption.installation.installer import BOUNDARY, OIDC_PROVIDER, STACK
from pipelines.adoption.installation.instructions import ASKED
from pipelines.project_template import main
from tests.adoption.aws import CONNECTION, MotoAws, moto_aws
from tests.adoption.installed import changed
from tests.docs.pages import REPOSITORY, blocks, quoted, rows, section
from tests.docs.test_docs import options_in

# What is called otherwise by IAM than by the API, and what nobody has to be allowed.
ACTIONS = {
    "s3:DeleteObjects": ("s3:DeleteObjectVersion",),
    "s3:GetBucketCors": ("s3:GetBucketCORS",),
    "s3:HeadBucket": ("s3:ListBucket",),
    # Of an object that is missing, S3 says so only to those who may list.
    "s3:HeadObject": ("s3:GetObject", "s3:ListBucket"),
    "s3:ListObjectVersions": ("s3:ListBucketVersions",),
    "s3:PutObject": ("s3:PutObject", "s3:PutObjectTagging"),
}
FREE = {"sts:GetCallerIdentity"}
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
    assert given == {*ASKED, BOUNDARY, OIDC_PROVIDER}
    assert given <= declared.keys()
    assert {name for name, has_default in declared.items() if not has_default} <= given | given_by_sagemaker


def test_what_each_command_has_to_be_allowed_is_documented(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    documented = {
        row[0].strip("`"): set(quoted(row[1])) for row in rows(section("docs/adopt.md", "What it has to be allowed"))
    }
    asked = {}
    with moto_aws(monkeypatch) as aws:
        aws.add_domain()
        for work, lines in worked_through(aws, tmp_path).items():
            aws.actions.clear()
            for line in lines:
                main([work, *line])
            seen = set(aws.actions)
            if work == "install":
                aws.finish()
            asked[work] = {action for each in seen for action in ACTIONS.get(each, (each,))} - FREE
    said = {work: {name for name in names if ":" in name} for work, names in documented.items()}
    # Asked for only when a stack fails.
    assert asked == {work: names - {"cloudformation:DescribeStackEvents"} for work, names in said.items()}


def worked_through(aws: MotoAws, folder: Path) -> dict[str, list[list[str]]]:
    """What is typed for each command, so that it asks for all that it may."""
    aws.connections[CONNECTION] = "AVAILABLE"
    aws.quotas.popitem()
    aws.projects = {"theirs": {}}
    source = changed(folder, template="# later\n").path
    catalog = ["--service-catalog", "--yes"]
    return {
        "install": [["--yes"], catalog, [*catalog, "--template", str(source)]],
        "doctor": [[], ["--provider", "codebuild"], ["--provider", "codebuild", "--connection-arn", CONNECTION]],
        "uninstall": [["--yes"]],
    }


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
