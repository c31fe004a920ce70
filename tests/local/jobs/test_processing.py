"""Processing jobs, from request to description."""

import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pipelines.local.containers.stop import Stop
from pipelines.local.jobs import processing
from pipelines.local.jobs.machine import Machine
from tests.local.containers.processes import Gate, wait_for
from tests.local.documents import BUCKET
from tests.local.jobs import job_requests as requests
from tests.local.jobs.job_requests import both_kinds, content, keys, notes, printed, put, s3_input, s3_output


def run(machine: Machine, request: dict[str, Any], name: str = "job", stop: Stop | None = None) -> dict[str, Any]:
    """Create and run a job, and check what must always hold."""
    created = processing.create(machine, name, request)
    requests.assert_described(machine, "DescribeProcessingJob", created)
    description = processing.run(machine, name, stop or Stop())
    requests.assert_described(machine, "DescribeProcessingJob", description)
    assert machine.database.get(processing.KIND, name) == description
    assert not list((machine.root / "jobs").glob("*/*"))
    return description


def log(machine: Machine, name: str = "job") -> str:
    return (machine.root / "logs/aws/sagemaker/ProcessingJobs" / name / "algo-1.log").read_text()


@both_kinds
def test_a_job_turns_inputs_into_outputs(machine: Machine) -> None:
    for key in ("in/a.csv", "in/deep/b.csv"):
        put(machine, key, key)
    source = """
        import os, pathlib, sys
        data, result = map(pathlib.Path, sys.argv[1:])
        print(*sorted(str(path.relative_to(data)) for path in data.rglob("*.csv")), os.environ["MODE"])
        (result / "deep").mkdir()
        (result / "deep" / "sum.txt").write_text("2")
        (result / "link").symlink_to("deep/sum.txt")
    """
    data = "/opt/ml/processing/input/data"
    request = requests.processing(machine, source, data, "/opt/ml/processing/result", Environment={"MODE": "fast"})
    request["ProcessingInputs"].append(s3_input("data", f"s3://{BUCKET}/in", data))

    description = run(machine, request)

    assert description["ProcessingJobStatus"] == "Completed"
    assert printed(log(machine)) == "a.csv deep/b.csv fast\n"
    assert keys(machine, "out/") == ["out/result/deep/sum.txt"]
    assert description["ProcessingEndTime"] >= description["ProcessingStartTime"] >= description["CreationTime"]
    assert {name: description[name] for name in request} == request
    assert description["ProcessingJobArn"] == "arn:aws:sagemaker:us-east-1:000000000000:processing-job/job"


def test_a_job_finds_its_configuration(machine: Machine) -> None:
    source = """
        import json
        for name in ("processingjobconfig", "resourceconfig"):
            print(json.dumps(json.load(open(f"/opt/ml/config/{name}.json"))))
    """
    request = requests.processing(machine, source)

    run(machine, request)

    job, resources = map(json.loads, printed(log(machine)).splitlines())
    assert job["ProcessingJobName"] == "job"
    assert job["ProcessingInputs"] == request["ProcessingInputs"]
    assert resources["current_host"] == "algo-1"
    assert resources["hosts"] == ["algo-1"]


def test_a_manifest_names_the_objects(machine: Machine) -> None:
    for key in ("in/a", "in/b/c", "in/unlisted"):
        put(machine, key, key)
    manifest = put(machine, "manifest", json.dumps([{"prefix": f"s3://{BUCKET}/in/"}, "a", "b/c"]))
    request = requests.processing(machine, "import os; print(sorted(os.listdir('/opt/ml/processing/data')))")
    item = s3_input("data", manifest, "/opt/ml/processing/data", S3DataType="ManifestFile")
    request["ProcessingInputs"].append(item)

    run(machine, request)

    assert printed(log(machine)) == "['a', 'b']\n"


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        ('[{"prefix": "s3://bucket/in/"}, "../../secret"]', "cannot be a file"),
        ('{"prefix": "s3://bucket/in/"}', "must look like"),
        ("no json", "is not JSON"),
        ('[{"prefix": "s3://bucket/in/"}, "missing"]', "missing"),
    ],
)
def test_a_bad_manifest_fails_the_job(machine: Machine, manifest: str, said: str) -> None:
    request = requests.processing(machine, "print('ran')")
    uri = put(machine, "manifest", manifest)
    item = s3_input("data", uri, "/opt/ml/processing/data", S3DataType="ManifestFile")
    request["ProcessingInputs"].append(item)

    description = run(machine, request)

    assert description["ProcessingJobStatus"] == "Failed"
    assert description["FailureReason"].startswith("ClientError: Data download failed: ")
    assert said in description["FailureReason"]


