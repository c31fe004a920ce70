"""An endpoint on a disk that is full: it serves on, and what it could not write down it does when it can."""

import json
from pathlib import Path

from tests.local.small_disk import run_on_small_disk

PROGRAM = """
    import json, logging, sys, threading
    from contextlib import suppress
    from pathlib import Path
    from pipelines.local.database import STATE
    from pipelines.local.hosting.gateway import Gateway
    from pipelines.local.hosting.listener import listen
    from pipelines.local.hosting.metrics import Metrics
    from tests.local.containers.processes import wait_for
    from tests.local.hosting.backend import Backends
    from tests.local.hosting.supervised import Clock, Endpoint

    root, log = Path(sys.argv[1]), Path(sys.argv[2])
    logging.basicConfig(filename=log)
    clock, backends = Clock(), Backends()
    metrics = Metrics(clock)
    gateway = Gateway(listen(None), metrics)
    gateway.start()
    endpoint = Endpoint(root, gateway, metrics, backends, clock)
    endpoint.write("Creating", Wanted={"EndpointConfigName": "old", "DeploymentConfig": None})
    endpoint.step_to("InService")
    endpoint.want("new")
    with (root / "fill").open("wb", buffering=0) as fill, suppress(OSError):
        while fill.write(bytes(4096)):
            pass
    stop = threading.Event()
    working = threading.Thread(target=endpoint.supervisor.run, args=(stop, root / STATE))
    working.start()
    wait_for(lambda: "cannot be read or written" in log.read_text())
    during = endpoint.ask()
    (root / "fill").unlink()
    wait_for(lambda: endpoint.read()["EndpointConfigName"] == "new")
    print(json.dumps([during, endpoint.read()["EndpointStatus"], endpoint.ask()]))
    stop.set()
    working.join()
    endpoint.supervisor.stop()
    gateway.close()
    endpoint.database.close()
"""


def test_an_endpoint_serves_on_and_is_updated_when_there_is_room_again(tmp_path: Path) -> None:
    (tmp_path / "root").mkdir()
    during, status, after = json.loads(run_on_small_disk(tmp_path / "root", PROGRAM, str(tmp_path / "log")))
    assert (during, status, after) == ([[200, "old"]], "InService", [[200, "new"]])
    assert "cannot write" in (tmp_path / "log").read_text()
