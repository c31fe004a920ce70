"""Transform jobs, from request to results."""

import gzip
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from pipelines.local.containers.stop import Stop
from pipelines.local.jobs import transform
from pipelines.local.jobs.machine import Machine
from tests.docs.pages import blocks, section
from tests.local.containers.processes import Gate
from tests.local.documents import BUCKET
from tests.local.jobs.job_requests import both_kinds, content, keys, notes, put
from tests.local.jobs.transforms import DOUBLE, IN, OUT, log, model, request, run


def rows(count: int, first: int = 0) -> str:
    return "".join(f"{number},x\n" for number in range(first, first + count))


def doubled(count: int, first: int = 0) -> bytes:
    return "".join(f"{2.0 * number}\n" for number in range(first, first + count)).encode()


@both_kinds
def test_each_object_becomes_one_of_results_in_order(machine: Machine) -> None:
    model(machine)
    for key, first in (("in/a.csv", 0), ("in/deep/b.csv", 100)):
        put(machine, key, rows(50, first))

    description = run(machine, request())

    assert description["TransformJobStatus"] == "Completed"
    assert "FailureReason" not in description
    assert keys(machine, "out") == ["out/a.csv.out", "out/deep/b.csv.out"]
    assert content(machine, "out/a.csv.out") == doubled(50)
    assert content(machine, "out/deep/b.csv.out") == doubled(50, 100)
    assert "got 50 text/csv" in log(machine)
    assert description["TransformEndTime"] >= description["TransformStartTime"] >= description["CreationTime"]
    assert description["TransformJobArn"] == "arn:aws:sagemaker:us-east-1:000000000000:transform-job/job"


def test_an_object_that_is_named_in_full_keeps_its_last_name(machine: Machine) -> None:
    model(machine)
    put(machine, "in/a.csv", rows(1))
    run(machine, request(f"{IN}a.csv"))
    assert keys(machine, "out") == ["out/a.csv.out"]


def test_a_manifest_names_the_objects(machine: Machine) -> None:
    model(machine)
    for key in ("in/a.csv", "in/deep/b.csv", "in/unlisted.csv"):
        put(machine, key, rows(1))
    manifest = put(machine, "manifest", json.dumps([{"prefix": IN}, "a.csv", "deep/b.csv"]))
    run(machine, request(manifest, data_type="ManifestFile"))
    assert keys(machine, "out") == ["out/a.csv.out", "out/deep/b.csv.out"]


@pytest.mark.parametrize(
    ("manifest", "said"),
    [
        (None, "Data download failed: no object matches s3://bucket/in/; if a step or a job should have written it"),
        ('[{"prefix": "s3://bucket/in/"}, "../../secret"]', "cannot be a file"),
        ('[{"prefix": "s3://bucket/in/"}, "missing"]', "the object s3://bucket/in/missing does not exist"),
        ("no json", "is not JSON"),
    ],
)
def test_input_that_is_not_there_fails_the_job(machine: Machine, manifest: str | None, said: str) -> None:
    model(machine)
    more = {"uri": put(machine, "manifest", manifest), "data_type": "ManifestFile"} if manifest else {}
    description = run(machine, request(**more))
    assert description["TransformJobStatus"] == "Failed"
    assert description["FailureReason"].startswith("ClientError: Data download failed: ")
    assert said in description["FailureReason"]
    assert log(machine) == f"sagemaker-local: {description['FailureReason']}\n"


def test_requests_are_as_many_as_the_strategy_says(machine: Machine) -> None:
    model(machine)
    put(machine, "in/a.csv", rows(5))
    run(machine, request(BatchStrategy="SingleRecord"), "single")
    run(machine, request(input_={"SplitType": "None"}), "whole")
    assert log(machine, "single").count("got 1 text/csv") == 5
    assert log(machine, "whole").count("got 5 text/csv") == 1
    assert content(machine, "out/a.csv.out") == doubled(5)


