"""A script in a fork of the server behaves as one in a Python of its own."""

from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.local.containers.host import Host
from pipelines.local.containers.stop import Stop
from tests.local.containers.processes import script, write

SCRIPTS = {
    "atexit handlers run": (
        "import atexit; atexit.register(print, 'last'); print('first')",
        "first\nlast\n",
    ),
    "threads are waited for": (
        "import threading; threading.Timer(0.05, print, ['late']).start()",
        "late\n",
    ),
    "classes of the script can be pickled": (
        "import pickle\nclass Model: x = 1\nprint(pickle.loads(pickle.dumps(Model())).x)",
        "1\n",
    ),
    "processes can be forked": (
        """
        from multiprocessing import get_context
        def double(x): return 2 * x
        if __name__ == "__main__":
            with get_context("fork").Pool(2) as pool: print(pool.map(double, [1, 2]))
        """,
        "[2, 4]\n",
    ),
    "processes can be spawned": (
        """
        from multiprocessing import get_context
        def double(x): return 2 * x
        if __name__ == "__main__":
            with get_context("spawn").Pool(2) as pool: print(pool.map(double, [1, 2]))
        """,
        "[2, 4]\n",
    ),
    "joblib works": (
        """
        import joblib
        def double(x): return 2 * x
        if __name__ == "__main__":
            print(joblib.Parallel(n_jobs=2)(joblib.delayed(double)(x) for x in [1, 2]))
        """,
        "[2, 4]\n",
    ),
    "subprocesses work": (
        "import subprocess, sys; print(subprocess.check_output([sys.executable, '-c', 'print(1)']))",
        "b'1\\n'\n",
    ),
    "modules beside the script are found": ("import beside; print(beside.VALUE)", "beside\n"),
    "modules beside the script hide installed ones": ("import pandas; print(pandas.VALUE)", "hides\n"),
    "warnings name the script": (
        "import warnings, sys; sys.stderr = sys.stdout; warnings.warn('careful')",
        "{script}:1: UserWarning: careful\n",
    ),
    "training uses threads": (
        """
        import numpy, xgboost
        data = numpy.random.default_rng(0).random((500, 4))
        model = xgboost.train({"nthread": 2, "verbosity": 0}, xgboost.DMatrix(data, data[:, 0] > 0.5), 2)
        print(model.num_boosted_rounds())
        """,
        "2\n",
    ),
}


@pytest.mark.parametrize("name", SCRIPTS)
def test_in_a_script(host: Host, folder: Path, stop: Stop, name: str) -> None:
    source, printed = SCRIPTS[name]
    write(folder, "VALUE = 'beside'", "beside.py")
    if "hide" in name:
        write(folder, "VALUE = 'hides'", "pandas.py")
    container = script(folder, source)

    code = host.run(container, stop).code

    text = container.log.read_text().replace(str(folder / "ml"), "/opt/ml")
    expected = printed.format(script="/opt/ml/code/job.py") if "{script}" in printed else printed
    assert (code, text if "{script}" not in printed else text[: len(expected)]) == (0, expected)


def test_files_left_open_are_written(host: Host, folder: Path, stop: Stop) -> None:
    source = "import sys\nkeep = open(sys.argv[1], 'w')\nkeep.write('all of it')"

    assert host.run(script(folder, source, "/opt/ml/kept"), stop).code == 0

    assert (folder / "ml" / "kept").read_text() == "all of it"


def test_an_error_at_the_very_end_fails_the_script(host: Host, folder: Path, stop: Stop) -> None:
    container = script(folder, "import sys; keep = open('/dev/full', 'w'); keep.write('x')")

    assert host.run(container, stop).code == 120
    assert "No space left on device" in container.log.read_text()


def test_two_scripts_draw_different_random_numbers(host: Host, folder: Path, stop: Stop) -> None:
    source = "import numpy, random; print(random.random(), numpy.random.random())"
    containers = [script(folder / str(index), source) for index in range(2)]

    for container in containers:
        assert host.run(container, stop).code == 0

    one, two = (container.log.read_text().split() for container in containers)
    assert not set(one) & set(two)


def test_variables_that_python_reads_at_its_start_count(host: Host, folder: Path, stop: Stop) -> None:
    source = "import sys; print(sys.flags.hash_randomization, sys.flags.optimize)"
    container = replace(script(folder, source), environment={"PYTHONHASHSEED": "0", "PYTHONOPTIMIZE": "2"})

    assert host.run(container, stop).code == 0
    assert container.log.read_text() == "0 2\n"
