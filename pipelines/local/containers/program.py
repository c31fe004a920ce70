"""A program of the user's: at /opt/ml/code, from wherever a request says that it is."""

import shutil

from pipelines.local.containers import opt_ml
from pipelines.local.containers.archives import unpack
from pipelines.local.containers.container import OPT_ML
from pipelines.local.containers.opt_ml import Tree
from pipelines.local.containers.requirements import read, unmet
from pipelines.local.errors import LocalError
from pipelines.local.store import Store
from pipelines.local.store.keys import parse_uri

REQUIREMENTS = "requirements.txt"


class NoProgram(LocalError):
    """A program that is not there, or needs what is not installed."""


def fetch_code(store: Store, tree: Tree, module: str) -> None:
    """Put an archive or a folder with a program at /opt/ml/code.

    Raises:
        NoProgram: it is nowhere that a container can see.
        BadArchive: it is no archive.
        ServiceError: it is not in S3.
    """
    code = tree.path(opt_ml.CODE)
    if module.startswith("s3://"):
        archive = tree.folder.parent / "sourcedir.tar.gz"
        bucket, key = parse_uri(module)
        with store.open(bucket, key) as source, archive.open("wb") as target:
            shutil.copyfileobj(source, target)
        unpack(archive, code, module)
    elif module.rstrip("/") != opt_ml.CODE:
        try:
            local = tree.path(module)
        except ValueError as error:
            raise NoProgram(
                f"sagemaker_submit_directory '{module}' is neither an S3 URI nor below {OPT_ML}/"
            ) from error
        if local.is_dir():
            shutil.copytree(local, code, dirs_exist_ok=True)
        else:
            unpack(local, code, module)


def ready_code(tree: Tree, program: str, module: str) -> None:
    """Make a program executable; refuse one that is not there, or whose requirements are not installed.

    Raises:
        NoProgram: naming what is missing.
    """
    code = tree.path(opt_ml.CODE)
    if not (code / program).is_file():
        there = ", ".join(sorted(path.name for path in code.iterdir())) or "nothing"
        raise NoProgram(f"sagemaker_program '{program}' is not in {module}, which has: {there}")
    (code / program).chmod(0o755)
    requirements = code / REQUIREMENTS
    missing = list(unmet(read(requirements))) if requirements.is_file() else []
    if missing:
        raise NoProgram(
            f"{REQUIREMENTS}: {'; '.join(missing)}. Jobs install nothing on this machine: add it to the environment "
            "that the jobs run in"
        )
