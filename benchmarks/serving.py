"""Serving: the local endpoint beside the same functions in one process, and beside a naive server.

`python -m benchmarks.serving` runs the fraud pipeline, deploys what it registered, and sends the same claims, single
and in batches of 100, to each candidate in turn. Bare is `booster.predict` on claims that are encoded already.
"""

import argparse
import itertools
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.inference_functions import Inference
from benchmarks.template import ROLE, THRESHOLD, Template
from benchmarks.timing import Row, judge, span, table
from pipelines.fraud.settings import MODEL_PACKAGE_GROUP_NAME as GROUP
from pipelines.local.session import session

ENDPOINT = "serving"
BATCH = 100
CLIENTS = 4
SINGLES, BATCHES = 200, 100
LIMIT_MILLISECONDS = 2.0
SHARE = 0.6
PATIENCE_SECONDS = 60.0

Send = Callable[[bytes], object]


class Claims:
    """Raw claims as the bodies of requests, each with the header line."""

    def __init__(self, file: Path) -> None:
        self._header, *self._lines = [line.partition(",")[2] for line in file.read_text().splitlines(keepends=True)]

    def bodies(self, size: int) -> Iterator[bytes]:
        """Return bodies of so many claims, again and again."""
        starts = itertools.cycle(range(0, len(self._lines) - size + 1, size))
        return ("".join([self._header, *self._lines[start : start + size]]).encode() for start in starts)


class Connection:
    """A client with a connection that is kept."""

    def __init__(self, address: str) -> None:
        self._http = HTTPConnection(address, timeout=PATIENCE_SECONDS)

    def __call__(self, body: bytes) -> str:
        """Post a body, and return the answer."""
        self._http.request("POST", "/invocations", body, {"content-type": "text/csv", "accept": "text/csv"})
        response = self._http.getresponse()
        answer = response.read().decode()
        if response.status != 200:
            raise RuntimeError(f"{response.status}: {answer}")
        return answer

    def close(self) -> None:
        """Close the connection."""
        self._http.close()


class Predict:
    """`booster.predict` on claims that are encoded already, from the matrix on."""

    def __init__(self, inference: Inference, body: bytes) -> None:
        self._model = inference.model
        self._matrix = inference.matrix(body)

    def __call__(self, _: bytes) -> object:
        """Predict the same claims once more."""
        return self._model.predict(self._matrix)


def latencies(send: Send, bodies: Iterator[bytes], count: int) -> list[float]:
    """Return how many milliseconds each of so many requests took, one after the other."""
    found = []
    for body in itertools.islice(bodies, count):
        started = time.perf_counter()
        send(body)
        found.append(1000 * (time.perf_counter() - started))
    return found


def rate(senders: Sequence[Send], bodies: Iterator[bytes], count: int) -> float:
    """Return how many requests a second some clients get answered that send at the same time."""
    prepared = list(itertools.islice(bodies, count))
    with ThreadPoolExecutor(len(senders)) as pool:
        started = time.perf_counter()
        shares = [pool.submit(_send_all, send, prepared[i :: len(senders)]) for i, send in enumerate(senders)]
        for share in shares:
            share.result()
        return count / (time.perf_counter() - started)


def _send_all(send: Send, bodies: Sequence[bytes]) -> None:
    for body in bodies:
        send(body)


