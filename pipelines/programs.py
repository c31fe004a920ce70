"""The installed commands from their first moment: Ctrl-C and SIGTERM while a command is loaded are told in a line."""

import sys
from importlib import import_module

from pipelines.delivery.interrupt import INTERRUPTED, listen


def approve_model() -> int:
    """Run approve-model and return its exit code."""
    return _start("approve-model", "pipelines.approve_model")


def deploy_model() -> int:
    """Run deploy-model and return its exit code."""
    return _start("deploy-model", "pipelines.deploy_model")


def project_template() -> int:
    """Run project-template and return its exit code."""
    return _start("project-template", "pipelines.project_template")


def run_pipeline() -> int:
    """Run run-pipeline and return its exit code."""
    return _start("run-pipeline", "pipelines.run_pipeline")


def get_pipeline_definition() -> int:
    """Run get-pipeline-definition and return its exit code."""
    return _start("get-pipeline-definition", "pipelines.get_pipeline_definition")


def init_project() -> int:
    """Run init-project and return its exit code."""
    return _start("init-project", "pipelines.init_project")


def sagemaker_local() -> int:
    """Run sagemaker-local and return its exit code."""
    return _start("sagemaker-local", "pipelines.sagemaker_local")


def teardown_project() -> int:
    """Run teardown-project and return its exit code."""
    return _start("teardown-project", "pipelines.teardown_project")


def _start(command: str, module: str) -> int:
    try:
        listen()
        # Not at the top: the import is what takes the time that somebody may press Ctrl-C in.
        code: int = import_module(module).main()
    except KeyboardInterrupt:
        sys.stderr.write(f"{command}: error: interrupted\n")
        return INTERRUPTED
    return code
