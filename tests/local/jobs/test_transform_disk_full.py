"""Transform jobs on a disk that is full: they fail with one clear line, and no result is there by half."""

import json
from pathlib import Path

import pytest

from tests.local.small_disk import run_on_small_disk

PROGRAM = """
    import json, sys
    from pathlib import Path
    import botocore.session
    from pipelines.local.containers.host import Host
    from pipelines.local.database import Database
    from pipelines.local.jobs.machine import Machine
    from pipelines.local.store import Store
    from tests.local.jobs import job_requests as requests
    from tests.local.jobs import transforms

    root, megabytes, objects = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
    host, database = Host(), Database(root / "state.db")
    model = botocore.session.get_session().get_service_model("sagemaker")
    machine = Machine(root, Store(root / "s3"), database, host, model, "us-east-1", "000000000000")
    transforms.model(machine, f'''
        def model_fn(folder):
            return "x" * ({megabytes} << 20)

        def transform_fn(model, body, content_type, accept):
            return model, accept
    ''')
    for number in range(objects):
        requests.put(machine, f"in/{number}.csv", "1\\n")
    description = transforms.run(machine, transforms.request())
    host.close()
    print(json.dumps([description, requests.keys(machine), [str(path) for path in (root / "tmp").glob("*")]]))
"""


@pytest.mark.parametrize(
    ("megabytes", "objects"), [(10, 1), (2, 3)], ids=["while they are written", "while they are uploaded"]
)
def test_results_that_do_not_fit_are_not_there_by_half(tmp_path: Path, megabytes: int, objects: int) -> None:
    description, keys, leftovers = json.loads(run_on_small_disk(tmp_path, PROGRAM, str(megabytes), str(objects)))

    assert description["TransformJobStatus"] == "Failed"
    assert "No space left on device" in description["FailureReason"]
    assert "\n" not in description["FailureReason"]
    assert keys == [*(f"in/{number}.csv" for number in range(objects)), "models/model/model.tar.gz"]
    assert leftovers == []
