"""Training jobs in script mode and in algorithm mode, from request to description."""

import io
import json
import tarfile
import threading
from pathlib import Path
from typing import Any

import pytest

from pipelines.local.containers.stop import Stop
from pipelines.local.jobs import training
from pipelines.local.jobs.machine import Machine
from tests.local.containers.processes import Gate
from tests.local.documents import BUCKET
from tests.local.jobs import job_requests as requests
from tests.local.jobs.job_requests import both_kinds, channel, content, keys, notes, printed, put

MODEL = f"s3://{BUCKET}/models/job/output/model.tar.gz"
Json = dict[str, Any]


def run(machine: Machine, request: Json, stop: Stop | None = None) -> Json:
    """Create and run a job, and check what must always hold."""
    created = training.create(machine, "job", request)
    requests.assert_described(machine, "DescribeTrainingJob", created)
    description = training.run(machine, "job", stop or Stop())
    requests.assert_described(machine, "DescribeTrainingJob", description)
    assert machine.database.get(training.KIND, "job") == description
    assert not list((machine.root / "jobs").glob("*/*"))
    return description


def log(machine: Machine) -> str:
    return (machine.root / "logs/aws/sagemaker/TrainingJobs/job/algo-1.log").read_text()


def unpacked(machine: Machine, key: str = "models/job/output/model.tar.gz") -> dict[str, bytes]:
    """Return the files in an archive."""
    with tarfile.open(fileobj=io.BytesIO(content(machine, key))) as tar:
        return {member.name: (tar.extractfile(member) or io.BytesIO()).read() for member in tar if member.isfile()}


@both_kinds
def test_a_script_gets_channels_hyperparameters_and_leaves_a_model(machine: Machine) -> None:
    source = """
        import os, sys
        import helper
        print(sys.argv[1:], os.getcwd() == os.path.dirname(__file__))
        open(os.environ["SM_MODEL_DIR"] + "/model", "w").write(open(os.environ["SM_CHANNEL_TRAIN"] + "/a.csv").read())
        open(os.environ["SM_OUTPUT_DATA_DIR"] + "/notes", "w").write("n")
    """
    put(machine, "in/a.csv", "1,2")
    hyperparameters = {
        "eta": "0.10",
        "name": '"quoted"',
        "n-estimators": "3",
        "x": "true",
        "_tuning_objective_metric": "m",
    }
    request = requests.script(
        machine,
        source,
        files={"helper.py": ""},
        HyperParameters=hyperparameters,
        InputDataConfig=[channel("train", f"s3://{BUCKET}/in/")],
    )

    description = run(machine, request)

    assert description["TrainingJobStatus"] == description["SecondaryStatus"] == "Completed"
    assert printed(log(machine)) == "['--eta', '0.1', '--n-estimators', '3', '--name', 'quoted', '-x', 'True'] True\n"
    assert description["ModelArtifacts"] == {"S3ModelArtifacts": MODEL}
    assert unpacked(machine) == {"model": b"1,2"}
    assert unpacked(machine, "models/job/output/output.tar.gz") == {"notes": b"n"}
    assert {name: description[name] for name in request} == request


def test_a_description_tells_a_jobs_history(machine: Machine) -> None:
    description = run(machine, requests.script(machine, "pass"))

    history = description["SecondaryStatusTransitions"]
    assert [item["Status"] for item in history] == ["Starting", "Downloading", "Training", "Uploading", "Completed"]
    times = [item["StartTime"] for item in history]
    assert times == sorted(times)
    assert [item["EndTime"] for item in history[:-1]] == times[1:]
    assert description["TrainingTimeInSeconds"] == description["BillableTimeInSeconds"] == 1
    assert description["CreationTime"] <= description["TrainingStartTime"] <= description["TrainingEndTime"]


def test_a_script_has_the_variables_of_the_toolkit(machine: Machine) -> None:
    source = "import json, os; print(json.dumps({k: v for k, v in os.environ.items() if k.startswith(('SM_', 'TRA'))}))"
    request = requests.script(
        machine,
        source,
        HyperParameters={"max_depth": "3"},
        InputDataConfig=[channel("train", put(machine, "in/a.csv", "1"), ContentType="text/csv")],
        Environment={"SM_GIVEN": "yes"},
    )

    run(machine, request)

    variables = json.loads(printed(log(machine)))
    assert variables["SM_CHANNELS"] == '["train"]'
    assert variables["SM_CHANNEL_TRAIN"] == "/opt/ml/input/data/train"
    assert variables["SM_HPS"] == '{"max_depth":3}'
    assert variables["SM_HP_MAX_DEPTH"] == "3"
    assert variables["SM_USER_ARGS"] == '["--max_depth","3"]'
    assert variables["SM_USER_ENTRY_POINT"] == "train.py"
    assert variables["SM_MODULE_DIR"] == request["HyperParameters"]["sagemaker_submit_directory"]
    assert variables["SM_HOSTS"] == '["algo-1"]'
    assert variables["SM_GIVEN"] == "yes"
    assert variables["TRAINING_JOB_NAME"] == "job"
    assert json.loads(variables["SM_INPUT_DATA_CONFIG"])["train"]["ContentType"] == "text/csv"
    environment = json.loads(variables["SM_TRAINING_ENV"])
    assert environment["channel_input_dirs"] == {"train": "/opt/ml/input/data/train"}
    assert environment["hyperparameters"] == {"max_depth": 3}


