"""Why steps were not cached: each reason once, and steps that only followed others in one line."""

from typing import Any

import pytest

from pipelines.delivery.misses import misses, reasons
from tests.delivery.pipelines import definition, step
from tests.delivery.runs import finish, run_of, script
from tests.delivery.scripted import EARLIER, entry


def get(reference: str) -> dict[str, str]:
    return {"Get": reference}


def s3_input(uri: Any) -> dict[str, Any]:
    return {"S3Input": {"S3Uri": uri}}


OUTPUT = "Steps.Preprocess.ProcessingOutputConfig.Outputs['test'].S3Output.S3Uri"
MODEL = {"Std:Join": {"On": "/", "Values": ["s3:/", get("Steps.Train.ModelArtifacts.S3ModelArtifacts")]}}
CHAIN = definition(
    [
        step("Preprocess", "Processing"),
        step("Train", "Training", Arguments={"InputDataConfig": [{"DataSource": get(OUTPUT)}], "HyperParameters": {}}),
        step(
            "Evaluate",
            "Processing",
            Arguments={"ProcessingInputs": [s3_input("s3://b/code"), s3_input(MODEL), s3_input(get(OUTPUT))]},
        ),
    ]
)
CODE = 'changed since its last success: ProcessingInputs[0].S3Input.S3Uri was "a", is "b"'
TRAIN = 'changed since its last success: InputDataConfig[0].DataSource was "s3://old", is "s3://new"'
EVALUATE = (
    'changed since its last success: ProcessingInputs[1].S3Input.S3Uri was "s3://old; x was ", is "s3://new"; '
    'ProcessingInputs[2].S3Input.S3Uri was "s3://old", is "s3://new"'
)
FOLLOWING = EVALUATE.replace("; x was ", "")
HIT: dict[str, Any] = {"CacheHitResult": {"SourcePipelineExecutionArn": EARLIER}}


def told(cached: tuple[str, ...] = (), **reasons: str) -> list[tuple[str, str]]:
    """What is said of a run of the chain, some of whose steps were cached."""
    steps = [entry(name, **(HIT if name in cached else {})) for name in ("Preprocess", "Train", "Evaluate")]
    return list(misses(finish(script(steps=steps), run=run_of(CHAIN), explain=lambda _: reasons)))


def test_steps_that_follow_another_are_told_in_one_line() -> None:
    assert told(Preprocess=CODE, Train=TRAIN, Evaluate=FOLLOWING) == [
        ("Preprocess", CODE),
        ("Train, Evaluate", "their inputs come from Preprocess, which ran again"),
    ]


def test_a_step_that_follows_two_names_both() -> None:
    changed = 'changed since its last success: HyperParameters.eta was "0.1", is "0.2"'
    assert told(Preprocess=CODE, Train=changed, Evaluate=FOLLOWING) == [
        ("Preprocess", CODE),
        ("Train", changed),
        ("Evaluate", "its inputs come from Preprocess and Train, which ran again"),
    ]


@pytest.mark.parametrize(
    "reason",
    [
        f"{TRAIN}; HyperParameters.eta was absent, is 1",
        f"{TRAIN}; and 2 more",
        TRAIN.replace("[0]", "[7]"),
        "caching is off for this step",
    ],
)
def test_a_step_of_which_anything_else_has_changed_keeps_its_reason(reason: str) -> None:
    assert told(Preprocess=CODE, Train=reason) == [("Preprocess", CODE), ("Train", reason)]


def test_a_value_that_looks_like_a_change_is_not_explained_away() -> None:
    assert ("Evaluate", EVALUATE) in told(Preprocess=CODE, Train=TRAIN, Evaluate=EVALUATE)


def test_inputs_from_a_step_that_was_cached_do_not_explain_a_miss() -> None:
    assert told(("Preprocess",), Train=TRAIN) == [("Train", TRAIN)]


def test_a_reason_that_steps_share_is_told_once_and_a_long_one_is_cut() -> None:
    assert told(Train="x" * 500, Evaluate="x" * 500) == [("Train, Evaluate", "x" * 239 + "…")]


def test_of_one_step_it_is_told_which_steps_it_followed() -> None:
    told_by = {"Preprocess": CODE, "Train": TRAIN, "Evaluate": FOLLOWING}
    steps = [entry(name) for name in told_by]
    result = finish(script(steps=steps), run=run_of(CHAIN))
    assert reasons(result.execution, result.run, told_by) == {
        "Preprocess": CODE,
        "Train": "its inputs come from Preprocess, which ran again",
        "Evaluate": "its inputs come from Preprocess and Train, which ran again",
    }
