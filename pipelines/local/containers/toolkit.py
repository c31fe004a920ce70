"""Script mode: how the images' training toolkit turns hyperparameters into a program, its arguments and variables.

After aws/sagemaker-training-toolkit: the same variables and arguments, in the same order and spelling.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.local.containers import opt_ml
from pipelines.local.containers.images import Runtime

PREFIX = "sagemaker_"
RESERVED = {"_tuning_objective_metric"}
FRAMEWORK_MODULES = {
    "xgboost": "sagemaker_xgboost_container.training:main",
    "sklearn": "sagemaker_sklearn_container.training:main",
}
LOG_LEVEL = 20


@dataclass(frozen=True)
class Training:
    """What script mode needs to know of a training job; channels are the request's."""

    name: str
    runtime: Runtime
    hyperparameters: Mapping[str, str]
    channels: tuple[Mapping[str, Any], ...]
    instance_type: str
    cpus: int | None = None

    def setting(self, name: str, environment: Mapping[str, str]) -> str | None:
        """Return a setting: hyperparameter sagemaker_<name> or variable SAGEMAKER_<NAME>, None when empty."""
        value = self.hyperparameters.get(PREFIX + name)
        decoded = decode(value) if value else environment.get(f"SAGEMAKER_{name.upper()}")
        return str(decoded) if decoded else None


def decode(text: str) -> Any:
    """Return a hyperparameter's value: what its JSON says, or the text itself."""
    try:
        return json.loads(text)
    except ValueError:
        return text


def user_hyperparameters(hyperparameters: Mapping[str, str]) -> dict[str, Any]:
    """Return the decoded hyperparameters that are for the script."""
    return {
        name: decode(text)
        for name, text in hyperparameters.items()
        if not name.startswith(PREFIX) and name not in RESERVED
    }


def arguments_of(hyperparameters: Mapping[str, Any]) -> list[str]:
    """Return hyperparameters as a command line, by name; names of one letter get one dash."""
    arguments: list[str] = []
    for name, value in sorted(hyperparameters.items()):
        text = ",".join(f"{key}={item}" for key, item in sorted(value.items())) if isinstance(value, dict) else value
        arguments += [f"--{name}" if len(name) > 1 else f"-{name}", str(text)]
    return arguments


def command_of(program: str, arguments: list[str]) -> tuple[str, ...]:
    """Return the command that runs a program of the user's in its folder."""
    if program.endswith(".py"):
        return ("python3", program, *arguments)
    return ("/bin/sh", "-c", f'./{program} "$@"', program, *arguments)


def variables_of(training: Training, program: str, module_folder: str) -> dict[str, str]:
    """Return the SM_* variables of a script."""
    hyperparameters = user_hyperparameters(training.hyperparameters)
    channels = {channel["ChannelName"]: channel for channel in training.channels}
    folders = {name: f"{opt_ml.INPUT_DATA}/{name}" for name in channels}
    values = values_of(training, program, module_folder)
    every: dict[str, Any] = {
        **values,
        "channels": sorted(channels),
        "hps": hyperparameters,
        "training_env": training_environment(training, values, folders, hyperparameters),
        "user_args": arguments_of(hyperparameters),
        **{f"channel_{name}": folder for name, folder in folders.items()},
        **{f"hp_{name}": value for name, value in hyperparameters.items()},
    }
    return {f"SM_{name.upper()}": encode(value) for name, value in every.items()}


def values_of(training: Training, program: str, module_folder: str) -> dict[str, Any]:
    """Return the settings that have a variable of their own and stand in SM_TRAINING_ENV too."""
    resources = opt_ml.resource_config(training.instance_type)
    return {
        "current_host": opt_ml.HOST,
        "current_instance_type": training.instance_type,
        "current_instance_group": opt_ml.INSTANCE_GROUP,
        "hosts": [opt_ml.HOST],
        "framework_module": FRAMEWORK_MODULES[training.runtime],
        "framework_params": {},
        "input_config_dir": opt_ml.INPUT_CONFIG,
        "input_data_config": opt_ml.input_data_config(training.channels),
        "input_dir": opt_ml.INPUT,
        "log_level": LOG_LEVEL,
        "model_dir": opt_ml.MODEL,
        "module_dir": module_folder,
        "module_name": program.removesuffix(".py"),
        "network_interface_name": opt_ml.NETWORK_INTERFACE,
        "num_cpus": training.cpus or available_cpus(),
        "num_gpus": 0,
        "num_neurons": 0,
        "output_data_dir": opt_ml.OUTPUT_DATA,
        "output_dir": opt_ml.OUTPUT,
        "output_intermediate_dir": f"{opt_ml.OUTPUT}/intermediate",
        "resource_config": resources,
        "user_entry_point": program,
    }


def training_environment(
    training: Training, values: Mapping[str, Any], folders: Mapping[str, str], hyperparameters: Mapping[str, Any]
) -> dict[str, Any]:
    """Return the content of SM_TRAINING_ENV."""
    rest = {name: value for name, value in values.items() if name != "framework_params"}
    return {
        **rest,
        "additional_framework_parameters": {},
        "channel_input_dirs": folders,
        "hyperparameters": hyperparameters,
        "is_master": True,
        "job_name": training.name,
        "master_hostname": opt_ml.HOST,
    }


def encode(value: Any) -> str:
    """Return a value as the text of a variable."""
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def available_cpus() -> int:
    """Return how many CPUs this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