def test_a_shell_script_can_be_the_program(machine: Machine) -> None:
    request = requests.script(
        machine,
        "pass",
        files={"go.sh": '#!/bin/sh\necho "$@" > /opt/ml/model/arguments\n'},
        HyperParameters={"sagemaker_program": "go.sh", "word": "two words"},
    )

    assert run(machine, request)["TrainingJobStatus"] == "Completed"
    assert unpacked(machine) == {"arguments": b"--word two words\n"}


def test_the_submit_directory_may_be_in_a_channel(machine: Machine) -> None:
    uri = put(machine, "src/train.py", "print('from a channel')")
    hyperparameters = {"sagemaker_program": '"train.py"', "sagemaker_submit_directory": '"/opt/ml/input/data/code"'}
    request = requests.training(HyperParameters=hyperparameters, InputDataConfig=[channel("code", uri)])

    assert run(machine, request)["TrainingJobStatus"] == "Completed"
    assert printed(log(machine)) == "from a channel\n"


@both_kinds
def test_xgboost_without_a_program_is_the_built_in_algorithm(machine: Machine) -> None:
    rows = "\n".join(f"{index % 2},{index % 2 + index / 1000},{index % 7}" for index in range(200))
    hyperparameters = {"num_round": "3", "objective": "binary:logistic", "eval_metric": "auc"}
    channels = [
        channel(name, put(machine, f"in/{name}/a.csv", rows), ContentType="text/csv")
        for name in ("train", "validation")
    ]
    request = requests.training(HyperParameters=hyperparameters, InputDataConfig=channels)

    description = run(machine, request)

    assert description["TrainingJobStatus"] == "Completed", description["FailureReason"]
    metrics = {item["MetricName"]: item["Value"] for item in description["FinalMetricDataList"]}
    assert metrics == {"train:auc": 1.0, "validation:auc": 1.0}
    assert "xgboost-model" in unpacked(machine)


def test_the_last_value_of_a_metric_counts(machine: Machine) -> None:
    source = """
        print("[0]\\ttrain-auc:0.5\\tvalidation-auc:0.4")
        print("[1]\\ttrain-auc:0.75\\tvalidation-auc:0.625")
        print("loss=2.5; no number: loss=high;")
    """
    definitions = [
        {"Name": "loss", "Regex": "loss=([^;]+);"},
        {"Name": "plain", "Regex": "validation-auc:([0-9.]+)"},
        {"Name": "escaped", "Regex": r".*\[[0-9]+\].*#011train-auc:(\S+)"},
        {"Name": "never", "Regex": "nothing=(.*)"},
    ]
    request = requests.script(machine, source)
    request["AlgorithmSpecification"]["MetricDefinitions"] = definitions

    description = run(machine, request)

    metrics = {item["MetricName"]: item["Value"] for item in description["FinalMetricDataList"]}
    assert metrics == {"loss": 2.5, "plain": 0.625, "escaped": 0.75, "train:auc": 0.75, "validation:auc": 0.625}


@both_kinds
def test_a_script_that_fails_fails_the_job_and_leaves_no_model(machine: Machine) -> None:
    source = """
        import os
        open(os.environ["SM_MODEL_DIR"] + "/model", "w").write("half")
        raise RuntimeError("too few rows")
    """

    description = run(machine, requests.script(machine, source, HyperParameters={"eta": "1"}))

    assert description["TrainingJobStatus"] == description["SecondaryStatus"] == "Failed"
    assert description["FailureReason"] == (
        'AlgorithmError: ExecuteUserScriptError:\nExitCode 1\nErrorMessage "RuntimeError: too few rows"\n'
        'Command "python3 train.py --eta 1", exit code: 1'
    )
    assert not keys(machine, "models/")


