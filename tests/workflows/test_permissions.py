"""The documented policies allow what the commands do, and no more of what would do harm."""

import json
import urllib.error
import urllib.request

import pytest

from tests.iam.evaluator import Request, allows
from tests.workflows.deployments import Deployments
from tests.workflows.policies import GITHUB, GROUP, STAGING, permissions


def test_the_pipeline_is_brought_up_to_date_and_run_by_what_its_role_may_do(deployments: Deployments) -> None:
    # The SDK asks for it before it looks at the bucket itself, and takes a no for an answer.
    assert {request.action for _, request in deployments.refused_in_training} <= {"s3:ListAllMyBuckets"}
    assert {role for role, _ in deployments.refused_in_training} <= {GITHUB}


def test_what_a_role_may_not_do_is_refused_and_not_done(deployments: Deployments) -> None:
    body = json.dumps({"ModelPackageName": deployments.first, "ModelApprovalStatus": "Rejected"}).encode()
    signed = "AWS4-HMAC-SHA256 Credential=AK/20261122/us-east-1/sagemaker/aws4_request"
    headers = {"Authorization": signed, "X-Amz-Target": "SageMaker.UpdateModelPackage", "X-Amz-Security-Token": STAGING}
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(urllib.request.Request(deployments.gate.url, body, headers), timeout=10)
    assert b"AccessDeniedException" in caught.value.read()
    caught.value.close()
    assert deployments.describe(deployments.first)["ModelApprovalStatus"] == "PendingManualApproval"


@pytest.mark.parametrize(
    ("action", "resource", "is_allowed"),
    [
        ("sagemaker:UpdateEndpoint", f"endpoint/{GROUP}-staging", True),
        ("sagemaker:UpdateEndpoint", f"endpoint/{GROUP}-production", False),
        ("sagemaker:UpdateEndpoint", "endpoint/other-staging", False),
        ("sagemaker:CreateEndpointConfig", f"endpoint-config/{GROUP}-production-v1", False),
        ("sagemaker:DescribeModelPackage", "model-package/other/1", False),
        ("sagemaker:DeleteModelPackage", f"model-package/{GROUP}/1", False),
    ],
)
def test_a_stage_can_touch_its_own_endpoint_and_no_other(action: str, resource: str, is_allowed: bool) -> None:
    asked = Request(action, f"arn:aws:sagemaker:us-east-1:000000000000:{resource}")
    assert allows(permissions()[STAGING], asked) == is_allowed
