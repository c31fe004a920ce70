"""The properties of a step: which paths a reference to it may take."""

from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape

from pipelines.local.definition.place import Refusal, did_you_mean
from pipelines.local.definition.references import Path

DESCRIBE = {
    "Processing": "DescribeProcessingJob",
    "Training": "DescribeTrainingJob",
    "Tuning": "DescribeHyperParameterTuningJob",
    "Transform": "DescribeTransformJob",
    "Model": "DescribeModel",
    "RegisterModel": "DescribeModelPackage",
}
# A tuning step's properties hold the list of its training jobs too, best first.
LIST_TRIALS = "ListTrainingJobsForHyperParameterTuningJob"
TRIALS = "TrainingJobSummaries"


def check_property(kind: str, path: Path, model: ServiceModel) -> None:
    """Refuse a path that leads to no property of a step of this type (the Refusal has no place yet)."""
    if kind == "Condition":
        if path != ("Outcome",):
            raise Refusal("A condition step has one property.", None, hint="it is Outcome")
        return
    shape: Shape | None = model.operation_model(DESCRIBE[kind]).output_shape
    if kind == "Tuning" and path[0] == TRIALS:
        shape = model.operation_model(LIST_TRIALS).output_shape
    for segment in path:
        shape = _below(shape, segment)


def _below(shape: Shape | None, segment: str | int) -> Shape:
    if isinstance(shape, StructureShape):
        if segment not in shape.members:
            hint = did_you_mean(segment, shape.members)
            raise Refusal(f"'{shape.name}' has no property '{segment}'.", None, hint=hint)
        return shape.members[str(segment)]
    if isinstance(shape, ListShape):
        if isinstance(segment, str) and not isinstance(shape.member, StructureShape):
            raise Refusal(f"'{shape.name}' is a list without names.", None, hint="write a position, such as [0]")
        return shape.member
    if isinstance(shape, MapShape):
        return shape.value
    raise Refusal(f"There is no property '{segment}' below a {shape.type_name if shape else 'value'}.", None)
