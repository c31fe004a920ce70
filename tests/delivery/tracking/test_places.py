"""Which store a run is recorded in: the one that is given, the environment's, or the local root's."""

from pathlib import Path

import pytest

from pipelines.delivery.errors import UsageError
from pipelines.delivery.tracking.places import VARIABLE, Tracking, choose_tracking, local_tracking, without_userinfo

SERVER = "arn:aws:sagemaker:us-east-1:123456789012:mlflow-tracking-server/team-1"
APP = "arn:aws-us-gov:sagemaker:us-gov-west-1:123456789012:mlflow-app/app-ABCDEF12"
WEB = "https://mlflow.example:5000/team"
ROOT = Path("/srv/state")


@pytest.mark.parametrize("uri", [SERVER, APP, WEB, "http://127.0.0.1:5000"])
@pytest.mark.parametrize("root", [None, ROOT])
def test_what_is_given_comes_first_then_the_environment(uri: str, root: Path | None) -> None:
    assert choose_tracking(uri, {VARIABLE: "https://other.example"}, root) == Tracking(uri)
    assert choose_tracking(None, {VARIABLE: uri}, root) == Tracking(uri)


@pytest.mark.parametrize("environment", [{}, {VARIABLE: ""}])
def test_a_run_on_this_machine_has_the_store_of_its_root(environment: dict[str, str]) -> None:
    assert choose_tracking(None, environment, ROOT) == local_tracking(ROOT)


def test_the_roots_own_store_may_be_the_environments_as_mlflow_leaves_it_there() -> None:
    uri = local_tracking(ROOT).uri
    assert choose_tracking(None, {VARIABLE: uri}, ROOT) == local_tracking(ROOT)
    with pytest.raises(UsageError, match=f"{VARIABLE} sqlite"):
        choose_tracking(None, {VARIABLE: uri}, Path("/srv/other"))


def test_a_run_in_aws_has_no_store_of_its_own() -> None:
    with pytest.raises(UsageError, match=f"--track needs a URI in AWS: give the ARN .* or set {VARIABLE}"):
        choose_tracking(None, {}, None)


@pytest.mark.parametrize(
    "uri",
    [
        "mlruns",
        "sqlite:///mlflow.db",
        "file:///tmp/mlruns",
        "https://",
        "https://a b",
        "databricks",
        SERVER.replace("mlflow-tracking-server/team-1", "pipeline/p"),
        SERVER.removesuffix("/team-1"),
        SERVER.replace("arn:aws:", "arn:aws-cn:"),
        f"{SERVER}/",
        "http://[::1",
        "http://:5000",
        "http://user@",
        "https://mlflow.example:99999",
        "https://mlflow.example:0",
        "https://mlflow.example:port",
    ],
)
def test_a_place_that_mlflow_or_another_machine_cannot_reach_is_refused(uri: str) -> None:
    with pytest.raises(UsageError, match="is no place for experiments: expected https://"):
        choose_tracking(uri, {}, ROOT)


@pytest.mark.parametrize("uri", ["https://me:secret@host:0", "https://me:sec/ret@[", "me:secret@host", "x://a secret@"])
def test_a_password_is_not_shown_where_it_is_refused(uri: str) -> None:
    with pytest.raises(UsageError, match=r"--track …@(host:0|\[|host|) is no place") as caught:
        choose_tracking(uri, {}, None)
    assert "ret" not in str(caught.value).partition("expected")[0]


def test_a_text_is_shown_without_what_uris_have_before_their_hosts() -> None:
    text = "GET https://me:a:b@c@host/p?x=y@z of http://host/p@q, ssh://me@host and a@b"
    assert without_userinfo(text) == "GET https://host/p?x=y@z of http://host/p@q, ssh://host and a@b"


def test_the_folder_of_a_root_that_is_named_from_here_is_the_same_from_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert local_tracking(Path("state")) == local_tracking(tmp_path / "state")