def test_a_large_object_is_sent_in_payloads_over_several_connections(machine: Machine) -> None:
    model(machine, DOUBLE.replace("float(row[0])", "len(row[0])"))
    line = "x" * 1023 + "\n"
    put(machine, "in/a.csv", line * 5000)
    run(machine, request(MaxPayloadInMB=1, MaxConcurrentTransforms=3))
    assert log(machine).count("got 1024 text/csv") == 4
    assert content(machine, "out/a.csv.out") == b"2046\n" * 5000


def test_an_object_without_records_has_no_results(machine: Machine) -> None:
    model(machine)
    put(machine, "in/a.csv", "\n")
    assert run(machine, request())["TransformJobStatus"] == "Completed"
    assert content(machine, "out/a.csv.out") == b""


def test_a_compressed_object_is_unpacked(machine: Machine) -> None:
    model(machine)
    put(machine, "in/a.csv.gz", gzip.compress(rows(3).encode()))
    run(machine, request(input_={"CompressionType": "Gzip"}))
    assert content(machine, "out/a.csv.gz.out") == doubled(3)


def test_the_results_are_assembled_as_is_said(machine: Machine) -> None:
    model(machine, DOUBLE.replace('"".join(f"{result}\\n" for', '",".join(str(result) for'))
    put(machine, "in/a.csv", rows(2))
    for name, assembled in (("Line", b"0.0\n2.0\n"), ("None", b"0.02.0")):
        run(machine, request(BatchStrategy="SingleRecord", output={"AssembleWith": name}), f"job-{name}")
        assert content(machine, "out/a.csv.out") == assembled


def test_an_id_stands_beside_its_result_and_is_not_sent(machine: Machine) -> None:
    model(machine)
    put(machine, "in/a.csv", "id-1,1,x\nid-2,2,y\n")
    process = {"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"}
    run(machine, request(DataProcessing=process))
    assert content(machine, "out/a.csv.out") == b"id-1,2.0\nid-2,4.0\n"


FAILING = DOUBLE.replace("float(row[0])", "float(row[0] or exec(\"raise RuntimeError('no cell')\"))")


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("word,x", r"ClientError: 400: could not convert string to float: 'word'"),
        (",x", "AlgorithmError: 500: RuntimeError: no cell"),
    ],
)
def test_a_record_that_fails_fails_the_job_and_leaves_the_results_of_other_objects(
    machine: Machine, bad: str, reason: str
) -> None:
    model(machine, FAILING)
    put(machine, "in/a.csv", rows(3))
    put(machine, "in/b.csv", f"1,x\n{bad}\n3,x\n")
    put(machine, "in/c.csv", rows(3))
    wish = request(BatchStrategy="SingleRecord", ModelClientConfig={"InvocationsMaxRetries": 0})

    description = run(machine, wish)

    assert description["TransformJobStatus"] == "Failed"
    failure = f"{reason} (line 2 of {IN}b.csv)"
    assert description["FailureReason"] == f"{failure}; 1 of 3 objects failed: see the log"
    assert notes(log(machine)) == [failure]
    assert keys(machine, "out") == ["out/a.csv.out", "out/c.csv.out"]


def test_a_result_of_an_earlier_job_stays_when_its_object_fails(machine: Machine) -> None:
    model(machine)
    put(machine, "in/a.csv", "word\n")
    put(machine, "out/a.csv.out", "before")
    assert run(machine, request())["FailureReason"].endswith(f"'word' (line 1 of {IN}a.csv)")
    assert content(machine, "out/a.csv.out") == b"before"


