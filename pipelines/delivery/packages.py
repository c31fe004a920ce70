"""Model packages of the registry: described, listed, and found by what a person or an event calls them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from pipelines.delivery.errors import DeliveryError, UsageError
from pipelines.delivery.lifecycle import ROLLED_BACK, Stage, history

if TYPE_CHECKING:
    from mypy_boto3_sagemaker import SageMakerClient
    from mypy_boto3_sagemaker.literals import ModelApprovalStatusType

APPROVED: Final = "Approved"
REJECTED: Final = "Rejected"
PENDING: Final = "PendingManualApproval"
COMPLETED: Final = "Completed"
_VERSION = re.compile(r"v?(?P<version>[0-9]{1,9})", re.IGNORECASE | re.ASCII)
_ARN = re.compile(
    r"arn:aws[a-z-]*:sagemaker:(?P<region>[a-z0-9-]+):(?P<account>[0-9]{12}):"
    r"model-package/(?P<group>[a-zA-Z0-9-]+)/(?P<version>[0-9]{1,9})",
    re.ASCII,
)
_EXECUTION = re.compile(r"arn:[^:]+:sagemaker:.*:pipeline/.+/execution/.+")
# The service says either of what is not there.
_ABSENT = frozenset({"ResourceNotFound", "ValidationException"})
_MOST_NAMED = 10


@dataclass(frozen=True)
class ModelPackage:
    """A version of a group: what it is made of, how good it is, and what was decided about it.

    Properties are the package's CustomerMetadataProperties. What the package does not tell is none or empty.
    """

    arn: str
    group: str
    version: int
    approval: str
    status: str
    created: datetime
    roc_auc: float | None = None
    threshold: float | None = None
    commit: str | None = None
    repository: str | None = None
    execution: str | None = None
    evaluation: str | None = None
    labelled_rows: str | None = None
    approval_note: str | None = None
    stage: str | None = None
    stage_status: str | None = None
    stage_note: str | None = None
    image: str | None = None
    model: str | None = None
    content_types: tuple[str, ...] = ()
    response_types: tuple[str, ...] = ()
    instance_types: tuple[str, ...] = ()
    description: str = ""
    properties: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Group and version, as people call it."""
        return f"{self.group}/{self.version}"

    @property
    def can_be_approved(self) -> bool:
        """Whether it is whole and waits for a decision."""
        return self.status == COMPLETED and self.approval == PENDING

    @property
    def stage_record(self) -> str | None:
        """Stage, status and note in one text; none of a package without a stage."""
        if self.stage is None:
            return None
        return f"{self.stage} {self.stage_status}" + (f": {self.stage_note}" if self.stage_note else "")

    def turned_down(self, stage: Stage) -> str | None:
        """Say that a person has rejected it for a stage, and why; what staging may not have is not for production."""
        if self.stage_status != REJECTED or self.stage not in {stage, "staging"}:
            return None
        why = history(self.stage_note)[0]
        return f"{self.name} is Rejected in {self.stage}" + (f": {why}" if why else "")

    @property
    def data_hash(self) -> str | None:
        """The hash of the data that it was trained and tested on."""
        return known(self.properties.get("InputDataHash"))

    def has_other_data(self, champion: ModelPackage | None) -> bool:
        """Whether it is known that the champion was measured on another test set, so that a lead says little."""
        if champion is None or (self.labelled_rows and self.labelled_rows == champion.labelled_rows):
            return False
        return are_other_data(self.data_hash, champion.data_hash)

    def lead(self, champion: ModelPackage | None) -> float | None:
        """By how much its ROC AUC is higher than the champion's."""
        if champion is None or champion.roc_auc is None or self.roc_auc is None:
            return None
        return self.roc_auc - champion.roc_auc


def describe(client: SageMakerClient, arn: str) -> ModelPackage:
    """Return a model package as it is now."""
    found: Mapping[str, Any] = client.describe_model_package(ModelPackageName=arn)
    specification, told = found.get("InferenceSpecification", {}), found.get("CustomerMetadataProperties", {})
    container: Mapping[str, Any] = next(iter(specification.get("Containers", ())), {})
    metadata, life_cycle = found.get("MetadataProperties", {}), found.get("ModelLifeCycle", {})
    return ModelPackage(
        arn=found["ModelPackageArn"],
        group=found["ModelPackageGroupName"],
        version=found["ModelPackageVersion"],
        approval=found.get("ModelApprovalStatus", PENDING),
        status=found["ModelPackageStatus"],
        created=found["CreationTime"],
        roc_auc=_share(told.get("RocAuc")),
        threshold=_share(told.get("RocAucThreshold")),
        commit=known(metadata.get("CommitId")),
        repository=known(metadata.get("Repository")),
        execution=known(told.get("PipelineExecutionArn")) or _execution(metadata.get("GeneratedBy")),
        evaluation=found.get("ModelMetrics", {}).get("ModelQuality", {}).get("Statistics", {}).get("S3Uri"),
        labelled_rows=known(told.get("LabelledRows")),
        approval_note=found.get("ApprovalDescription") or None,
        stage=life_cycle.get("Stage"),
        stage_status=life_cycle.get("StageStatus"),
        stage_note=life_cycle.get("StageDescription") or None,
        image=container.get("Image"),
        model=container.get("ModelDataUrl"),
        content_types=tuple(specification.get("SupportedContentTypes", ())),
        response_types=tuple(specification.get("SupportedResponseMIMETypes", ())),
        instance_types=tuple(specification.get("SupportedRealtimeInferenceInstanceTypes", ())),
        description=found.get("ModelPackageDescription", ""),
        properties=told,
    )


