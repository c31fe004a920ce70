"""deploy-model as a person types it: its mistakes in one line, and what it makes of its flags."""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from pipelines import command_line
from pipelines.command_line import typed_name
from pipelines.delivery.run import Site
from pipelines.deploy_model import main
from pipelines.fraud import settings
from tests.delivery.deployment.fake_aws import ARN, GROUP, ROLE
from tests.delivery.deployment.fake_endpoints import Model
from tests.delivery.deployment.scenes import BROKEN, Scene

IN_AWS = ("--group", GROUP, "--role-arn", ROLE)
STAGING, PRODUCTION = ("--stage", "staging"), ("--stage", "production")


@dataclass(frozen=True)
class Done:
    code: int
    output: str
    error: str


Call = Callable[..., Done]


@pytest.fixture
def scene() -> Scene:
    return Scene()


@pytest.fixture
def call(scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Call:
    """Type a command; where AWS would be asked, the fake account answers."""
    real = command_line.open_site

    def open_site(options: object, **_: object) -> AbstractContextManager[Site]:
        @contextmanager
        def opened() -> Iterator[Site]:
            yield Site(scene.aws.session, 0.001, stops_on_interrupt=False)

        # Its own refusals of flags are wanted, too.
        return real(options) if getattr(options, "local", False) else opened()  # type: ignore[arg-type]

    def type_command(*arguments: str) -> Done:
        code = main(arguments)
        said = capsys.readouterr()
        return Done(code, said.out, said.err)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(command_line, "open_site", open_site)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    return type_command


MISTAKES = [
    ((), "the following arguments are required: --stage"),
    (("--stage", "test"), "argument --stage: invalid choice: 'test'"),
    ((*STAGING, "--group", GROUP), "--role-arn is needed in AWS: the ARN of the role that the endpoint runs with"),
    ((*STAGING, "--group", "a_b"), "argument --group: 'a_b' is no model package group"),
    ((*STAGING, *IN_AWS, "--model-package="), "argument --model-package: the value is empty"),
    ((*STAGING, *IN_AWS, "--model-package", "x; rm -rf /"), "'x; rm -rf /' is no model package"),
    ((*STAGING, *IN_AWS, "--model-package", f"{ARN}:model-package/other/1"), "is of group other"),
    ((*STAGING, *IN_AWS, "-n", "x"), "--group names the group itself: leave out --module-name"),
    ((*STAGING, "--role-arn", ROLE, "-n", "no_such"), "the model package group of no_such is not known"),
    ((*STAGING, "--group", GROUP, "--role-arn", "me"), "--role-arn me is no role's ARN"),
    ((*STAGING, *IN_AWS, "--endpoint-name", "a_b"), "'a_b' is no endpoint's name"),
    ((*STAGING, *IN_AWS, "--bake", "5"), "--bake is for --stage production"),
    ((*STAGING, *IN_AWS, "--capture-percent", "0"), "--capture-percent is for --stage production"),
    ((*STAGING, *IN_AWS, "--require-stage-approval"), "--require-stage-approval is for --stage production"),
    ((*PRODUCTION, *IN_AWS, "--canary-percent", "51"), "expected a whole number from 1 to 50, not '51'"),
    ((*PRODUCTION, *IN_AWS, "--canary-percent", "20"), "--canary-percent 20 of 2 instances is less than one: give 50"),
    ((*PRODUCTION, *IN_AWS, "--instance-count", "1"), "--instance-count 1 leaves no room for a canary"),
    ((*PRODUCTION, *IN_AWS, "--bake", "3601"), "expected a whole number from 0 to 3600, not '3601'"),
    ((*PRODUCTION, *IN_AWS, "--capture-uri", "bucket"), "'bucket' is no S3 URI: expected s3://bucket/prefix"),
    ((*PRODUCTION, *IN_AWS, "--capture-percent", "0", "--capture-uri", "s3://b-b/x"), "leave out --capture-uri"),
    ((*PRODUCTION, *IN_AWS, "--kms-key", "a key"), "'a key' is no KMS key"),
    ((*PRODUCTION, *IN_AWS, "--max-latency", "nan"), "expected a number of milliseconds above 0, not 'nan'"),
    ((*PRODUCTION, *IN_AWS, "--auc-tolerance", "2"), "expected a difference of ROC AUC from 0 to 1, not '2'"),
    ((*PRODUCTION, *IN_AWS, "--timeout", "0"), "expected a number of minutes above 0, not '0'"),
    ((*PRODUCTION, *IN_AWS, "--test-data", "missing.csv"), "--test-data missing.csv is no file"),
    ((*STAGING, *IN_AWS, "--test-data", "s3://"), "argument --test-data: 's3://' is no object in S3: expected s3://bu"),
    ((*STAGING, *IN_AWS, "--test-data", "s3://bucket/"), "argument --test-data: 's3://bucket/' is no object in S3"),
    (
        (*STAGING, *IN_AWS, "--instance-type", "foo"),
        "argument --instance-type: 'foo' is no instance type: expected one",
    ),
    ((*STAGING, *IN_AWS, "--tags", '[{"Key":"deploy-model:endpoint","Value":"x"}]'), "the key 'deploy-model:endpoint'"),
    ((*STAGING, *IN_AWS, "--tags", '[{"Key":"AWS:x","Value":"x"}]'), "the key 'AWS:x' is reserved: leave out keys"),
    ((*PRODUCTION, *IN_AWS, "--json", "missing/x.json"), "--json missing/x.json: name a file in a folder that exists"),
    ((*PRODUCTION, "--rollback", "--teardown"), "argument --teardown: not allowed with argument --rollback"),
    ((*PRODUCTION, "--rollback", "--model-package", "1"), "--rollback finds its version itself"),
    ((*PRODUCTION, "--teardown", "--model-package", "1"), "--teardown needs no version"),
    ((*PRODUCTION, "--teardown", "--role-arn", ROLE), "--teardown deploys nothing: leave out --role-arn"),
    ((*PRODUCTION, *IN_AWS, "--local-root", "x"), "--local-root is for --local: give both or none"),
    ((*PRODUCTION, "--local"), ".sagemaker-local does not exist: run run-pipeline --local here first"),
    ((*PRODUCTION, "--local", "--kms-key", "x"), "--kms-key is for AWS: leave it out with --local"),
    ((*PRODUCTION, "--local", "--capture-percent", "5"), "--capture-percent is for AWS: leave it out with --local"),
]


@pytest.mark.parametrize(("arguments", "message"), MISTAKES, ids=lambda value: str(value)[-50:])
def test_a_mistake_is_told_in_one_line_and_changes_nothing(
    call: Call, scene: Scene, tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    done = call(*arguments)
    (line,) = done.error.splitlines()
    assert (done.code, done.output) == (2, "")
    assert message in line
    assert scene.aws.changing() == []
    assert list(tmp_path.iterdir()) == []


def test_the_flags_reach_what_is_made(call: Call, scene: Scene) -> None:
    flags = ("--instance-type", "ml.m5.2xlarge", "--instance-count", "4", "--canary-percent", "25", "--bake", "60")
    more = ("--capture-percent", "5", "--capture-uri", "s3://other/x", "--kms-key", "alias/key", "--max-latency", "250")
    assert call(*PRODUCTION, *IN_AWS, *flags, *more, "--model-package", "1").code == 0
    assert call(*PRODUCTION, *IN_AWS, *flags, *more, "--model-package", "v2").code == 0
    config = list(scene.aws.configs.values())[-1]
    variant, capture = config["ProductionVariants"][0], config["DataCaptureConfig"]
    assert (variant["InstanceType"], variant["InitialInstanceCount"]) == ("ml.m5.2xlarge", 4)
    assert (capture["InitialSamplingPercentage"], capture["DestinationS3Uri"]) == (5, "s3://other/x")
    assert (config["KmsKeyId"], capture["KmsKeyId"]) == ("alias/key", "alias/key")
    (update,) = scene.aws.sent("UpdateEndpoint")
    routing = update["DeploymentConfig"]["BlueGreenUpdatePolicy"]["TrafficRoutingConfiguration"]
    assert (routing["CanarySize"]["Value"], routing["WaitIntervalInSeconds"]) == (25, 60)
    assert scene.aws.alarms["fraud-production-latency"]["Threshold"] == 250_000


@pytest.fixture
def ours(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Settings of a pipeline of one's own, which name the group and nothing else."""
    found = ModuleType("ours.settings")
    monkeypatch.setattr(found, "MODEL_PACKAGE_GROUP_NAME", GROUP, raising=False)
    monkeypatch.setitem(sys.modules, "ours", ModuleType("ours"))
    monkeypatch.setitem(sys.modules, "ours.settings", found)
    return found


@pytest.mark.parametrize("named", [("--group", GROUP), ("-n", "ours.pipeline")], ids=["group", "module"])
def test_a_model_is_in_the_vpc_of_the_settings_whoever_names_the_group(
    call: Call, scene: Scene, monkeypatch: pytest.MonkeyPatch, ours: ModuleType, named: tuple[str, str]
) -> None:
    for each in (ours, settings):
        monkeypatch.setattr(each, "SUBNETS", ["subnet-0a", "subnet-0b"], raising=False)
        monkeypatch.setattr(each, "SECURITY_GROUPS", ["sg-0a"], raising=False)
    assert call(*STAGING, *named, "--role-arn", ROLE).code == 0
    (made,) = scene.aws.sent("CreateModel")
    assert made["VpcConfig"] == {"Subnets": ["subnet-0a", "subnet-0b"], "SecurityGroupIds": ["sg-0a"]}


@pytest.mark.usefixtures("ours")
def test_settings_that_know_of_no_vpc_put_a_model_into_none(call: Call, scene: Scene) -> None:
    assert call(*STAGING, "-n", "ours.pipeline", "--role-arn", ROLE).code == 0
    (made,) = scene.aws.sent("CreateModel")
    assert "VpcConfig" not in made


def test_without_flags_production_has_the_defaults_that_are_documented(call: Call, scene: Scene) -> None:
    call(*PRODUCTION, *IN_AWS)
    ((name, config),) = scene.aws.configs.items()
    assert name.startswith("fraud-production-v2-")
    assert config["ProductionVariants"][0]["InitialInstanceCount"] == 2
    assert config["DataCaptureConfig"]["InitialSamplingPercentage"] == 20
    assert set(scene.aws.endpoints.there) == {"fraud-production"}


def test_no_capture_and_another_name_are_possible(call: Call, scene: Scene) -> None:
    call(*PRODUCTION, *IN_AWS, "--capture-percent", "0", "--endpoint-name", "claims")
    (config,) = scene.aws.configs.values()
    assert "DataCaptureConfig" not in config
    assert (set(scene.aws.endpoints.there), set(scene.aws.alarms)) == ({"claims"}, {"claims-errors", "claims-latency"})


def test_deploying_rolling_back_and_tearing_down_end_with_0(call: Call, scene: Scene) -> None:
    for version in "12":
        assert call(*STAGING, *IN_AWS, "--model-package", version).code == 0
    back = call(*STAGING, "--group", GROUP, "--rollback")
    assert (back.code, scene.serving_of("fraud-staging")) == (0, 1)
    assert "\nRETURNED: fraud/1 serves at endpoint fraud-staging and passed its test" in back.output
    gone = call(*STAGING, "--group", GROUP, "--teardown")
    assert (gone.code, scene.aws.endpoints.there) == (0, {})
    assert "TORN DOWN: endpoint fraud-staging: removed 5 resources" in gone.output


def test_a_version_that_fails_ends_with_1_and_an_outcome(call: Call, scene: Scene, tmp_path: Path) -> None:
    call(*STAGING, *IN_AWS, "--model-package", "1")
    scene.add(3, BROKEN)
    (tmp_path / "outcome.json").write_text("earlier")
    done = call(*STAGING, *IN_AWS, "--model-package", "3", "--json", "outcome.json")
    assert (done.code, done.error, scene.serving_of("fraud-staging")) == (1, "", 1)
    assert "\nROLLED BACK: fraud/3 did not pass: answers: the model answered text/csv with 500" in done.output
    assert json.loads((tmp_path / "outcome.json").read_text())["outcome"] == "rolled_back"


def test_where_there_is_no_outcome_an_earlier_one_is_gone(call: Call, scene: Scene, tmp_path: Path) -> None:
    (tmp_path / "outcome.json").write_text("earlier")
    scene.aws.packages[2]["ModelApprovalStatus"] = "Rejected"
    done = call(*STAGING, *IN_AWS, "--model-package", "2", "--json", "outcome.json")
    assert done.code == 1
    assert done.error.startswith("deploy-model: error: model package fraud/2 is Rejected, not Approved")
    assert list(tmp_path.iterdir()) == []


def test_ci_shows_every_end(call: Call, scene: Scene, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "summary.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(page))
    scene.add(3, Model(trips=True))
    for version in ("1", "3", "9"):
        call(*PRODUCTION, *IN_AWS, "--model-package", version)
    headings = [line for line in page.read_text().splitlines() if line.startswith("## ")]
    assert headings == ["## production: deployed", "## production: rolled back", "## production: failed"]
    assert "fraud has no version 9" in page.read_text()


def test_time_that_is_over_says_the_command_that_goes_on(
    call: Call, scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.argv", ["deploy-model", *STAGING, "--note", "a b"])
    done = call(*STAGING, *IN_AWS, "--model-package", "1", "--timeout", "1e-9")
    assert done.code == 1
    assert done.error.startswith("deploy-model: error: followed fraud-staging for 1e-09 minutes, and it goes on; the")
    typed = typed_name("deploy-model")
    assert done.error.endswith(f"{typed} --stage staging --note 'a b'\n")
    assert call(*STAGING, *IN_AWS, "--model-package", "1").code == 0