def test_an_input_that_is_not_there_fails_the_job(machine: Machine) -> None:
    request = requests.processing(machine, "print('ran')")
    request["ProcessingInputs"].append(s3_input("data", f"s3://{BUCKET}/none/", "/opt/ml/processing/data"))

    description = run(machine, request)

    assert description["FailureReason"].startswith("ClientError: Data download failed: ")
    assert f"input 'data': no object matches s3://{BUCKET}/none/; upload it first" in description["FailureReason"]
    assert "if a step or a job should have written it, that one wrote nothing there" in description["FailureReason"]
    assert "\n" not in description["FailureReason"]
    assert not keys(machine, "out/")


WRITE_AND = "open('/opt/ml/processing/result/half', 'w').write('x'); "


@both_kinds
@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("raise ValueError('column x is missing')", "AlgorithmError: ValueError: column x is missing, exit code: 1"),
        ("import sys; sys.exit(3)", "AlgorithmError: See job logs for more information, exit code: 3"),
        ("import os; os.kill(os.getpid(), 9)", "AlgorithmError: killed by SIGKILL; See job logs for more information"),
    ],
)
def test_a_script_that_fails_fails_the_job_and_uploads_nothing(machine: Machine, source: str, reason: str) -> None:
    write = "import sys; open(sys.argv[1] + '/half', 'w').write('x')\n"
    description = run(machine, requests.processing(machine, write + source, "/opt/ml/processing/result"))

    assert description["ProcessingJobStatus"] == "Failed"
    assert description["FailureReason"].startswith(reason)
    assert not keys(machine, "out/")


def test_a_hard_coded_path_on_a_machine_without_namespaces_is_explained(
    machine: Machine, hosts: dict[str, Any]
) -> None:
    blind = replace(machine, host=hosts["no namespaces"])

    description = run(blind, requests.processing(machine, "open('/opt/ml/processing/result/x', 'w')"))

    assert description["FailureReason"].endswith("take paths from SM_* variables or arguments instead)")


def test_of_a_failed_job_only_continuous_outputs_are_there(machine: Machine) -> None:
    source = """
        for name in ("result", "progress"):
            open(f"/opt/ml/processing/{name}/file", "w").write("x")
        raise SystemExit("no")
    """
    request = requests.processing(machine, source)
    request["ProcessingOutputConfig"]["Outputs"].append(s3_output("progress", mode="Continuous"))

    assert run(machine, request)["ProcessingJobStatus"] == "Failed"
    assert keys(machine, "out/") == ["out/progress/file"]


@pytest.mark.parametrize("code", [0, 1])
def test_the_exit_message_is_kept_however_the_job_ends(machine: Machine, code: int) -> None:
    source = f"open('/opt/ml/output/message', 'w').write('GateRejected: 0.7' + 'é' * 2000); raise SystemExit({code})"

    description = run(machine, requests.processing(machine, source))

    assert description["ExitMessage"].startswith("GateRejected: 0.7é")
    assert len(description["ExitMessage"].encode()) <= 1024
    assert ("FailureReason" in description) == bool(code)
    if code:
        assert description["FailureReason"].startswith("AlgorithmError: GateRejected: 0.7")
        assert len(description["FailureReason"]) <= 1024


def test_an_exit_message_that_is_no_text_fails_the_job(machine: Machine) -> None:
    description = run(machine, requests.processing(machine, "open('/opt/ml/output/message', 'wb').write(b'\\xff')"))

    assert description["ProcessingJobStatus"] == "Failed"
    assert description["FailureReason"].startswith("ClientError: /opt/ml/output/message is not UTF-8 text")


