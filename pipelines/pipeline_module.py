"""A module with a get_pipeline(): found, called with what it accepts, and compiled to a definition."""

from __future__ import annotations

import argparse
import importlib
import inspect
import os
import re
import sys
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.command_line import DEFAULT_MODULE, LOCAL_ROLE
from pipelines.delivery.errors import DeliveryError, UsageError
from pipelines.input_data import send_input_data
from pipelines.quiet_sdk import quiet_sdk

if TYPE_CHECKING:
    import boto3

GROUP_SETTING = "MODEL_PACKAGE_GROUP_NAME"
REGION_SETTING = "REGION"
VPC_SETTINGS = ("SUBNETS", "SECURITY_GROUPS")
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[a-zA-Z_0-9+=,.@/-]+")


@dataclass(frozen=True)
class Compiled:
    """A pipeline's name, its definition as JSON, and the key prefix that its uploads have unless --kwargs has one."""

    name: str
    definition: str
    prefix: object = None


@dataclass(frozen=True)
class PipelineModule:
    """A module's get_pipeline and the arguments that it takes."""

    name: str
    get_pipeline: Callable[..., Any]

    @property
    def accepted(self) -> tuple[str, ...]:
        """The names that can be passed by keyword."""
        return tuple(
            name
            for name, parameter in inspect.signature(self.get_pipeline).parameters.items()
            if parameter.kind in {parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY}
        )

    @property
    def accepts_any(self) -> bool:
        """Whether it takes `**kwargs`."""
        parameters = inspect.signature(self.get_pipeline).parameters.values()
        return any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters)

    def default(self, name: str) -> object:
        """Return the default of an argument; none where it has none."""
        parameter = inspect.signature(self.get_pipeline).parameters.get(name)
        return None if parameter is None or parameter.default is parameter.empty else parameter.default

    def check(self, kwargs: Mapping[str, Any]) -> None:
        """Refuse arguments that get_pipeline does not take."""
        unknown = [name for name in kwargs if name not in self.accepted]
        if unknown and not self.accepts_any:
            accepted = ", ".join(self.accepted) or "no arguments"
            raise UsageError(
                f"--kwargs: {self.name}.get_pipeline does not take {', '.join(unknown)}; it takes {accepted}"
            )

    def compile(self, kwargs: Mapping[str, Any], offered: Mapping[str, Any]) -> Compiled:
        """Call get_pipeline with the arguments given and with what it accepts of those offered, and compile."""
        arguments = {**{name: value for name, value in offered.items() if name in self.accepted}, **kwargs}
        self._check_complete(arguments)
        # Standard output is the command's; what the SDK prints goes beside it.
        with redirect_stdout(sys.stderr):
            return self._compile(arguments, kwargs)

    def _check_complete(self, arguments: Mapping[str, Any]) -> None:
        try:
            inspect.signature(self.get_pipeline).bind(**arguments)
        except TypeError as error:
            raise UsageError(f"{self.name}.get_pipeline: {error}; pass it in --kwargs") from error

    def _compile(self, arguments: Mapping[str, Any], given: Mapping[str, Any]) -> Compiled:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - the module has imported it anyway

        try:
            pipeline = self.get_pipeline(**arguments)
            if not callable(getattr(pipeline, "definition", None)):
                kind = type(pipeline).__name__
                raise DeliveryError(
                    f"{self.name}.get_pipeline returned {kind}: expected a pipeline with a definition()"
                )
            return Compiled(str(pipeline.name), pipeline.definition())
        except (DeliveryError, BotoCoreError, ClientError):
            raise
        except Exception as error:
            # Who names an argument in a ValueError does not like its value.
            named = set(re.findall(r"\w+", str(error))) if isinstance(error, ValueError) else set()
            if named & given.keys():
                raise UsageError(f"--kwargs: {error}") from error
            raise DeliveryError(f"{self.name}.get_pipeline failed: {type(error).__name__}: {error}") from error


