"""6.1: a person approves the best version, the endpoint answers and is judged, and nothing of it is left."""

from typing import Any

from tests.notebooks.learner import Learner, Seen

NOTEBOOK, NAME = "6.1.Deploy-Inference", "workshop-all"
NOTHING: dict[str, list[Any]] = {"Endpoints": [], "EndpointConfigs": [], "Models": []}


def test_what_is_approved_is_deployed_judged_and_removed_also_after_an_interruption(learner: Learner) -> None:
    begun = learner.run(NOTEBOOK, until="deploy")
    assert begun.rows("waits") == [["1", "PendingManualApproval", "0.947604", "0.85"]]
    assert begun.text("deploy").splitlines()[0] == "InService"
    assert [endpoint["EndpointName"] for endpoint in left(learner)["Endpoints"]] == [NAME]
    seen = learner.run(NOTEBOOK)
    assert seen.text("approve").startswith("1 Approved - ")
    assert seen.text("claims").startswith("1000 claims, 33 of them fraudulent")
    assert "400 row 2: column 'policy_state': 'TX' is not a known category" in seen.text("wrong")
    assert [line.split()[-1] for line in seen.text("scores").splitlines()] == ["0.947604", "0.947604"]
    judged(seen)
    assert left(learner) == NOTHING
    assert approvals(learner) == {1: "Approved"}


def judged(seen: Seen) -> None:
    """Check that the prose's claims about the scores are what is shown."""
    assert all("<svg" in seen.pictures(cell)[0] for cell in ("distribution", "cost", "calibration"))
    policies = {row[0]: [int(text) for text in row[1:]] for row in seen.rows("policies")}
    assert min(policies.values(), key=lambda row: row[-1]) == policies["at the cheapest"]
    assert policies["examine none"][-1] == 33 * 5_000
    assert policies["examine all"][-1] == 1_000 * 150
    (_, _, said, *_, so), (_, _, brier, *_, guess) = (line.split() for line in seen.text("brier").splitlines()[:2])
    assert float(said.strip(",")) > float(so)
    assert float(brier.strip(",")) < float(guess)


def left(learner: Learner) -> dict[str, Any]:
    """Return what is there of endpoints, their configurations, and their models."""
    with learner.session() as session:
        client = session.client("sagemaker")
        return {
            "Endpoints": client.list_endpoints()["Endpoints"],
            "EndpointConfigs": client.list_endpoint_configs()["EndpointConfigs"],
            "Models": client.list_models(NameContains=NAME)["Models"],
        }


def approvals(learner: Learner) -> dict[int, str]:
    with learner.session() as session:
        found = session.client("sagemaker").list_model_packages(ModelPackageGroupName=NAME)
    return {each["ModelPackageVersion"]: each["ModelApprovalStatus"] for each in found["ModelPackageSummaryList"]}
