"""The roles that the documentation describes: their trust and permission policies, with the placeholders filled in."""

import json
import re
from typing import Any

from pipelines.fraud.settings import MODEL_PACKAGE_GROUP_NAME
from tests.docs.pages import blocks, section
from tests.iam.evaluator import Policy
from tests.workflows.account import BUCKET

ACCOUNT = "arn:aws:iam::000000000000:role"
PIPELINE_ROLE, ENDPOINT_ROLE = f"{ACCOUNT}/sagemaker-execution", f"{ACCOUNT}/endpoint"
GITHUB, STAGING, PRODUCTION, APPROVAL = (
    f"{ACCOUNT}/{name}" for name in ("github", "staging", "production", "approval")
)
OWNER, REPO = "acme", "fraud"
GROUP = MODEL_PACKAGE_GROUP_NAME
PAGE = "docs/github.md"


def documents(title: str, *, page: str = PAGE, **placeholders: str) -> list[Any]:
    """Return the JSON documents of a section."""
    known = {"OWNER": OWNER, "REPO": REPO, "GROUP": GROUP, "BUCKET": BUCKET, "PIPELINE_ROLE": PIPELINE_ROLE}
    values = {**known, "ENDPOINT_ROLE": ENDPOINT_ROLE, "111122223333": "000000000000", **placeholders}
    pattern = re.compile(rf"\b({'|'.join(values)})\b")
    found = section(page, title).partition("\n### ")[0]
    return [json.loads(pattern.sub(lambda name: values[name[1]], block)) for block in blocks(found, "json")]


def permissions(*, group: str = GROUP) -> dict[str, Policy]:
    """Return the permissions of each role that a workflow or a build takes on."""
    stage = "Permissions of a stage"
    return {
        GITHUB: documents("Permissions")[0],
        STAGING: documents(stage, STAGE="staging", GROUP=group)[0],
        PRODUCTION: documents(stage, STAGE="production", GROUP=group)[0],
        APPROVAL: documents("Approving from GitHub", GROUP=group)[0],
    }


def trust() -> dict[str, Policy]:
    """Return whom each role trusts on GitHub."""
    stages = {STAGING: "staging", PRODUCTION: "production", APPROVAL: "approval"}
    of_stages = {role: documents("Trust of a stage", STAGE=stage)[0] for role, stage in stages.items()}
    return {GITHUB: documents("Trust policy")[0], **of_stages}