def compile_module(options: argparse.Namespace, session: boto3.Session, *, default_data: str | None = None) -> Compiled:
    """Compile the pipeline of the module that the flags name, with the arguments that they give.

    `default_data`, a folder or an S3 URI, becomes the definition's own input data.
    """
    if session.region_name:
        # The SageMaker SDK looks for a region while it is imported.
        os.environ.setdefault("AWS_DEFAULT_REGION", session.region_name)
    offered = {"boto_session": session, "region": session.region_name}
    if role := role_of(options):
        offered["role"] = role
    with quiet_sdk(verbose=options.verbose):
        module, kwargs = load_module(options.module_name or DEFAULT_MODULE), options.kwargs or {}
        module.check(kwargs)
        prefix = module.default("base_job_prefix")
        if default_data:
            if "input_data" not in module.accepted:
                raise UsageError(
                    "--input-data: this get_pipeline takes no input_data; the value is for a run's parameter"
                )
            offered["input_data"] = send_input_data(default_data, session, kwargs, prefix)
        return replace(module.compile(kwargs, offered), prefix=prefix)


def role_of(options: argparse.Namespace) -> str | None:
    """Return the ARN of the role that the flags name; on this machine any will do."""
    arn = options.role_arn or (options.kwargs or {}).get("role") or (LOCAL_ROLE if options.local else None)
    if arn is not None and not _ROLE.fullmatch(str(arn)):
        raise UsageError(f"--role-arn {arn} is no role's ARN: expected arn:aws:iam::<account>:role/<name>")
    return arn


def load_module(name: str) -> PipelineModule:
    """Import the module, from the current folder too, and find its get_pipeline."""
    _look_here()
    get_pipeline = getattr(_import(name), "get_pipeline", None)
    if not callable(get_pipeline):
        raise UsageError(f"module {name} has no get_pipeline function: define one, or name another with --module-name")
    return PipelineModule(name, get_pipeline)


def group_of(module: str) -> str:
    """Return the model package group of a pipeline: MODEL_PACKAGE_GROUP_NAME of the settings beside its module."""
    return setting_of(module, GROUP_SETTING, "model package group", flag="--group NAME")


def setting_of(module: str, setting: str, said: str, *, flag: str) -> str:
    """Return a text of the settings beside a pipeline's module, or say which flag gives it.

    The module itself is not imported, for it brings the SDK along, which takes seconds.
    """
    settings = _settings_of(module)
    unknown = f"the {said} of {module} is not known: give {flag}, or set {setting} in {settings}"
    _look_here()
    try:
        value = getattr(_import(settings), setting, None)
    except UsageError as error:
        raise UsageError(unknown) from error
    if not isinstance(value, str):
        raise UsageError(unknown)
    return value


def region_of(options: argparse.Namespace) -> str | None:
    """Return the region of the pipeline that the flags name: REGION of the settings beside its module, if they have it.

    A definition has no settings, and who names the group does without them.
    """
    if getattr(options, "definition", None) or getattr(options, "group", None):
        return None
    region = _optional(options.module_name or DEFAULT_MODULE, REGION_SETTING)
    return region if isinstance(region, str) else None


def vpc_of(module: str) -> dict[str, list[str]] | None:
    """Return the VpcConfig of a pipeline: SUBNETS and SECURITY_GROUPS of the settings beside it, if they have any."""
    subnets, groups = (_optional(module, setting) or () for setting in VPC_SETTINGS)
    return {"Subnets": list(subnets), "SecurityGroupIds": list(groups)} if subnets or groups else None


def _optional(module: str, setting: str) -> Any:
    """Return a setting, if there is one: settings are no duty, and who needs the module says that it is missing."""
    _look_here()
    try:
        return getattr(_import(_settings_of(module)), setting, None)
    except UsageError:
        return None


def _settings_of(module: str) -> str:
    return ".".join([*module.split(".")[:-1], "settings"])


def _look_here() -> None:
    """Let modules of the current folder be found."""
    folder = str(Path.cwd())
    if folder not in sys.path:
        sys.path.insert(0, folder)


def _import(name: str) -> object:
    try:
        with redirect_stdout(sys.stderr):
            return importlib.import_module(name)
    except DeliveryError:
        # Settings say themselves what is wrong with them.
        raise
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            hint = "give its name without .py" if name.endswith(".py") else "correct --module-name"
            raise UsageError(f"module {name} not found: {hint}, or change to its folder") from error
        raise DeliveryError(f"module {name} cannot be imported: {error}") from error
    except (TypeError, ValueError) as error:
        # What import_module says to a name that is relative or empty; a module's own errors are said below.
        if name.strip(".") != name or not name:
            raise UsageError(f"'{name}' is no module name: expected one such as pipelines.fraud.pipeline") from error
        raise DeliveryError(f"module {name} cannot be imported: {type(error).__name__}: {error}") from error
    except Exception as error:
        raise DeliveryError(f"module {name} cannot be imported: {type(error).__name__}: {error}") from error
