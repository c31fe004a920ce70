"""The workers of a model server: they share a model and the work, are replaced when they die, and end in peace."""

import http.client
import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from pipelines.local.containers.host import Host
from pipelines.local.serving.model_server import ModelServer
from tests.local.containers.processes import Gate, is_gone, wait_for
from tests.local.serving.served import CALCULATOR, Client, Reply, Serve, get, post

TWO = {"SAGEMAKER_MODEL_SERVER_WORKERS": "2"}


class Held:
    """A request that a worker works on until it is let go."""

    def __init__(self, server: ModelServer, folder: Path, threads: ThreadPoolExecutor, name: str = "held") -> None:
        self._gate = Gate(folder, name)
        self.begun = folder / f"{name}.begun"
        wait = f"open({str(self._gate.path)!r}).read() and os.getpid()"
        self.reply: Future[Reply] = threads.submit(post, server, f"Path({str(self.begun)!r}).touch() or {wait}")

    def wait(self) -> "Held":
        wait_for(self.begun.exists)
        return self

    def let_go(self) -> Reply:
        self._gate.open()
        return self.reply.result(60)


@pytest.fixture
def server(serve: Serve) -> ModelServer:
    return serve(CALCULATOR, TWO)


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(16) as pool:
        yield pool


def worker_of(server: ModelServer) -> int:
    return int(post(server, "os.getpid()").text)


def both_workers(server: ModelServer) -> set[int]:
    """Return two workers, once there are two."""
    found: set[int] = set()

    def has_found_both() -> bool:
        found.add(int(post(server, "time.sleep(0.005) or os.getpid()").text))
        return len(found) == 2

    wait_for(has_found_both)
    return found


def test_a_worker_that_is_busy_leaves_requests_to_others(
    server: ModelServer, tmp_path: Path, threads: ThreadPoolExecutor
) -> None:
    held = Held(server, tmp_path, threads).wait()
    others = {worker_of(server) for _ in range(5)}
    assert get(server, "/ping").status == 200
    assert int(held.let_go().text) not in others
    assert len(others) == 1


def test_a_model_is_loaded_once_and_shared(serve: Serve, tmp_path: Path, threads: ThreadPoolExecutor) -> None:
    server = serve(CALCULATOR.replace("return Path(model_dir)", "return os.getpid()"), TWO)
    held = Held(server, tmp_path, threads).wait()
    arbiter, loaded_by, pid = eval(post(server, "os.getppid(), model, os.getpid()").text)
    assert loaded_by == arbiter
    assert held.let_go().text != str(pid)


def test_connections_move_from_a_busy_worker_to_an_idle_one(server: ModelServer, threads: ThreadPoolExecutor) -> None:
    """All begin at one worker, for the other one sleeps while they connect."""
    first, second = both_workers(server)
    os.kill(second, signal.SIGSTOP)
    with ExitStack() as stack:
        clients = [stack.enter_context(closing(Client(server.socket))) for _ in range(4)]
        assert {int(client.post("os.getpid()").text) for client in clients} == {first}
        os.kill(second, signal.SIGCONT)

        def work(client: Client) -> list[str]:
            return [client.post("time.sleep(0.005) or os.getpid()").text for _ in range(50)]

        answers = Counter(pid for pids in threads.map(work, clients) for pid in pids)
    assert min(answers[str(first)], answers[str(second)]) > 60


def test_a_connection_is_kept_while_nobody_waits(server: ModelServer) -> None:
    with closing(Client(server.socket)) as client:
        replies = [client.post("os.getpid()") for _ in range(20)]
    assert not any(reply.closes for reply in replies)
    assert len({reply.text for reply in replies}) == 1


@pytest.mark.parametrize("end", ["os._exit(9)", "os.kill(os.getpid(), 11)"])
def test_a_worker_that_dies_is_replaced(server: ModelServer, end: str) -> None:
    both = both_workers(server)
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        post(server, end)
    assert post(server, "1 + 1").text == "2"
    assert len(both_workers(server) - both) == 1
    assert server.is_alive()


