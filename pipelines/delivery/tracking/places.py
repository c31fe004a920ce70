"""Where experiments are recorded: a store of MLflow's, and where the files of the runs in it are."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from pipelines.delivery.errors import UsageError

DATABASE = "mlflow.db"
ARTIFACTS = "mlflow-artifacts"
VARIABLE = "MLFLOW_TRACKING_URI"

_ARN = re.compile(r"arn:aws(-us-gov)?:sagemaker:[a-z0-9-]+:\d{12}:(mlflow-tracking-server|mlflow-app)/[a-zA-Z0-9-]+")
_WEB = re.compile(r"https?://[^/\s]+(/\S*)?")
_USERINFO = re.compile(r"(?<=://)[^/?#\s]*@")


@dataclass(frozen=True)
class Tracking:
    """An MLflow tracking URI; artifacts is the URI that runs' files go below, none where the server chooses it.

    database is the file of a store on this machine.
    """

    uri: str
    artifacts: str | None = None
    database: Path | None = None


def local_tracking(root: Path) -> Tracking:
    """Return the store in the root folder of a local SageMaker."""
    folder = root.absolute()
    return Tracking(database_uri(folder / DATABASE), (folder / ARTIFACTS).as_uri(), folder / DATABASE)


def database_uri(path: Path) -> str:
    """Return the tracking URI of a database file."""
    # What would end the path or be decoded in it. With its driver named, MLflow makes no folder of the URI's letters.
    return f"sqlite+pysqlite:///{str(path).replace('%', '%25').replace('?', '%3F')}"


def choose_tracking(given: str | None, environment: Mapping[str, str], root: Path | None) -> Tracking:
    """Return the store that is given, else the one that the environment names, else that of a local root.

    Raises:
        UsageError: there is none of them, or it is none that another machine could read too.
    """
    uri = given or environment.get(VARIABLE, "")
    local = local_tracking(root) if root else None
    if local and uri in ("", local.uri):
        return local
    if not uri:
        raise UsageError(
            f"--track needs a URI in AWS: give the ARN of a SageMaker MLflow tracking server or app, or set {VARIABLE}"
        )
    if not (_ARN.fullmatch(uri) or _is_web(uri)):
        source = "--track" if given else VARIABLE
        # What is no URI may have a password anywhere before that sign.
        shown = f"…@{uri.rpartition('@')[2]}" if "@" in uri else uri
        raise UsageError(
            f"{source} {shown} is no place for experiments: expected https://<host>, "
            "arn:aws:sagemaker:<region>:<account>:mlflow-tracking-server/<name> or …:mlflow-app/<id>"
        )
    return Tracking(uri)


def without_userinfo(text: str) -> str:
    """Return a text without the names and passwords that URIs in it have before their hosts."""
    return _USERINFO.sub("", text)


def _is_web(uri: str) -> bool:
    """Tell whether a URI has a host, and a port that there can be."""
    try:
        parts = urlsplit(uri)
        return bool(_WEB.fullmatch(uri) and parts.hostname and parts.port != 0)
    except ValueError:
        return False
