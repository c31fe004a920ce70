"""References and JSON paths: what they are, what they are not, and how they are written."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.local.definition import Reference, find_references, parse_reference
from pipelines.local.definition.references import ROOTS, parse_json_path

# A key ends at the quote and bracket after it, and there is no escape for them.
KEYS = st.text(min_size=1).filter(lambda key: "']" not in key and '"]' not in key)
PATHS = st.lists(KEYS | st.integers(min_value=0, max_value=10**9 - 1)).map(tuple)


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("Parameters.Instance-Type_2", Reference("Parameters", "Instance-Type_2")),
        ("Execution.PipelineName", Reference("Execution", "PipelineName")),
        ("PipelineExperimentConfig.TrialName", Reference("PipelineExperimentConfig", "TrialName")),
        ("Steps.A-b_c.X['k'].B[0]", Reference("Steps", "A-b_c", ("X", "k", "B", 0))),
        (
            "Steps.T.FinalMetricDataList['val:acc'].Value",
            Reference("Steps", "T", ("FinalMetricDataList", "val:acc", "Value")),
        ),
        ("Steps.T.HyperParameters['batch-size']", Reference("Steps", "T", ("HyperParameters", "batch-size"))),
        ("Steps.T.HyperParameters['a.b']", Reference("Steps", "T", ("HyperParameters", "a.b"))),
        ("Steps.T.HyperParameters['it's']", Reference("Steps", "T", ("HyperParameters", "it's"))),
        ('Steps["T"].A', Reference("Steps", "T", ("A",))),
        ("Steps.S.PropertyFiles.Report", Reference("Steps", "S", ("PropertyFiles", "Report"))),
    ],
)
def test_a_reference_is_a_root_a_name_and_a_path(text: str, reference: Reference) -> None:
    assert parse_reference(text) == reference


@pytest.mark.parametrize(
    "text",
    ["", "Steps", "Steps.", "Steps[0].A", "steps.A.B", "ForEach.CurrentItem", "Steps.A.", "Steps.A[-1]", "Steps.A[x]",
     "Steps.A['k", "Steps.A.B[0", "Steps.A.*", "Parameters.P Q]", "Steps.A[1234567890]"],
)  # fmt: skip
def test_a_text_that_is_no_reference_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="Invalid reference"):
        parse_reference(text)


@given(st.sampled_from(ROOTS), KEYS, PATHS)
def test_a_reference_written_and_parsed_is_the_same(root: str, name: str, path: tuple[str | int, ...]) -> None:
    reference = Reference(root, name, path)
    assert parse_reference(str(reference)) == reference


@given(st.text())
def test_any_text_is_a_reference_or_a_value_error(text: str) -> None:
    try:
        reference = parse_reference(text)
    except ValueError:
        return
    assert parse_reference(str(reference)) == reference


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("a", ("a",)),
        ("a.b.value", ("a", "b", "value")),
        ("$.a.b", ("a", "b")),
        ("$['a']['b.c']", ("a", "b.c")),
        ("[0].a", (0, "a")),
        ("metrics['roc-auc'][2]", ("metrics", "roc-auc", 2)),
        ("two words.x", ("two words", "x")),
    ],
)
def test_a_json_path_is_members_keys_and_positions(text: str, path: tuple[str | int, ...]) -> None:
    assert parse_json_path(text) == path


@pytest.mark.parametrize("text", ["", "$", "a..b", "a[*]", "a[?(@.x>1)]", "$.*", "a[1:2]", "a."])
def test_what_the_subset_of_json_paths_lacks_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="Invalid JSON path"):
        parse_json_path(text)


def test_references_are_found_in_document_order() -> None:
    value: Any = {
        "a": [{"Get": "Parameters.A"}, {"Std:Join": {"On": "", "Values": ["x", {"Get": "Steps.B.C"}]}}],
        "d": {"Std:JsonGet": {"PropertyFile": {"Get": "Steps.D.PropertyFiles.E"}, "Path": "x"}},
        "f": {"Get": "Parameters.F", "more": 1},
        "g": {"Get": 7},
    }
    assert [str(reference) for reference in find_references(value)] == [
        "Parameters.A",
        "Steps.B.C",
        "Steps.D.PropertyFiles.E",
    ]
