"""Each benchmark in a tiny form, on the real pipeline."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from benchmarks import bare, cached, cold, overhead, serving, timing, trials
from benchmarks.__main__ import main
from benchmarks.optuna_loop import optimize
from benchmarks.template import Template


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, sample_code: Path) -> Iterator[Template]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(timing, "ROOT", sample_code)
        patch.setattr(bare, "SCRIPTS", sample_code / "pipelines" / "fraud" / "steps")
        made = Template(tmp_path_factory.mktemp("benchmarks"))
        made.make()
        yield made


def test_the_template_has_run_nothing(template: Template) -> None:
    assert {file.name for file in template.data().iterdir()} == {"claims.csv", "customers.csv"}
    assert not list(template.root.glob("state.sqlite*"))


def test_a_cold_run_and_the_bare_scripts_make_the_same_model(template: Template) -> None:
    (row,) = cold.measure(template, 1)

    (model,) = (template.folder / "cold").rglob("evaluation.json")
    assert model.read_bytes() == (template.folder / "bare" / "evaluation" / "evaluation.json").read_bytes()
    assert row.goal == "<= 0.5"


def test_reruns_are_all_cached(template: Template) -> None:
    cached.measure(template, 1)

    said = (template.folder / "log").read_text()
    assert "REGISTERED" in said
    assert "not cached" not in said


def test_the_optuna_loop_gets_the_trials_of_the_tuning_job(
    template: Template, capsys: pytest.CaptureFixture[str]
) -> None:
    channels = trials.prepare(template)
    tuning = trials.Tuning(template, trials.tuning_definition(template, trials=1))

    tuning.run()
    (tried,) = tuning.tried()
    fixed = {"num_round": "2", "early_stopping_rounds": "0", "seed": "42"}

    assert tried.keys() == {"eta", "min_child_weight", "alpha", "max_depth"}
    assert 0.5 < optimize(channels, fixed, [tried]) < 1
    assert "validation-auc" in capsys.readouterr().out


def test_the_chain_runs_every_step_and_then_caches(template: Template) -> None:
    rows = overhead.measure(template, 1, length=4)

    assert [row.goal for row in rows] == ["<= 20 ms", "<= 20 ms"]


def test_an_unknown_benchmark_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        main(["colt"])

    assert refused.value.code == 2
    assert "no benchmark colt; there are: cold, cached, trials, overhead" in capsys.readouterr().err


def test_the_endpoint_and_the_naive_server_answer_as_the_functions_do(
    template: Template, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = serving.measure(template, 1, singles=3, batches=4)

    assert [row.goal for row in rows] == ["<= 2 ms", ">= 0.6"]
    assert "bare predict" in capsys.readouterr().out