def list_arns(client: SageMakerClient, group: str, *, approval: ModelApprovalStatusType | None = None) -> list[str]:
    """Return the ARNs of a group's packages, the newest version first.

    Raises:
        DeliveryError: there is no such group.
    """
    return [arn for _, arn in sorted(_versions(client, group, approval), reverse=True)]


def approved(client: SageMakerClient, group: str, *, but: str | None = None) -> Iterator[ModelPackage]:
    """Yield a group's approved packages, one ARN apart, the newest version first; each costs a request.

    Raises:
        DeliveryError: there is no such group.
    """
    yield from (describe(client, arn) for arn in list_arns(client, group, approval=APPROVED) if arn != but)


def find_champion(client: SageMakerClient, group: str, *, but: str | None = None) -> ModelPackage | None:
    """Return the newest approved version of a group that no stage rolled back, one ARN apart; none without one.

    Raises:
        DeliveryError: there is no such group.
    """
    packages = approved(client, group, but=but)
    return next((package for package in packages if package.stage_status != ROLLED_BACK), None)


def find(client: SageMakerClient, group: str, text: str) -> ModelPackage:
    """Return the package of a group that is called `7`, `v7` or by its ARN.

    Raises:
        UsageError: the text is neither, or an ARN of another group, account or region.
        DeliveryError: there is no such group, or no such version in it.
    """
    by_arn = _ARN.fullmatch(text)
    named = by_arn or _VERSION.fullmatch(text)
    if named is None:
        raise UsageError(
            f"'{text}' is no model package: expected a version such as 7, "
            f"or an ARN such as arn:aws:sagemaker:<region>:<account>:model-package/{group}/7"
        )
    newest = next(_versions(client, group), None)
    if newest is None:
        raise DeliveryError(f"model package group {group} has no versions yet: run the pipeline, which registers them")
    place = newest[1].rpartition("/")[0]
    if by_arn:
        _check_place(by_arn, place)
    return _describe_version(client, group, int(named["version"]), place)


def _check_place(arn: re.Match[str], place: str) -> None:
    """Refuse an ARN of something else; the service writes groups in lower case in it, whatever their names are."""
    _, _, _, region, account, path = place.split(":")
    expected = {"region": region, "account": account, "group": path.partition("/")[2]}
    for name, wanted in expected.items():
        if arn[name].lower() != wanted.lower():
            raise UsageError(f"{arn[0]} is of {name} {arn[name]}: expected one of {name} {wanted}")


def _describe_version(client: SageMakerClient, group: str, version: int, place: str) -> ModelPackage:
    try:
        return describe(client, f"{place}/{version}")
    except ClientError as error:
        there = sorted((each for each, _ in _versions(client, group)), reverse=True)
        if error.response["Error"]["Code"] not in _ABSENT or version in there:
            raise
        raise DeliveryError(f"{group} has no version {version}: {_named(there)}") from error


def _named(versions: list[int]) -> str:
    if len(versions) == 1:
        return f"there is only {versions[0]}"
    more = f" and {len(versions) - _MOST_NAMED} older ones" if len(versions) > _MOST_NAMED else ""
    return f"there are {', '.join(map(str, versions[:_MOST_NAMED]))}{more}"


def _versions(
    client: SageMakerClient, group: str, approval: ModelApprovalStatusType | None = None
) -> Iterator[tuple[int, str]]:
    """Yield version and ARN of a group's packages, the latest first."""
    chosen: Any = {"ModelApprovalStatus": approval} if approval else {}
    pages = client.get_paginator("list_model_packages").paginate(
        ModelPackageGroupName=group,
        SortBy="CreationTime",
        SortOrder="Descending",
        PaginationConfig={"PageSize": 100},
        **chosen,
    )
    try:
        for page in pages:
            for entry in page["ModelPackageSummaryList"]:
                yield int(entry["ModelPackageArn"].rpartition("/")[2]), entry["ModelPackageArn"]
    except ClientError as error:
        if error.response["Error"]["Code"] not in _ABSENT:
            raise
        place = client.meta.region_name
        raise DeliveryError(f"there is no model package group {group} in {place}{_groups(client)}") from error


def _groups(client: SageMakerClient) -> str:
    """Say which groups there are, if this identity may know."""
    try:
        found = client.list_model_package_groups(SortBy="CreationTime", SortOrder="Descending", MaxResults=_MOST_NAMED)
    except ClientError:
        return ": name another one with --group"
    names = [group["ModelPackageGroupName"] for group in found["ModelPackageGroupSummaryList"]]
    return (
        f": give --group one of {', '.join(names)}" if names else ", nor any other: run the pipeline, which makes one"
    )


def _execution(generated_by: str | None) -> str | None:
    return generated_by if generated_by and _EXECUTION.fullmatch(generated_by) else None


def are_other_data(one: str | None, other: str | None) -> bool:
    """Tell of two hashes whether they are known to be those of different data."""
    return None not in {one, other} and one != other


def known(text: str | None) -> str | None:
    """Return what says something; parameters without a value are `unknown`."""
    return None if text in {None, "", "unknown"} else text


def _share(text: str | None) -> float | None:
    """Return a number from 0 to 1; anything else that stands there is no ROC AUC."""
    try:
        value = float(text or "nan")
    except ValueError:
        return None
    return value if 0 <= value <= 1 else None
