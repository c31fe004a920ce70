"""The pages of pipelines, executions, steps and training jobs, after a workshop's runs."""

from collections.abc import Iterator
from typing import Any

import pytest

from pipelines.delivery.run import Site
from pipelines.fraud.settings import MODEL_PACKAGE_GROUP_NAME, PIPELINE_NAME
from pipelines.ui.server import Server
from tests.ui.browsing import Client

PIPELINE = f"/pipelines/{PIPELINE_NAME}"
UNTAKEN = ("Register", "CreateModel")


@pytest.fixture(scope="module")
def site(workshop: tuple[Site, Server]) -> Site:
    return workshop[0]


@pytest.fixture(scope="module")
def client(workshop: tuple[Site, Server]) -> Client:
    return Client(workshop[1].url)


@pytest.fixture(scope="module")
def executions(site: Site) -> list[str]:
    """The ids of the run that tuned, and of the one that took its steps from the cache."""
    answer = site.client.list_pipeline_executions(PipelineName=PIPELINE_NAME, SortOrder="Ascending")
    return [each["PipelineExecutionArn"].rpartition("/")[2] for each in answer["PipelineExecutionSummaries"]]


def job_of(site: Site, execution: str, step: str) -> str:
    arn = site.client.describe_pipeline(PipelineName=PIPELINE_NAME)["PipelineArn"]
    answer = site.client.list_pipeline_execution_steps(PipelineExecutionArn=f"{arn}/execution/{execution}")
    found: Any = next(each for each in answer["PipelineExecutionSteps"] if each["StepName"] == step)
    (details,) = found["Metadata"].values()
    return str(details["Arn"]).rpartition("/")[2]


def test_the_first_page_tells_the_runs_apart(client: Client, executions: list[str]) -> None:
    tuned, cached = executions
    answer = client.get("/")
    assert (answer.status, answer.is_live) == (200, False)
    rows = {name: answer.section(f"run-{name}") for name in executions}
    assert list(answer.page.parts).index(f"run-{cached}") < list(answer.page.parts).index(f"run-{tuned}")
    assert "Registered" in rows[tuned]
    assert "0.9476 threshold 0.85" in rows[tuned]
    assert "RocAucThreshold 0.85" in rows[tuned]
    assert "Registered" in rows[cached]
    assert "0.8031 threshold 0.75" in rows[cached]
    assert "RocAucThreshold 0.75" in rows[cached]
    # What is the same in all runs, and as the definition has it, says nothing.
    assert "ProcessingInstanceType" not in answer.words
    assert "3 cached, 3 succeeded" in answer.text


def test_the_page_of_a_pipeline_has_the_same_lines(client: Client, executions: list[str]) -> None:
    answer = client.get(PIPELINE)
    assert [name for name in executions if f"run-{name}" in answer.page.parts] == executions
    assert "Older" not in answer.words


def test_an_execution_shows_its_verdict_its_graph_and_its_model(client: Client, executions: list[str]) -> None:
    answer = client.get(f"{PIPELINE}/executions/{executions[0]}")
    assert not answer.is_live
    assert "The tuned model's ROC AUC is 0.9476, above the threshold of 0.85" in answer.words
    for title in ("How good the model is", "The trials", "What the model decides by", "The run"):
        assert title in answer.words
    for name in UNTAKEN:
        assert f"{name} (" in answer.section("pipeline")
        assert f'aria-label="{name}: not taken"' in answer.text
        assert f"step-{name}" not in answer.page.parts
    assert "trials 5/5" in answer.section("step-Tune")
    assert f"/registry/{MODEL_PACKAGE_GROUP_NAME}/1" in answer.page.links
    assert "RocAucThreshold 0.85" in answer.section("run")


def test_every_step_of_the_graph_is_a_link_that_leads_to_it(client: Client, executions: list[str]) -> None:
    base = f"{PIPELINE}/executions/{executions[0]}"
    links = [link for link in client.get(base).page.links if link.startswith(f"{base}/steps/")]
    assert len(links) == 10
    for link in links:
        answer = client.get(link)
        assert answer.status == 200
        reached = "not reached" not in answer.words
        assert reached == (link.rpartition("/")[2] not in UNTAKEN), link


