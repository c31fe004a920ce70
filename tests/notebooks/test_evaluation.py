"""4.1: the three ways of evaluating a model give one report, and the threshold moves the gate."""

import re

from tests.notebooks.learner import Learner

NOTEBOOK = "4.1.Eval-Pipeline"
BRANCHES = {"0.85": "TooWeak", "0.81": "TooWeak", "0.80": "CreateModel", "0.75": "CreateModel"}


def test_the_threshold_alone_moves_the_gate(learner: Learner) -> None:
    seen = learner.run(NOTEBOOK)
    assert seen.text("hand").strip() == "test ROC AUC 0.8031"
    assert seen.text("job-run").splitlines() == ["Completed", "the same report as by hand, byte for byte: True"]
    assert "<svg" in seen.pictures("curves")[0]
    runs = {row[1]: row[2:] for row in seen.rows("move")}
    assert {threshold: row[1] for threshold, row in runs.items()} == BRANCHES
    assert [row[0] for row in runs.values()] == ["True", "True", "False", "False"]
    assert [row[3] for row in runs.values()] == ["False", "True", "True", "True"]
    assert re.fullmatch(r"ROC AUC 0\.8031\d* is not above 0\.85", runs["0.85"][4])
    assert "0.8031 ± 0.0396" in seen.pictures("picture")[0]
    with learner.session() as session:
        client = session.client("sagemaker")
        found = client.list_pipeline_executions(PipelineName="workshop-evaluation", SortOrder="Ascending")
        statuses = [each["PipelineExecutionStatus"] for each in found["PipelineExecutionSummaries"]]
        jobs = client.list_processing_jobs(NameContains="pipelines-")["ProcessingJobSummaries"]
    assert statuses == ["Failed", "Failed", "Succeeded", "Succeeded"]
    assert len(jobs) == 1