def test_the_reason_of_the_documentation_is_the_one_that_is_given(machine: Machine) -> None:
    model(machine)
    put(machine, "in/a.csv", "1\nword\n")
    (quotation,) = blocks(section("docs/local.md", "Batch transform"), "text")
    assert f"{run(machine, request())['FailureReason']}\n" == quotation


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"DataProcessing": {"InputFilter": "$[2]"}}, "InputFilter $[2]: there is no element [2] among 2 (line 1 of "),
        ({"DataProcessing": {"OutputFilter": "$[1]"}}, "OutputFilter $[1]: there is no element [1] among 1 (line 1 of"),
        ({"input_": {"CompressionType": "Gzip"}}, "it is no whole gzip file: Not a gzipped file (b'0,') (s3://bucket/"),
    ],
)
def test_data_that_cannot_be_processed_fail_the_job(machine: Machine, more: dict[str, Any], reason: str) -> None:
    model(machine)
    put(machine, "in/a.csv", rows(2))
    description = run(machine, request(**more))
    assert description["TransformJobStatus"] == "Failed"
    assert description["FailureReason"].startswith("ClientError: ")
    assert reason in description["FailureReason"]
    assert not keys(machine, "out")


def test_a_model_that_cannot_be_loaded_fails_the_job_with_its_reason(machine: Machine) -> None:
    model(machine, "def model_fn(folder):\n    raise RuntimeError('the model is from Mars')")
    put(machine, "in/a.csv", rows(1))
    description = run(machine, request())
    assert description["TransformJobStatus"] == "Failed"
    assert description["FailureReason"].startswith("AlgorithmError: Model 'model' cannot be served: ")
    assert "the model is from Mars" in description["FailureReason"]


def test_a_worker_that_dies_is_replaced_and_its_request_sent_again(machine: Machine, tmp_path: Path) -> None:
    once = tmp_path / "once"
    dying = f"""
        os.path.exists({str(once)!r}) or (open({str(once)!r}, "w").close(), os.kill(os.getpid(), 9))
        return ["""
    model(machine, DOUBLE.replace("\n        return [factor", dying + "factor"))
    put(machine, "in/a.csv", rows(3))
    assert run(machine, request())["TransformJobStatus"] == "Completed"
    assert once.exists()
    assert content(machine, "out/a.csv.out") == doubled(3)


@pytest.mark.parametrize("place", ["\n        return 2", "\n        return [factor"])
def test_a_stopped_job_ends_at_once_and_leaves_no_results(machine: Machine, tmp_path: Path, place: str) -> None:
    gate, stop = Gate(tmp_path), Stop()
    waiting = f"\n        open({str(gate.path)!r}, 'w').write('on'); __import__('signal').pause(){place}"
    model(machine, DOUBLE.replace(place, waiting))
    put(machine, "in/a.csv", rows(3))
    ends: list[dict[str, Any]] = []
    thread = threading.Thread(target=lambda: ends.append(run(machine, request(), stop=stop)))
    thread.start()
    gate.hear()

    stop.set()
    thread.join()

    assert ends[0]["TransformJobStatus"] == "Stopped"
    assert "FailureReason" not in ends[0]
    assert not keys(machine, "out")


def test_a_job_that_is_stopped_before_it_runs_leaves_nothing(machine: Machine) -> None:
    model(machine)
    put(machine, "in/a.csv", rows(3))
    stop = Stop()
    stop.set()
    assert run(machine, request(), stop=stop)["TransformJobStatus"] == "Stopped"
    assert not keys(machine, "out")


def test_a_job_whose_process_is_gone_is_marked_and_swept_up(machine: Machine) -> None:
    model(machine)
    transform.create(machine, "job", request())
    leftover = machine.root / "jobs" / "TransformJobs" / "job" / "results"
    leftover.mkdir(parents=True)

    description = transform.recover(machine, "job", "The process that ran this job ended.")

    assert (description["TransformJobStatus"], description["FailureReason"]) == (
        "Failed",
        "The process that ran this job ended.",
    )
    assert not leftover.parent.exists()
    assert transform.recover(machine, "job", "late") == description
    assert transform.recover(machine, "never-was", "late") == {}


def test_the_bucket_of_the_results_is_made(machine: Machine) -> None:
    model(machine)
    put(machine, "in/a.csv", rows(1))
    run(machine, request(output={"S3OutputPath": "s3://elsewhere"}))
    assert [item.key for item in machine.store.list("elsewhere")] == ["a.csv.out"]
    assert machine.store.has_bucket(BUCKET)
    assert OUT not in log(machine)