def test_a_training_step_shows_what_went_in_what_came_out_and_how_it_went(
    client: Client, site: Site, executions: list[str]
) -> None:
    answer = client.get(f"{PIPELINE}/executions/{executions[0]}/steps/Train")
    assert "Not from the cache: no earlier run of this step succeeded" in answer.words
    assert "train.parquet" in answer.section("inputs-train")
    assert "/opt/ml/input/data/train in the container" in answer.section("inputs-train")
    assert "model.tar.gz" in answer.section("outputs-model")
    assert "validation:auc 0.7408" in answer.section("metrics")
    assert "max_depth 1" in answer.section("job")
    assert job_of(site, executions[0], "Train") in answer.section("job")
    assert "validation-auc:0.74" in answer.section("log")
    assert "waits for Preprocess" in answer.words
    assert "then come Evaluate" in answer.words


def test_a_cached_step_leads_to_the_execution_whose_result_it_took(client: Client, executions: list[str]) -> None:
    tuned, cached = executions
    answer = client.get(f"{PIPELINE}/executions/{cached}/steps/Train")
    assert "From the cache." in answer.words
    assert f"nothing that counts has changed since {tuned}" in answer.words
    assert answer.page.links[f"{PIPELINE}/executions/{tuned}/steps/Train"].strip() == tuned


def test_an_evaluation_shows_its_curves_and_a_gate_what_it_compared(client: Client, executions: list[str]) -> None:
    base = f"{PIPELINE}/executions/{executions[0]}/steps"
    evaluation = client.get(f"{base}/EvaluateTuned").section("quality")
    for part in ("ROC curve", "Precision-recall curve", "Confusion matrix", "gain in training"):
        assert part in evaluation
    assert "0.8031 ≤ 0.85" in client.get(f"{base}/AucGate").words


def test_tuning_and_registration_lead_to_their_own_pages(client: Client, site: Site, executions: list[str]) -> None:
    base = f"{PIPELINE}/executions/{executions[0]}/steps"
    tuning = client.get(f"{base}/Tune")
    assert f"/tuning-jobs/{job_of(site, executions[0], 'Tune')}" in tuning.page.links
    assert tuning.section("log").startswith("Log of the best trial")
    registration = client.get(f"{base}/RegisterTuned")
    assert f"/registry/{MODEL_PACKAGE_GROUP_NAME}/1" in registration.page.links
    assert "SAGEMAKER_PROGRAM inference.py" in registration.section("job")


def test_a_trial_has_a_page_of_its_own(client: Client, site: Site) -> None:
    jobs = site.client.list_training_jobs(NameContains="Tune")["TrainingJobSummaries"]
    answer = client.get(f"/training-jobs/{jobs[0]['TrainingJobName']}")
    assert "Training job, Completed" in answer.words
    assert "validation:auc" in answer.section("metrics")
    assert "validation-auc" in answer.section("log")


def test_no_link_leads_nowhere(client: Client) -> None:
    seen = set()
    coming = ["/"]
    while coming:
        path = coming.pop()
        if path in seen:
            continue
        seen.add(path)
        answer = client.get(path)
        assert answer.status == 200, path
        if answer.headers["content-type"].startswith("text/html"):
            coming += [link for link in answer.page.links if link.startswith("/")]
    assert len(seen) > 40


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/nowhere", "there is no page /nowhere"),
        ("/pipelines/none", "none' does not exist"),
        (f"{PIPELINE}/executions/none", "does not exist"),
        (f"{PIPELINE}/executions/{{first}}/steps/None", "has no step None: it has Preprocess, Train"),
        ("/training-jobs/none", "there is no training job none"),
        ("/training-jobs/..%2F..%2Fetc%2Fpasswd", "there is no page /training-jobs/../../etc/passwd"),
        ("/static/..%2Fapp.py", "there is no page /static/../app.py"),
        ("/static/none.css", "there is no page /static/none.css"),
    ],
)
def test_what_is_not_there_is_said_in_one_line(client: Client, executions: list[str], path: str, words: str) -> None:
    answer = client.get(path.format(first=executions[0]))
    assert answer.status == 404
    assert words in answer.words


def test_a_token_of_a_page_that_is_none_is_said_in_one_line(client: Client) -> None:
    answer = client.get(f"{PIPELINE}?after=x")
    assert answer.status == 400
    assert "NextToken 'x' is not valid" in answer.words


def headers(client: Client) -> Iterator[dict[str, str]]:
    for path in ("/", "/nowhere", "/static/style.css", "/static/report.css"):
        yield dict(client.get(path).headers)
    yield dict(client.get("/", Host="elsewhere.example").headers)


def test_every_answer_tells_browsers_what_to_refuse(client: Client) -> None:
    for found in headers(client):
        policy = found["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "unsafe-inline" not in policy.replace("style-src-attr 'unsafe-inline'", "")
        assert found["cache-control"] == "no-store"
        assert found["x-content-type-options"] == "nosniff"
        assert "server" not in found
