"""An endpoint's process and what it starts: one for each endpoint, through crashes and switches, and nothing left."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.local.containers.processes import is_gone, wait_for
from tests.local.hosted import Hosting, hosting, variant
from tests.local.hosting.clients import Load

CANARY = {
    "BlueGreenUpdatePolicy": {
        "TrafficRoutingConfiguration": {
            "Type": "CANARY",
            "CanarySize": {"Type": "CAPACITY_PERCENT", "Value": 50},
            "WaitIntervalInSeconds": 1,
        },
    },
}
ALARMED = {**CANARY, "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": "errors"}]}}
METRICS: dict[str, Any] = {
    "raising": {"MetricName": "Invocation5XXErrors", "Statistic": "Sum", "Threshold": 0},
    "hanging": {"MetricName": "ModelLatency", "ExtendedStatistic": "p95", "Threshold": 500_000},
}
HANGS = "def model_fn(folder):\n    pass\n\ndef transform_fn(*arguments):\n    while True:\n        pass\n"
RAISES = "def model_fn(folder):\n    pass\n\ndef transform_fn(*arguments):\n    raise RuntimeError('broken')\n"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Hosting]:
    """A root whose endpoint `e` is in service with a model that says `one`; there is one that says `two`."""
    with hosting(tmp_path / "root") as made:
        for name in ("one", "two"):
            made.add_model(name, ANSWER=name)
            made.add_config(name, variant(model=name))
        assert made.add_endpoint("e", "one")["EndpointStatus"] == "InService"
        yield made


def family(pid: int) -> list[int]:
    """Return a process and all that it has started, and these have."""
    children: dict[int, list[int]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(status.read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        children.setdefault(parent, []).append(int(status.parent.name))
    found = [pid]
    for member in found:
        found += children.get(member, [])
    return found


def wait_for_the_end_of(processes: list[int]) -> None:
    wait_for(lambda: all(is_gone(pid) for pid in processes))


def command_line(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()


def ask(site: Hosting) -> str:
    return str(site.invoke("e", b"x")["Body"].decode())


def port(site: Hosting) -> int:
    return urlsplit(site.document("e")["Url"]).port or 0


def log(site: Hosting) -> list[str]:
    """Return what the process wrote of state changes."""
    lines = (site.root / "logs/aws/sagemaker/Endpoints/e/endpoint.log").read_text().splitlines()
    return [line.partition(" ")[2].partition(" ")[2] for line in lines]


def update(site: Hosting, config: str, deployment: Any = None) -> None:
    more = {"DeploymentConfig": deployment} if deployment else {}
    site.sagemaker.update_endpoint(EndpointName="e", EndpointConfigName=config, **more)


def test_a_second_process_for_an_endpoint_ends_at_once(site: Hosting) -> None:
    before = site.document("e")
    command = [sys.executable, "-m", "pipelines.local.hosting.process", str(site.root), "e"]
    second = subprocess.run(command, timeout=30, check=False)
    assert second.returncode == 0
    assert site.document("e") == before
    assert ask(site) == "one"


def test_a_root_that_is_none_is_refused(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "pipelines.local.hosting.process", str(tmp_path), "e"]
    done = subprocess.run(command, timeout=30, check=False, stderr=subprocess.PIPE, text=True)
    assert (done.returncode, done.stderr) == (1, f"{tmp_path} is no root folder of a local SageMaker\n")
    assert list(tmp_path.iterdir()) == []


def test_a_killed_process_leaves_nothing_running_and_the_next_serves_at_the_same_port(site: Hosting) -> None:
    first, everyone, at = site.pid("e"), family(site.pid("e")), port(site)
    assert len(everyone) >= 4
    os.kill(first, signal.SIGKILL)
    wait_for_the_end_of(everyone)
    assert ask(site) == "one"
    assert (site.pid("e") != first, port(site)) == (True, at)
    assert len(list((site.root / "jobs/Endpoints/e").iterdir())) == 1


@pytest.mark.parametrize("which", ["warm server", "model server", "worker"])
def test_no_request_fails_when_what_serves_is_killed_under_load(site: Hosting, which: str) -> None:
    _, warm_server, model_server, *workers = family(site.pid("e"))
    pid = {"warm server": warm_server, "model server": model_server, "worker": workers[0]}[which]
    with Load(port(site)) as load:
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: is_gone(pid))
        load.wait_for_more(200)
    assert load.problems == []
    assert set(load.answers) == {(200, "one")}


def test_no_request_fails_through_a_canary_under_load(site: Hosting) -> None:
    everyone = family(site.pid("e"))
    with Load(port(site), clients=4) as load:
        update(site, "two", CANARY)
        described = site.settled("e")
        load.wait_for_more()
        wait_for(lambda: {text for _, text in load.answers[-20:]} == {"two"})
    assert (described["EndpointConfigName"], described["EndpointStatus"]) == ("two", "InService")
    assert load.problems == []
    assert set(load.answers) == {(200, "one"), (200, "two")}
    wait_for_the_end_of(everyone[2:])
    assert [line for line in log(site) if "two" in line] == [
        "deployment of two: Creating",
        "deployment of two: ActivatingTraffic, 50% of the traffic",
        "deployment of two: Baking, 50% of the traffic",
        "deployment of two: ActivatingTraffic, 100% of the traffic",
        "deployment of two: Baking, 100% of the traffic",
        "deployment of two: Terminating, 100% of the traffic",
        "deployment of two: Deployed, 100% of the traffic",
        "endpoint: InService, serving two",
    ]


@pytest.mark.parametrize(("name", "script"), [("raising", RAISES), ("hanging", HANGS)])
def test_no_request_fails_when_a_broken_model_is_rolled_back_under_load(site: Hosting, name: str, script: str) -> None:
    site.add_model(name, script)
    site.add_config(name, variant(model=name))
    dimensions = [{"Name": "EndpointName", "Value": "e"}, {"Name": "VariantName", "Value": "primary"}]
    site.session.client("cloudwatch").put_metric_alarm(
        AlarmName="errors",
        Namespace="AWS/SageMaker",
        **METRICS[name],
        Dimensions=dimensions,
        Period=10,
        EvaluationPeriods=1,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
    )
    with Load(port(site)) as load:
        update(site, name, ALARMED)
        described = site.settled("e")
        load.wait_for_more()
    assert (described["EndpointConfigName"], described["EndpointStatus"]) == ("one", "InService")
    assert described["FailureReason"] == "The following CloudWatch alarm is in ALARM state: errors."
    assert load.problems == []
    assert set(load.answers) == {(200, "one")}


def test_a_deployment_whose_process_was_killed_is_begun_anew(site: Hosting) -> None:
    update(site, "two", CANARY)
    wait_for(lambda: "Baking" in str(site.describe("e").get("PendingDeploymentSummary")))
    everyone = family(site.pid("e"))
    os.kill(everyone[0], signal.SIGKILL)
    wait_for_the_end_of(everyone)
    described = site.settled("e")
    assert (described["EndpointConfigName"], described["EndpointStatus"]) == ("two", "InService")
    assert ask(site) == "two"


def test_a_deleted_endpoint_leaves_neither_processes_nor_files(site: Hosting) -> None:
    everyone = family(site.pid("e"))
    site.sagemaker.delete_endpoint(EndpointName="e")
    wait_for_the_end_of(everyone)
    assert site.session.sagemaker.machine.database.get("endpoint", "e") is None
    assert list((site.root / "jobs/Endpoints").iterdir()) == []
    assert len(list((site.root / "owners").iterdir())) == 1, "only that of the session"
    assert log(site)[-2:] == ["endpoint: deleted", "endpoint: the process ends"]


def test_a_process_that_is_told_to_end_does_and_its_endpoint_stays(site: Hosting) -> None:
    everyone, before = family(site.pid("e")), site.document("e")
    os.kill(everyone[0], signal.SIGTERM)
    wait_for_the_end_of(everyone)
    assert site.document("e") == before
    assert ask(site) == "one"


def test_a_process_ends_when_its_document_is_gone(site: Hosting) -> None:
    everyone = family(site.pid("e"))
    site.session.sagemaker.machine.database.delete("endpoint", "e")
    wait_for_the_end_of(everyone)


@pytest.mark.parametrize("end", ["gone", "another one"])
def test_a_process_ends_when_its_root_is(site: Hosting, tmp_path: Path, end: str) -> None:
    everyone = family(site.pid("e"))
    site.root.rename(tmp_path / "moved")
    if end == "another one":
        shutil.copytree(tmp_path / "moved", site.root)
    wait_for_the_end_of(everyone)
    if end == "gone":
        assert not site.root.exists()
        (tmp_path / "moved").rename(site.root)


def test_the_process_of_a_failed_endpoint_ends(site: Hosting) -> None:
    site.add_model("unloadable", "def model_fn(folder):\n    raise OSError('cannot load')\n")
    site.add_config("unloadable", variant(model="unloadable"))
    assert site.add_endpoint("f", "unloadable")["EndpointStatus"] == "Failed"
    wait_for(lambda: is_gone(site.pid("f")))


def test_a_process_has_a_session_of_its_own_and_no_input(site: Hosting) -> None:
    pid = site.pid("e")
    assert os.getsid(pid) != os.getsid(0)
    assert str(Path(f"/proc/{pid}/fd/0").readlink()) == os.devnull
    assert "pipelines.local.hosting.process" in command_line(pid)