def test_a_killed_worker_is_replaced(server: ModelServer) -> None:
    killed = worker_of(server)
    os.kill(killed, signal.SIGKILL)
    wait_for(lambda: is_gone(killed))
    assert killed not in both_workers(server)


def test_a_worker_that_hangs_is_killed_and_replaced(serve: Serve) -> None:
    server = serve(CALCULATOR, TWO | {"SAGEMAKER_MODEL_SERVER_TIMEOUT": "1"})
    begun = time.monotonic()
    with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
        post(server, "exec('while True: pass')")
    assert time.monotonic() - begun > 0.5
    assert "WORKER TIMEOUT" in serve.log.read_text()
    assert len(both_workers(server)) == 2


def test_a_program_that_exits_in_a_request_is_an_error_and_no_end(server: ModelServer) -> None:
    pid = worker_of(server)
    assert post(server, "sys.exit('enough')") == Reply(500, "text/plain; charset=utf-8", "SystemExit: enough")
    assert not is_gone(pid)


def test_requests_in_flight_are_answered_before_the_end(
    server: ModelServer, tmp_path: Path, threads: ThreadPoolExecutor
) -> None:
    """Two are being worked on, others wait: at connections that are kept, and at new ones that nobody accepted yet."""
    with ExitStack() as stack:
        kept = [stack.enter_context(closing(Client(server.socket))) for _ in range(4)]
        for client in kept:
            client.post("1")
        held = [Held(server, tmp_path, threads, name).wait() for name in ("one", "two")]
        for client in kept:
            client.request("POST", "/invocations", b"1 + 1", {"Content-Type": "text/csv"})
        new = [stack.enter_context(closing(Client(server.socket))) for _ in range(4)]
        for client in new:
            client.request("POST", "/invocations", b"2 + 2", {"Content-Type": "text/csv"})
        stopping = threads.submit(server.stop)
        wait_for(lambda: not server.socket.exists())
        assert [each.let_go().status for each in held] == [200, 200]
        assert [client.reply().text for client in kept + new] == ["2"] * 4 + ["4"] * 4
        stopping.result(60)
    assert not server.is_alive()


def test_a_worker_that_does_not_end_is_killed_after_the_host_s_grace(
    serve: Serve, plain_host: Host, tmp_path: Path, threads: ThreadPoolExecutor
) -> None:
    server = serve(CALCULATOR, TWO, host=plain_host)
    pid = worker_of(server)
    held = Held(server, tmp_path, threads).wait()
    server.stop()
    assert is_gone(pid)
    assert isinstance(held.reply.exception(60), OSError | http.client.HTTPException)


def test_a_server_whose_container_is_killed_is_dead(server: ModelServer) -> None:
    both = both_workers(server)
    os.kill(int(post(server, "os.getppid()").text), signal.SIGKILL)
    wait_for(lambda: not server.is_alive())
    wait_for(lambda: all(is_gone(pid) for pid in both))


@pytest.mark.parametrize("environment", [{}, {"OMP_NUM_THREADS": "2"}])
def test_predictions_of_threads_work_in_forked_workers(serve: Serve, environment: dict[str, str]) -> None:
    """The threads of the process that loaded the model are not in its forks, which must not wait for them."""
    server = serve(
        """
        import numpy as np
        import xgboost as xgb

        def model_fn(model_dir):
            rows = np.random.default_rng(1).random((2000, 4), dtype=np.float32)
            booster = xgb.train({}, xgb.DMatrix(rows, label=rows[:, 0]), 3)
            booster.predict(xgb.DMatrix(rows))
            return booster

        def transform_fn(model, data, content_type, accept):
            return str(len(model.predict(xgb.DMatrix(np.zeros((int(data), 4), dtype=np.float32)))))
        """,
        TWO | environment | {"SAGEMAKER_MODEL_SERVER_TIMEOUT": "10"},
    )
    assert [post(server, "5000").text for _ in range(6)] == ["5000"] * 6