def test_a_containers_own_words_are_the_reason(machine: Machine) -> None:
    source = "open('/opt/ml/output/failure', 'w').write('the label is constant' + '.' * 5000); raise SystemExit(2)"

    reason = run(machine, requests.script(machine, source))["FailureReason"]

    assert reason.startswith("AlgorithmError: the label is constant.")
    assert reason.endswith(", exit code: 2")
    assert len(reason) == 1024


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"sagemaker_program": "missing.py"}, "ClientError: sagemaker_program 'missing.py' is not in s3://"),
        ({"sagemaker_submit_directory": "s3://bucket/none.tar.gz"}, "ClientError: "),
        (
            {"sagemaker_submit_directory": "s3://bucket/text"},
            "ClientError: s3://bucket/text is not a whole tar archive",
        ),
        ({"sagemaker_submit_directory": "/etc"}, "ClientError: sagemaker_submit_directory '/etc' is neither"),
    ],
)
def test_code_that_cannot_be_had_fails_the_job(machine: Machine, change: dict[str, str], reason: str) -> None:
    put(machine, "text", "no archive")

    description = run(machine, requests.script(machine, "print('ran')", HyperParameters=change))

    assert description["FailureReason"].startswith(reason)
    assert "\n" not in description["FailureReason"]


def test_an_archive_that_leaves_its_folder_is_refused(machine: Machine, tmp_path: Path) -> None:
    request = requests.script(machine, "print('ran')", files={"../../../escaped": "x"})

    description = run(machine, request)

    assert description["TrainingJobStatus"] == "Failed"
    assert description["FailureReason"].startswith(f"ClientError: s3://{BUCKET}/code/sourcedir.tar.gz is refused: ")
    assert "escaped" in description["FailureReason"]
    assert not list(tmp_path.rglob("escaped"))


def test_requirements_are_checked_and_not_installed(machine: Machine) -> None:
    files = {"requirements.txt": "pandas>=1\nno-such-package==3\nxgboost<1 # old\n"}

    description = run(machine, requests.script(machine, "print('ran')", files=files))

    assert description["FailureReason"].startswith(
        "ClientError: requirements.txt: 'no-such-package==3' is not installed; 'xgboost<1' is not"
    )


def test_requirements_that_are_met_are_no_obstacle(machine: Machine) -> None:
    files = {"requirements.txt": '# none\n\npandas\nno-such-package; python_version < "3"\n'}

    assert run(machine, requests.script(machine, "pass", files=files))["TrainingJobStatus"] == "Completed"


def test_a_job_past_its_limit_is_stopped_and_keeps_the_model_so_far(machine: Machine) -> None:
    source = "import signal; open('/opt/ml/model/so-far', 'w').write('x'); signal.pause()"
    request = requests.script(machine, source, StoppingCondition={"MaxRuntimeInSeconds": 1})

    description = run(machine, request)

    assert description["TrainingJobStatus"] == "Stopped"
    assert description["SecondaryStatus"] == "MaxRuntimeExceeded"
    assert unpacked(machine) == {"so-far": b"x"}
    assert description["ModelArtifacts"] == {"S3ModelArtifacts": MODEL}


def test_a_stopped_job_without_a_model_has_none(machine: Machine, tmp_path: Path) -> None:
    gate, stop = Gate(tmp_path), Stop()
    source = f"import signal; open({str(gate.path)!r}, 'w').write('on'); signal.pause()"
    request = requests.script(machine, source)
    ends: list[Json] = []
    thread = threading.Thread(target=lambda: ends.append(run(machine, request, stop)))
    thread.start()
    gate.hear()

    stop.set()
    thread.join()

    assert (ends[0]["TrainingJobStatus"], ends[0]["SecondaryStatus"]) == ("Stopped", "Stopped")
    assert not keys(machine, "models/")


def test_a_model_may_be_stored_as_files(machine: Machine) -> None:
    source = "open('/opt/ml/model/a', 'w').write('1'); open('/opt/ml/output/data/b', 'w').write('2')"
    request = requests.script(machine, source)
    request["OutputDataConfig"]["CompressionType"] = "NONE"

    description = run(machine, request)

    assert description["ModelArtifacts"] == {"S3ModelArtifacts": f"s3://{BUCKET}/models/job/output/model/"}
    assert keys(machine, "models/") == ["models/job/output/data/b", "models/job/output/model/a"]


LINK = "is a symbolic link; leave the files themselves there"