def test_an_exit_message_that_is_a_link_is_not_followed(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    source = f"import os; os.symlink({str(tmp_path / 'secret')!r}, '/opt/ml/output/message')"

    assert "ExitMessage" not in run(machine, requests.processing(machine, source))


PROCESSING = "/opt/ml/processing"
RESULT = f"{PROCESSING}/result"


@pytest.mark.parametrize("source", ["print('x', end='')", f"import os; os.rmdir('{RESULT}')"])
def test_a_job_that_writes_nothing_completes_with_no_object_and_says_so(machine: Machine, source: str) -> None:
    assert run(machine, requests.processing(machine, source))["ProcessingJobStatus"] == "Completed"
    assert not keys(machine, "out/")
    assert notes(log(machine)) == ["output 'result' is empty: nothing was uploaded"]


LINK = "is a symbolic link; leave the files themselves there"


@pytest.mark.parametrize(
    ("replace", "said"),
    [
        (f"os.rmdir('{RESULT}'); os.symlink(elsewhere, '{RESULT}')", f"{RESULT} is not uploaded: {RESULT} {LINK}"),
        (
            f"os.rename('{PROCESSING}', '/opt/ml/x'); os.symlink(elsewhere, '{PROCESSING}')",
            f"{PROCESSING}/more is not uploaded: {PROCESSING} {LINK}",
        ),
        (f"os.rmdir('{RESULT}'); open('{RESULT}', 'w')", f"{RESULT} is not uploaded: it is no folder; leave a folder"),
    ],
    ids=["link", "link above", "file"],
)
@pytest.mark.parametrize("code", [0, 1])
def test_an_output_that_is_not_a_folder_of_its_own_fails_the_job(
    machine: Machine, tmp_path: Path, replace: str, said: str, code: int
) -> None:
    for folder in (tmp_path / "elsewhere", tmp_path / "elsewhere" / "result"):
        folder.mkdir()
        (folder / "secret").write_text("secret")
    begin = f"import os; elsewhere = {str(tmp_path / 'elsewhere')!r}; open('{PROCESSING}/more/file', 'w')"
    source = f"{begin}\n{replace}\nos._exit({code})"
    request = requests.processing(machine, source)
    request["ProcessingOutputConfig"]["Outputs"] = [
        s3_output("more", mode="Continuous"),
        s3_output("result", mode="Continuous"),
    ]

    description = run(machine, request)

    assert description["ProcessingJobStatus"] == "Failed"
    assert description["FailureReason"].startswith(f"ClientError: {said}")
    assert not keys(machine, "out/")


def test_what_is_no_file_is_left_out_and_named(machine: Machine) -> None:
    source = """
        import os
        os.chdir("/opt/ml/processing/result")
        open("file", "w").write("x")
        os.mkfifo("a pipe")
        for number in range(11):
            os.symlink("file", f"link-{number:02}\\n")
    """

    assert run(machine, requests.processing(machine, source))["ProcessingJobStatus"] == "Completed"
    assert keys(machine, "out/") == ["out/result/file"]
    said = notes(log(machine))
    assert said[0] == f"'{RESULT}/a pipe' was not uploaded: it is a special file"
    assert said[1] == f"'{RESULT}/link-00\\n' was not uploaded: it is a symbolic link"
    assert len(said) == 11
    assert said[-1] == f"2 more links and special files in {RESULT} were not uploaded"


@pytest.mark.parametrize("name", ["message", "failure"])
def test_a_message_behind_a_link_is_not_read(machine: Machine, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("secret")
    source = f"import os; os.rename('/opt/ml/output', '/opt/ml/x'); os.symlink({str(tmp_path)!r}, '/opt/ml/output')"

    assert "secret" not in str(run(machine, requests.processing(machine, source + "; raise SystemExit(1)")))


def test_a_job_that_hangs_is_ended_at_its_limit(machine: Machine) -> None:
    request = requests.processing(
        machine, "import signal; signal.pause()", StoppingCondition={"MaxRuntimeInSeconds": 1}
    )

    description = run(machine, request)

    assert description["ProcessingJobStatus"] == "Stopped"
    assert "MaxRuntimeInSeconds (1 s)" in description["FailureReason"]


def test_a_stopped_job_is_stopped_and_uploads_nothing(machine: Machine, tmp_path: Path) -> None:
    gate, stop = Gate(tmp_path), Stop()
    source = WRITE_AND + f"import signal; open({str(gate.path)!r}, 'w').write('on'); signal.pause()"
    ends: list[dict[str, Any]] = []
    request = requests.processing(machine, source)
    thread = threading.Thread(target=lambda: ends.append(run(machine, request, stop=stop)))
    thread.start()
    gate.hear()

    stop.set()
    thread.join()

    assert ends[0]["ProcessingJobStatus"] == "Stopped"
    assert not keys(machine, "out/")


def test_a_job_whose_server_dies_fails_with_the_reason(machine: Machine, tmp_path: Path) -> None:
    gate = Gate(tmp_path)
    source = f"import os, signal; open({str(gate.path)!r}, 'w').write('on'); os.kill(os.getppid(), 9); signal.pause()"
    ends: list[dict[str, Any]] = []
    request = requests.processing(machine, source)
    thread = threading.Thread(target=lambda: ends.append(run(machine, request)))
    thread.start()
    gate.hear()
    thread.join()

    assert ends[0]["ProcessingJobStatus"] == "Failed"
    assert "the server process of this machine's jobs ended" in ends[0]["FailureReason"]


def test_inputs_and_outputs_that_the_application_manages_are_left_to_it(machine: Machine) -> None:
    request = requests.processing(machine, "import os; print(os.path.exists('/opt/ml/processing/x'))")
    request["ProcessingInputs"].append({**s3_input("x", "s3://nowhere/x", "/opt/ml/processing/x"), "AppManaged": True})
    request["ProcessingOutputConfig"]["Outputs"].append({**s3_output("y"), "AppManaged": True})

    assert run(machine, request)["ProcessingJobStatus"] == "Completed"
    assert printed(log(machine)) == "False\n"


def test_a_job_whose_process_is_gone_is_marked_and_swept_up(machine: Machine, tmp_path: Path) -> None:
    processing.create(machine, "job", requests.processing(machine, "pass"))
    leftover = machine.root / "jobs" / "ProcessingJobs" / "job" / "ml"
    leftover.mkdir(parents=True)

    description = processing.recover(machine, "job", "The process that ran this job ended.")

    assert (description["ProcessingJobStatus"], description["FailureReason"]) == (
        "Failed",
        "The process that ran this job ended.",
    )
    requests.assert_described(machine, "DescribeProcessingJob", description)
    assert not leftover.parent.exists()


def test_a_job_that_has_ended_is_left_as_it_is(machine: Machine) -> None:
    description = run(machine, requests.processing(machine, "pass"))

    assert processing.recover(machine, "job", "late") == description
    assert processing.recover(machine, "never-was", "late") == {}


def test_the_first_of_two_outputs_has_its_content(machine: Machine) -> None:
    source = "[open(f'/opt/ml/processing/{name}/file', 'w').write(name) for name in ('result', 'more')]"
    request = requests.processing(machine, source)
    request["ProcessingOutputConfig"]["Outputs"].append(s3_output("more"))

    run(machine, request)

    assert [content(machine, f"out/{name}/file") for name in ("result", "more")] == [b"result", b"more"]


def test_jobs_run_side_by_side(machine: Machine, tmp_path: Path) -> None:
    gates = [Gate(tmp_path / str(index)) for index in range(3)]
    threads = []
    for index, gate in enumerate(gates):
        request = requests.processing(machine, "import sys; open(sys.argv[1]).read()", str(gate.path))
        processing.create(machine, f"job-{index}", request)
        threads.append(threading.Thread(target=processing.run, args=(machine, f"job-{index}", Stop())))
        threads[-1].start()
    wait_for(lambda: len(list((machine.root / "jobs").glob("*/*/ml/processing"))) == 3)

    for gate in gates:
        gate.open()
    for thread in threads:
        thread.join()

    assert {job["ProcessingJobStatus"] for job in machine.database.list(processing.KIND)} == {"Completed"}


def test_the_log_of_a_job_that_cannot_start_says_why(machine: Machine) -> None:
    request = requests.processing(machine, "pass")
    request["ProcessingInputs"].append(s3_input("data", "s3://nobucket/x", "/opt/ml/processing/input/data"))

    reason = run(machine, request)["FailureReason"]

    assert "the bucket nobucket does not exist" in reason
    assert log(machine) == f"sagemaker-local: {reason}\n"
