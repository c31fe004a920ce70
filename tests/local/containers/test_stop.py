"""A request to stop."""

from concurrent.futures import ThreadPoolExecutor

from pipelines.local.containers.stop import Stop


def test_every_callback_is_called_once() -> None:
    stop, calls = Stop(), list[str]()

    with stop.on_set(lambda: calls.append("a")), stop.on_set(lambda: calls.append("b")):
        stop.set()
        stop.set()

    assert calls == ["a", "b"]
    assert stop.is_set()


def test_a_callback_that_comes_too_late_is_called_at_once() -> None:
    stop, calls = Stop(), list[str]()
    stop.set()

    with stop.on_set(lambda: calls.append("late")):
        assert calls == ["late"]


def test_a_callback_is_forgotten_with_its_context() -> None:
    stop, calls = Stop(), list[str]()
    with stop.on_set(lambda: calls.append("gone")):
        pass

    stop.set()

    assert not calls


def test_threads_wait_for_it() -> None:
    stop = Stop()
    assert not stop.wait(0)

    with ThreadPoolExecutor() as pool:
        waiting = [pool.submit(stop.wait, 30) for _ in range(3)]
        stop.set()

    assert all(item.result() for item in waiting)