@pytest.mark.parametrize("compression", ["GZIP", "NONE"])
@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("os.rmdir(model); os.symlink(elsewhere, model)", f"/opt/ml/model is not uploaded: /opt/ml/model {LINK}"),
        (
            "os.rmdir(data); os.symlink(elsewhere, data)",
            f"/opt/ml/output/data is not uploaded: /opt/ml/output/data {LINK}",
        ),
        (
            "os.rename('/opt/ml/output', '/opt/ml/x'); os.symlink(elsewhere, '/opt/ml/output')",
            f"/opt/ml/output/data is not uploaded: /opt/ml/output {LINK}",
        ),
        (
            "os.symlink(elsewhere, '/opt/ml/checkpoints')",
            f"/opt/ml/checkpoints is not uploaded: /opt/ml/checkpoints {LINK}",
        ),
        ("os.rmdir(model); open(model, 'w')", "/opt/ml/model is not uploaded: it is no folder"),
        ("os.rmdir(model)", "/opt/ml/model was removed; leave the folder there, with the model in it"),
    ],
    ids=["model", "output", "above the output", "checkpoints", "file", "removed"],
)
def test_results_that_are_no_folder_fail_the_job(
    machine: Machine, tmp_path: Path, source: str, said: str, compression: str
) -> None:
    (tmp_path / "elsewhere" / "data").mkdir(parents=True)
    (tmp_path / "elsewhere" / "secret").write_text("secret")
    folders = (
        f"import os; model, data, elsewhere = '/opt/ml/model', '/opt/ml/output/data', {str(tmp_path / 'elsewhere')!r}"
    )
    first = "" if "checkpoints" not in source else "os.rmdir('/opt/ml/checkpoints'); "
    checkpoints = {"S3Uri": f"s3://{BUCKET}/checkpoints"}
    request = requests.script(machine, f"{folders}\n{first}{source}", CheckpointConfig=checkpoints)
    request["OutputDataConfig"]["CompressionType"] = compression

    description = run(machine, request)

    assert description["TrainingJobStatus"] == "Failed"
    assert description["FailureReason"].startswith(f"ClientError: {said}")
    assert keys(machine) == ["code/sourcedir.tar.gz"]


def test_an_empty_model_is_uploaded_and_told(machine: Machine) -> None:
    assert run(machine, requests.script(machine, "pass"))["TrainingJobStatus"] == "Completed"
    assert unpacked(machine) == {}
    assert notes(log(machine)) == ["/opt/ml/model is empty: the model has no files"]


def test_links_in_a_model_that_lead_elsewhere_are_told(machine: Machine) -> None:
    source = """
        import os
        os.chdir("/opt/ml/model")
        open("model", "w").write("x")
        os.symlink("model", "latest")
        os.symlink("/etc/passwd", "secret")
    """

    assert run(machine, requests.script(machine, source))["TrainingJobStatus"] == "Completed"
    assert unpacked(machine) == {"model": b"x"}
    assert notes(log(machine)) == ["'/opt/ml/model/secret' was not uploaded: it is a symbolic link"]


def test_checkpoints_come_back_to_the_next_job(machine: Machine) -> None:
    source = """
        import os
        path = "/opt/ml/checkpoints/epoch"
        before = open(path).read() if os.path.exists(path) else "none"
        open(path, "w").write("5")
        print(before)
        raise SystemExit(1)
    """
    request = requests.script(machine, source, CheckpointConfig={"S3Uri": f"s3://{BUCKET}/checkpoints"})
    assert run(machine, request)["TrainingJobStatus"] == "Failed"
    training.create(machine, "next", request)

    training.run(machine, "next", Stop())

    log_file = machine.root / "logs/aws/sagemaker/TrainingJobs/next/algo-1.log"
    assert log_file.read_text() == "5\n"


def test_a_job_held_to_one_cpu_knows_it(machine: Machine) -> None:
    request = requests.script(machine, "import os; print(os.environ['SM_NUM_CPUS'], len(os.sched_getaffinity(0)))")
    training.create(machine, "job", request)

    training.run(machine, "job", Stop(), cpus=1)

    assert printed(log(machine)) == "1 1\n"


def test_a_job_whose_process_is_gone_is_marked_and_swept_up(machine: Machine) -> None:
    training.create(machine, "job", requests.script(machine, "pass"))
    leftover = machine.root / "jobs" / "TrainingJobs" / "job" / "ml"
    leftover.mkdir(parents=True)

    description = training.recover(machine, "job", "The process that ran this job ended.")

    assert description["TrainingJobStatus"] == description["SecondaryStatus"] == "Failed"
    assert description["FailureReason"] == "The process that ran this job ended."
    requests.assert_described(machine, "DescribeTrainingJob", description)
    assert not leftover.parent.exists()
    assert training.recover(machine, "job", "late") == description