@contextmanager
def endpoint(root: Path) -> Iterator[str]:
    """Serve the newest package of a root, and give the endpoint's address."""
    with session(root, region="us-east-1") as local:
        sagemaker = local.client("sagemaker")
        (package,) = sagemaker.list_model_packages(ModelPackageGroupName=GROUP)["ModelPackageSummaryList"]
        arn = package["ModelPackageArn"]
        sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
        sagemaker.create_model(ModelName=ENDPOINT, Containers=[{"ModelPackageName": arn}], ExecutionRoleArn=ROLE)
        variant: Any = {
            "VariantName": "AllTraffic",
            "ModelName": ENDPOINT,
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": 1,
        }
        sagemaker.create_endpoint_config(EndpointConfigName=ENDPOINT, ProductionVariants=[variant])
        sagemaker.create_endpoint(EndpointName=ENDPOINT, EndpointConfigName=ENDPOINT)
        try:
            waiter = sagemaker.get_waiter("endpoint_in_service")
            waiter.wait(EndpointName=ENDPOINT, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
            yield urlsplit(local.sagemaker.endpoint_url(ENDPOINT)).netloc
        finally:
            sagemaker.delete_endpoint(EndpointName=ENDPOINT)


@contextmanager
def naive(model: Path) -> Iterator[str]:
    """Serve an unpacked model the naive way, and give the address."""
    command = [sys.executable, "-m", "benchmarks.naive_server", str(model)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        yield f"127.0.0.1:{int(process.stdout.readline())}"
        process.stdin.close()


def unpack(root: Path, folder: Path) -> Path:
    """Unpack the one model of a root."""
    (archive,) = root.rglob("model.tar.gz")
    with tarfile.open(archive) as tar:
        tar.extractall(folder, filter="data")
    return folder


def labelled(root: Path) -> Path:
    """Return the labelled claims of a root's run, label first."""
    (file,) = root.rglob("labelled.csv")
    return file


def measure(template: Template, rounds: int, singles: int = SINGLES, batches: int = BATCHES) -> list[Row]:
    """Measure the three ways in turn."""
    root = template.fresh_root("serving")
    template.run(root, template.definition_file, "--parameter", THRESHOLD)
    model = unpack(root, template.folder / "serving-model")
    claims, inference = Claims(labelled(root)), Inference(model)
    with ExitStack() as stack:
        addresses = {
            "endpoint": stack.enter_context(endpoint(root)),
            "naive server": stack.enter_context(naive(model)),
        }
        same_answers(inference, addresses, claims)
        # The naive server has one thread: a second client that keeps its connection would wait for ever.
        clients = {"endpoint": CLIENTS, "naive server": 1}
        senders = {
            name: [stack.enter_context(closing(Connection(addresses[name]))) for _ in range(count)]
            for name, count in clients.items()
        }
        return [
            *_singles({"in process": [inference], **senders}, inference, claims, rounds, singles),
            *_batches({"in process": [inference], **senders}, inference, claims, rounds, batches),
        ]


def same_answers(inference: Inference, addresses: dict[str, str], claims: Claims) -> None:
    """Require that all give the same probabilities, to the letter."""
    body = next(claims.bodies(BATCH))
    expected = inference(body)
    for name, address in addresses.items():
        with closing(Connection(address)) as send:
            if send(body) != expected:
                raise RuntimeError(f"the {name} does not give what the inference functions give")


def _singles(senders: dict[str, Any], inference: Inference, claims: Claims, rounds: int, count: int) -> list[Row]:
    candidates = {"bare predict": [Predict(inference, next(claims.bodies(1)))], **senders}
    found: dict[str, list[list[float]]] = {name: [] for name in candidates}
    for _ in range(rounds):
        for name, (send, *_others) in candidates.items():
            found[name].append(latencies(send, claims.bodies(1), count))
    medians = {name: [statistics.median(one) for one in rounds_of] for name, rounds_of in found.items()}
    print(f"\nsingle claims, one after the other, {rounds} rounds of {count}: milliseconds")
    for name, rounds_of in found.items():
        every = sorted(itertools.chain(*rounds_of))
        tail = every[int(0.99 * len(every))]
        print(
            f"  {name:<14} median {span(medians[name])}   p99 {tail:.3f}   {1000 / statistics.mean(every):.0f} a second"
        )
    cost = [ours - work for ours, work in zip(medians["endpoint"], medians["in process"], strict=True)]
    return [judge("what HTTP costs a single claim", LIMIT_MILLISECONDS, cost, "ms")]


def _batches(senders: dict[str, Any], inference: Inference, claims: Claims, rounds: int, count: int) -> list[Row]:
    candidates = {"bare predict": [Predict(inference, next(claims.bodies(BATCH)))], **senders}
    rates: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(rounds):
        for name, some in candidates.items():
            rates[name].append(BATCH * rate(some, claims.bodies(BATCH), count))
    print(f"\nbatches of {BATCH} claims, {rounds} rounds of {count}: claims a second")
    for name, found in rates.items():
        clients = len(candidates[name])
        shown = f"median {statistics.median(found):.0f} ({min(found):.0f} to {max(found):.0f})"
        print(f"  {name:<14} {shown}   {clients} at once" if clients > 1 else f"  {name:<14} {shown}")
    shares = [ours / work for ours, work in zip(rates["endpoint"], rates["in process"], strict=True)]
    bare = [ours / work for ours, work in zip(rates["endpoint"], rates["bare predict"], strict=True)]
    print(f"  the endpoint's share of bare predict, which reads no claims: {span(bare)}")
    is_met = statistics.median(shares) >= SHARE
    return [Row("claims a second in batches, of those in process", f">= {SHARE:g}", span(shares), is_met)]


def main() -> int:
    """Measure, and end with 1 if a goal is missed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serving", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="how often each candidate is measured (%(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="benchmarks-") as folder:
        template = Template(Path(folder))
        template.make()
        rows = measure(template, options.rounds)
    print(f"\n{table(rows)}")
    return int(not all(row.is_met for row in rows))


if __name__ == "__main__":
    sys.exit(main())
