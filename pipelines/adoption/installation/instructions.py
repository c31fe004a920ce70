"""What to type to create a project: by the AWS CLI and from Python, for the console may not list the template."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from pipelines.adoption.installation.published import NAME

# Of the template's parameters, those that nobody but the project's owner knows; new repositories need the numbers.
ASKED = {
    "RepositoryOwner": "OWNER",
    "RepositoryName": "REPOSITORY",
    "RepositoryOwnerId": "OWNER_ID",
    "RepositoryId": "REPO_ID",
}
PROJECT = "my-project"
_INDENT = " " * 4


def by_template(template_url: str, role: str, parameters: Mapping[str, str]) -> dict[str, Any]:
    """Return the request of CreateProject for a template in S3."""
    provider = {"TemplateName": NAME, "TemplateURL": template_url, "RoleARN": role, "Parameters": _pairs(parameters)}
    return {"ProjectName": PROJECT, "TemplateProviders": [{"CfnTemplateProvider": provider}]}


def by_product(product: str, version: str, parameters: Mapping[str, str]) -> dict[str, Any]:
    """Return the request of CreateProject for a version of a product."""
    details = {"ProductId": product, "ProvisioningArtifactId": version, "ProvisioningParameters": _pairs(parameters)}
    return {"ProjectName": PROJECT, "ServiceCatalogProvisioningDetails": details}


def as_command(request: Mapping[str, Any]) -> str:
    """Return a request of CreateProject as a command of the AWS CLI."""
    (member,) = request.keys() - {"ProjectName"}
    option = "template-providers" if member == "TemplateProviders" else "service-catalog-provisioning-details"
    name = request["ProjectName"]
    return f"aws sagemaker create-project --project-name {name} --{option} {shlex.quote(json.dumps(request[member]))}"


def as_program(request: Mapping[str, Any]) -> str:
    """Return a request of CreateProject as a program."""
    # Of texts, lists and objects, JSON is Python too.
    members = "".join(f"{_INDENT}{name}={_literal(value)},\n" for name, value in request.items())
    return f'import boto3\n\nboto3.client("sagemaker").create_project(\n{members})'


def _literal(value: object) -> str:
    return json.dumps(value, indent=len(_INDENT)).replace("\n", f"\n{_INDENT}")


def _pairs(parameters: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": name, "Value": text} for name, text in parameters.items()]
