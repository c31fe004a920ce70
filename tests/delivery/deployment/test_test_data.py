"""Rows that suit no model: the package's own are its fault, those of --test-data are nobody's."""

from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.delivery.deployment.order import Order
from pipelines.delivery.errors import DeliveryError
from tests.delivery.deployment.fake_endpoints import Model
from tests.delivery.deployment.scenes import ROWS, STAGING, Scene

STRICT = Model(refuses="amount is missing")


@pytest.fixture
def scene() -> Scene:
    """Version 1 serves; 2 refuses all rows with 400."""
    scene = Scene()
    scene.deploy(STAGING, "1")
    scene.aws.endpoints.models[2] = STRICT
    scene.forget()
    return scene


@pytest.fixture
def with_rows(tmp_path: Path) -> Order:
    (tmp_path / "rows.csv").write_text(ROWS)
    return replace(STAGING, test_data=str(tmp_path / "rows.csv"))


def test_a_version_that_refuses_the_rows_of_its_package_is_taken_back(scene: Scene) -> None:
    result = scene.deploy(STAGING, "2")
    assert (result.outcome, scene.serving(STAGING), scene.stage(2)) == ("rolled_back", 1, ("staging", "RolledBack"))
    assert "fraud/2 did not pass: answers: the model answered text/csv with 400: amount is missing" in result.reason


def test_a_version_that_refuses_other_rows_is_not_judged_by_them(scene: Scene, with_rows: Order) -> None:
    result = scene.deploy(with_rows, "2")
    assert (result.outcome, result.exit_code, scene.serving(STAGING)) == ("rolled_back", 1, 1)
    assert result.reason.startswith(
        f"fraud/2 was not judged: the rows of --test-data {with_rows.test_data} do not suit it: "
        "the model answered text/csv with 400: amount is missing; "
    )
    assert scene.stage(2) is None
    scene.aws.endpoints.models[2] = Model()
    assert scene.deploy(STAGING, "2").outcome == "deployed"


def test_a_first_version_that_refuses_other_rows_leaves_no_endpoint(with_rows: Order) -> None:
    scene = Scene()
    scene.aws.endpoints.models[2] = STRICT
    result = scene.deploy(with_rows, "2")
    assert (result.outcome, scene.serving(STAGING), scene.stage(2)) == ("removed", None, None)


def test_what_serves_again_is_called_untested_where_the_rows_suit_it_neither(scene: Scene, with_rows: Order) -> None:
    scene.aws.endpoints.models[1] = STRICT
    result = scene.deploy(with_rows, "2")
    assert (result.outcome, scene.serving(STAGING)) == ("rolled_back", 1)
    assert result.reason.endswith("(fraud/1) serves again, untested")


def test_a_version_that_passed_before_stays_where_it_refuses_other_rows(scene: Scene, with_rows: Order) -> None:
    scene.aws.endpoints.models[1] = STRICT
    result = scene.deploy(with_rows, "1")
    assert (result.outcome, scene.serving(STAGING), scene.stage(1)) == ("failed", 1, ("staging", "Deployed"))
    assert "fraud/1 was not judged: " in result.reason
    assert scene.aws.changing() == []


def test_a_version_that_breaks_on_other_rows_is_judged(scene: Scene, with_rows: Order) -> None:
    scene.aws.endpoints.models[2] = Model(raises="division by zero")
    assert scene.deploy(with_rows, "2").reason.startswith("fraud/2 did not pass: ")
    assert scene.stage(2) == ("staging", "RolledBack")


@pytest.mark.parametrize(
    "place", ["{folder}/secret.csv", "file://{folder}/secret.csv", "s3://", "s3://bucket/", "s3:x"]
)
def test_a_package_can_name_no_file_of_this_machine_as_its_rows(tmp_path: Path, place: str) -> None:
    scene = Scene()
    (tmp_path / "secret.csv").write_text(ROWS)
    scene.add(3, LabelledRows=place.format(folder=tmp_path))
    with pytest.raises(
        DeliveryError, match=r"fraud/3 names its labelled rows .* which is no object in S3: give --test"
    ):
        scene.deploy(STAGING, "3")
    assert scene.aws.changing() == []
    assert scene.aws.sent("GetObject") == []


@pytest.mark.parametrize("auc", ["2", "-0.1", "1.0001"])
def test_a_roc_auc_that_is_none_is_refused(auc: str) -> None:
    scene = Scene()
    scene.add(3, RocAuc=auc)
    with pytest.raises(DeliveryError, match=rf"fraud/3 says {auc}, which is no number from 0 to 1, for its ROC AUC"):
        scene.deploy(STAGING, "3")
    assert scene.aws.changing() == []
