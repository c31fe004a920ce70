"""The pure parts of the container contract: images, paths, arguments, variables, metrics."""

import re
from pathlib import Path

import pytest

from pipelines.local.containers import toolkit
from pipelines.local.containers.images import runtime_of
from pipelines.local.containers.metrics import final_metrics
from pipelines.local.containers.opt_ml import NotText, Tree, require_below
from pipelines.local.containers.requirements import asked_for, read, unmet
from pipelines.local.errors import ValidationError

ECR = "246618743249.dkr.ecr.us-west-2.amazonaws.com"


@pytest.mark.parametrize(
    ("image", "runtime"),
    [
        (f"{ECR}/sagemaker-xgboost:3.2-0", "xgboost"),
        ("683313688378.dkr.ecr.cn-north-1.amazonaws.com.cn/sagemaker-xgboost:1.7-1-cpu-py3", "xgboost"),
        (f"{ECR}/sagemaker-scikit-learn:1.9-0", "sklearn"),
        (f"{ECR}/sagemaker-scikit-learn@sha256:{'0' * 64}", "sklearn"),
        ("sagemaker-scikit-learn", "sklearn"),
    ],
)
def test_an_image_names_its_runtime(image: str, runtime: str) -> None:
    assert runtime_of(image) == runtime


@pytest.mark.parametrize(
    "image", [f"{ECR}/pytorch-training:2.0", "", "my-sagemaker-xgboost:1", "sagemaker-xgboost:1 x"]
)
def test_another_image_is_refused_by_its_name(image: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(f"Image '{image}' does not run on this machine")) as refusal:
        runtime_of(image)
    assert "'sagemaker-scikit-learn' and 'sagemaker-xgboost'" in refusal.value.message


@pytest.mark.parametrize("path", ["/opt/ml", "/opt/mlx/a", "opt/ml/a", "/opt/ml/../a", "/opt/ml/a/../../b", ""])
def test_a_path_that_is_not_below_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="is not below /opt/ml/"):
        require_below(path, "/opt/ml")


def test_a_path_below_is_found_in_the_tree(tmp_path: Path) -> None:
    assert Tree(tmp_path).path("/opt/ml//model/./x/") == tmp_path / "model" / "x"


def test_a_message_is_cut_between_characters(tmp_path: Path) -> None:
    tree = Tree(tmp_path)
    assert tree.message() is None
    tree.make("/opt/ml/output")

    (tmp_path / "output" / "message").write_text("a" + "é" * 600)
    assert tree.message() == "a" + "é" * 511

    (tmp_path / "output" / "message").write_bytes(b"a\xff")
    with pytest.raises(NotText, match="not UTF-8 text: invalid start byte at byte 1"):
        tree.message()


def test_hyperparameters_become_arguments_as_in_the_toolkit() -> None:
    given = {
        "zeta": "1e-3",
        "a": "5",
        "text": "plain words",
        "quoted": '"plain"',
        "list": "[1, 2]",
        "map": '{"b": 1, "a": 2}',
        "flag": "false",
        "none": "null",
        "sagemaker_program": "x.py",
        "_tuning_objective_metric": "m",
    }

    arguments = toolkit.arguments_of(toolkit.user_hyperparameters(given))

    assert " ".join(arguments) == (
        "-a 5 --flag False --list [1, 2] --map a=2,b=1 --none None --quoted plain --text plain words --zeta 0.001"
    )


def test_metrics_are_found_in_any_log(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_bytes(
        b"\xff loss=1\r\nloss=0.5\r\n" + b"x" * 200_000 + b"\n[3]\ttrain-auc:0.5\n[x]\tvalidation-auc:0.1\n"
    )
    definitions = [{"Name": "loss", "Regex": r"loss=(\S+)"}, {"Name": "no group", "Regex": "loss"}]

    assert final_metrics(log, definitions, xgboost=True) == {"loss": 0.5, "train:auc": 0.5}
    assert final_metrics(log, definitions, xgboost=False) == {"loss": 0.5}
    assert final_metrics(tmp_path / "none", definitions, xgboost=True) == {}


def test_requirement_files_include_others(tmp_path: Path) -> None:
    (tmp_path / "more.txt").write_text("numpy\n")
    (tmp_path / "requirements.txt").write_text("-r more.txt\n--no-binary :all:\npandas >= 2 # new\n\n# end\n")

    assert read(tmp_path / "requirements.txt") == ["numpy", "pandas >= 2"]
    arguments = ["-U", "-i", "https://example.com", "-r", str(tmp_path / "more.txt"), "scipy"]
    assert asked_for(arguments) == ["numpy", "scipy"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("pandas", None),
        ("Pandas>=1,<99", None),
        ("scikit_learn", None),
        ("no-such-package; python_version < '3'", None),
        ("no-such-package", "'no-such-package' is not installed"),
        ("pandas==0.1", "'pandas==0.1' is not installed, but version "),
        ("git+https://example.com/x", "'git+https://example.com/x' is not a package and its version"),
    ],
)
def test_what_is_not_installed_is_named(line: str, said: str | None) -> None:
    clauses = list(unmet([line]))

    assert len(clauses) == (said is not None)
    assert all(clause.startswith(said or "") for clause in clauses)
