"""Where a package serves, by what the endpoints say, and not by what the registry remembers."""

from dataclasses import replace

import pytest

from pipelines.delivery.approval.serving import Serving, find_served, find_serving
from pipelines.delivery.lifecycle import STAGES
from pipelines.delivery.packages import describe
from tests.delivery.deployment.fake_aws import ARN, GROUP
from tests.delivery.deployment.scenes import PRODUCTION, STAGING, Scene
from tests.delivery.deployment.service import Refusal


@pytest.fixture
def scene() -> Scene:
    return Scene()


def serving(scene: Scene, version: int) -> Serving:
    client = scene.aws.session.client("sagemaker")
    return find_serving(client, describe(client, f"{ARN}:model-package/{GROUP}/{version}"))


def test_without_endpoints_nothing_serves(scene: Scene) -> None:
    assert serving(scene, 1) == Serving()


def test_a_version_serves_where_its_endpoints_say_so(scene: Scene) -> None:
    for order in (STAGING, PRODUCTION):
        scene.deploy(order, "1")
    assert serving(scene, 1) == Serving(STAGES)
    scene.deploy(PRODUCTION, "2")
    assert (serving(scene, 1), serving(scene, 2)) == (Serving(("staging",)), Serving(("production",)))
    scene.tear_down(STAGING)
    assert serving(scene, 1) == Serving()


def test_of_a_group_it_is_told_at_once_which_versions_serve(scene: Scene) -> None:
    scene.deploy(STAGING, "2")
    scene.deploy(PRODUCTION, "1")
    served = find_served(scene.aws.session.client("sagemaker"), GROUP)
    assert served.versions == {"staging": {2}, "production": {1}}
    assert (served.stages_of(1), served.stages_of(2), served.stages_of(3)) == (("production",), ("staging",), ())


def test_an_endpoint_of_another_name_is_not_the_stages(scene: Scene) -> None:
    scene.deploy(replace(PRODUCTION, endpoint="trial"), "1")
    assert serving(scene, 1) == Serving()


def test_during_an_update_both_versions_serve(scene: Scene) -> None:
    for version in "12":
        scene.deploy(PRODUCTION, version)
    older = next(config for config in scene.aws.configs if "-v1-" in config)
    client = scene.aws.session.client("sagemaker")
    client.update_endpoint(EndpointName=PRODUCTION.endpoint, EndpointConfigName=older)
    assert serving(scene, 1) == serving(scene, 2) == Serving(("production",))


@pytest.mark.parametrize(("status", "serves"), [("Failed", False), ("OutOfService", False), ("InService", True)])
def test_an_endpoint_that_answers_nobody_serves_nothing(scene: Scene, status: str, serves: bool) -> None:
    scene.deploy(STAGING, "1")
    scene.aws.endpoints.there[STAGING.endpoint].now["EndpointStatus"] = status
    assert bool(serving(scene, 1).stages) == serves


@pytest.mark.parametrize("code", ["AccessDeniedException", "ThrottlingException", "ValidationException"])
def test_what_may_not_be_seen_is_told(scene: Scene, code: str) -> None:
    scene.deploy(STAGING, "1")

    def refuse(operation: str, request: object) -> None:
        if operation == "DescribeEndpoint" and request == {"EndpointName": PRODUCTION.endpoint}:
            raise Refusal(code, "not yours")

    scene.aws.before = refuse
    assert serving(scene, 1) == Serving(("staging",), unseen=("production",))
