"""A package whose endpoint could not be judged is refused before anything is made."""

from dataclasses import replace

import pytest

from pipelines.delivery.deployment.endpoint_test import SINGLE_ROWS
from pipelines.delivery.deployment.report import percentiles
from pipelines.delivery.errors import DeliveryError
from tests.delivery.deployment.scenes import STAGING, Scene


@pytest.fixture
def scene() -> Scene:
    return Scene()


def test_a_package_that_takes_neither_csv_nor_json_is_refused(scene: Scene) -> None:
    specification = scene.aws.packages[1]["InferenceSpecification"]
    specification["SupportedContentTypes"] = ["image/png"]
    with pytest.raises(DeliveryError, match="fraud/1 takes image/png: an endpoint is tested with text/csv or"):
        scene.deploy(STAGING, "1")
    assert scene.aws.changing() == []


def test_a_package_of_csv_alone_is_tested_with_that(scene: Scene) -> None:
    specification = scene.aws.packages[1]["InferenceSpecification"]
    specification["SupportedResponseMIMETypes"] = ["text/csv"]
    result = scene.deploy(STAGING, "1")
    assert result.test
    assert [check.name for check in result.test.checks] == ["answers", "latency", "ROC AUC"]
    assert {request["ContentType"] for request in scene.aws.sent("InvokeEndpoint")} == {"text/csv"}


def test_a_package_that_does_not_say_its_auc_is_refused_unless_nothing_is_to_be_compared(scene: Scene) -> None:
    del scene.aws.packages[1]["CustomerMetadataProperties"]["RocAuc"]
    with pytest.raises(DeliveryError, match=r"fraud/1 does not say its ROC AUC .* --auc-tolerance 1"):
        scene.deploy(STAGING, "1")
    assert scene.aws.changing() == []
    order = replace(STAGING, limits=replace(STAGING.limits, auc_tolerance=1.0))
    result = scene.deploy(order, "1")
    assert result.test
    assert result.test.checks[-1].detail.endswith("none is registered to compare it with")


def test_at_most_so_many_single_rows_are_measured(scene: Scene) -> None:
    header, *lines = scene.aws.objects["s3://artifacts/runs/labelled.csv"].decode().splitlines()
    scene.aws.objects["s3://artifacts/runs/labelled.csv"] = "\n".join([header, *lines * 5]).encode()
    result = scene.deploy(STAGING, "1")
    assert result.test
    assert result.test.latency
    assert (result.test.rows, result.test.latency.requests) == (200, SINGLE_ROWS)


def test_percentiles_are_nearest_ranks_in_milliseconds() -> None:
    latency = percentiles([number / 1000 for number in range(100, 0, -1)])
    assert (latency.p50, latency.p95, latency.p99) == pytest.approx((50, 95, 99))
    assert percentiles([0.002]).p99 == pytest.approx(2)
