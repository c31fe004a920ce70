"""init-project: turn a fresh copy of this repository into a project of one's own, by its settings alone."""

from __future__ import annotations

import argparse
import importlib
import shlex
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from pipelines import command_line
from pipelines.adoption.init.checkout import Checkout, find_checkout
from pipelines.adoption.init.edits import Edit, edit_settings, make
from pipelines.adoption.init.providers import GITHUB, PROVIDERS, remove_others
from pipelines.adoption.init.schema import edit_schema, is_own
from pipelines.command_line import DEFAULT_MODULE, Parser, parse_path, parse_text
from pipelines.delivery.errors import UsageError
from pipelines.delivery.settings import read_settings

NAMED = ("pipeline_name", "model_package_group_name", "base_job_prefix")
Draft = tuple[str, tuple[str, ...]]
JOBS = ("processing_instance_type", "training_instance_type")


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return command_line.execute(make_parser(), _run, argv)


def make_parser() -> Parser:
    """Return the command's parser."""
    parser = Parser(
        "init-project",
        "Turn this copy of the repository into a project of your own. It edits settings, never sources. "
        "Exit code: 0 it is so now or was so before, 1 failed, 2 wrong usage; then nothing was changed.",
    )
    parser.add_argument("--name", metavar="NAME", required=True, type=parse_text, help="what all is named after")
    parser.add_argument("--region", metavar="REGION", type=parse_text, help="where it runs unless AWS is told another")
    parser.add_argument("--instance-type", metavar="TYPE", type=parse_text, help="the instances of the jobs")
    parser.add_argument("--hosting-instance-type", metavar="TYPE", type=parse_text, help="those of the endpoints")
    parser.add_argument("--subnets", metavar="IDS", type=parse_text, help="those of jobs and models, with commas")
    parser.add_argument("--security-groups", metavar="IDS", type=parse_text, help="theirs, with commas; with --subnets")
    parser.add_argument("--threshold", metavar="AUC", type=_parse_threshold, help="what the ROC AUC must be above")
    parser.add_argument("--provider", choices=PROVIDERS, default=GITHUB, help=f"what builds it (default {GITHUB})")
    parser.add_argument(
        "--remove-other-provider", action="store_true", help="remove the files that only the other one needs"
    )
    parser.add_argument(
        "--data",
        metavar="DIR",
        type=parse_path,
        help="your data: a schema is drafted from it in place of the sample's; a schema of your own stays",
    )
    parser.add_argument("--label", metavar="COLUMN", type=parse_text, help="the column to predict; with --data")
    parser.add_argument("--id", metavar="COLUMN", type=parse_text, help="the column that joins tables; with --data")
    parser.add_argument(
        "--drop",
        metavar="COLUMN",
        type=parse_text,
        action="append",
        default=[],
        help="a column that is to be no feature; with --data, can be given more than once",
    )
    parser.add_argument("--redraft", action="store_true", help="with --data, replace a schema of your own too")
    parser.add_argument("--dry-run", action="store_true", help="only say what would be changed")
    return parser


def _parse_threshold(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value < 1:
        raise argparse.ArgumentTypeError(f"expected a ROC AUC from 0 to below 1, not '{text}'")
    return value


def _run(options: argparse.Namespace) -> int:
    if mistake := next((text for text, is_made in _mistakes(options).items() if is_made), None):
        raise UsageError(mistake)
    checkout = find_checkout(Path.cwd(), DEFAULT_MODULE)
    chosen = _chosen(options)
    draft = _draft(options) if options.data else None
    keeps = draft is not None and not options.redraft and is_own(checkout, draft[0])
    if keeps or draft is None:
        _check_schema(checkout)
    edits = _edits(options, checkout, chosen, None if keeps else draft)
    _print(_shown(checkout, edits, keeps=keeps))
    if options.dry_run:
        _print(["", "nothing was changed: this is a dry run"] if edits else [])
        return 0
    make(edits)
    _print(["", "done"] if edits else [])
    _print(["", "next:", *(f"  {line}" for line in _next(options, checkout))])
    return 0


def _mistakes(options: argparse.Namespace) -> dict[str, object]:
    return {
        "--data and --label belong together: give both or none": (options.data is None) != (options.label is None),
        "--subnets and --security-groups belong together: give both or none": bool(options.subnets)
        != bool(options.security_groups),
        "--id is a column of --data: give both or leave it out": options.id and options.data is None,
        "--drop leaves out a column of --data: give both or leave it out": options.drop and options.data is None,
        "--redraft is about --data: give both or leave it out": options.redraft and options.data is None,
    }


def _edits(options: argparse.Namespace, checkout: Checkout, chosen: dict[str, Any], draft: Draft | None) -> list[Edit]:
    """Return what is to be done; all that can be wrong with it is found here."""
    schema = list(edit_schema(checkout, *draft)) if draft else []
    if schema:
        chosen |= _of_data(options, checkout)
    settings = edit_settings(checkout, chosen)
    removed = remove_others(checkout, options.provider) if options.remove_other_provider else ()
    return [*settings, *schema, *removed]


def _chosen(options: argparse.Namespace) -> dict[str, Any]:
    # These bring botocore along, which is too slow for an answer to a mistyped flag.
    from pipelines.adoption.init import choices  # noqa: PLC0415

    chosen: dict[str, Any] = dict.fromkeys(NAMED, choices.check_name(options.name))
    if options.region:
        chosen["region"] = choices.check_region(options.region)
    if options.instance_type:
        chosen |= dict.fromkeys(JOBS, choices.check_job_instances(options.instance_type))
    if options.hosting_instance_type:
        chosen["hosting_instance_type"] = choices.check_endpoint_instances(options.hosting_instance_type)
    if options.subnets:
        chosen["subnets"] = choices.check_ids(options.subnets, "--subnets")
        chosen["security_groups"] = choices.check_ids(options.security_groups, "--security-groups")
    if options.threshold is not None:
        chosen["roc_auc_threshold"] = options.threshold
    return chosen


def _draft(options: argparse.Namespace) -> Draft:
    """Return the text of a schema for the data, and what a person should look at in it."""
    drafting = _neighbour("drafting")
    try:
        found = drafting.tried_draft(options.data, options.label, id=options.id, drop=options.drop)
    except drafting.DraftError as error:
        raise UsageError(f"--data {options.data}: {error}") from error
    if missing := [column for column in options.drop if column not in found.document.get("drop", ())]:
        features = [each["name"] for table in found.document["tables"].values() for each in table]
        others = [each for each in features if each not in {options.label, found.document.get("id")}]
        raise UsageError(f"--drop {missing[0]}: no such column can be left out; found: {', '.join(others)}")
    return drafting.render(found.document), (f"drafted from {options.data}; look through it", *found.notes)


def _check_schema(checkout: Checkout) -> None:
    """Refuse a schema that stays and cannot be used."""
    _neighbour("schema").read_schema(checkout.schema)


def _neighbour(name: str) -> Any:
    """Return a module of the pipeline's package, which brings along what reads data."""
    return importlib.import_module(".".join([*DEFAULT_MODULE.split(".")[:-1], name]))


def _of_data(options: argparse.Namespace, checkout: Checkout) -> dict[str, Any]:
    """Return the settings that other data bring along; a folder outside of the repository is on this machine only."""
    folder = options.data.resolve()
    inside = folder.is_relative_to(checkout.root)
    return {
        "model_description": f"Probability of {options.label}.",
        "input_data": folder.relative_to(checkout.root).as_posix() if inside else None,
    }


def _shown(checkout: Checkout, edits: Sequence[Edit], *, keeps: bool) -> Iterator[str]:
    if keeps:
        yield f"keep {checkout.named(checkout.schema)}: it is your own by now; --redraft replaces it by a draft"
    if not edits:
        yield f"nothing was changed: all {'else' if keeps else 'of this'} is so already"
    for edit in edits:
        yield f"{'remove' if edit.text is None else 'change'} {checkout.named(edit.path)}"
        yield from (f"  {line}" for line in edit.says)


def _next(options: argparse.Namespace, checkout: Checkout) -> Iterator[str]:
    # As in _chosen.
    from pipelines.adoption.init.advice import next_steps  # noqa: PLC0415

    settings = read_settings(checkout.settings)
    run = f"{command_line.typed_name('run-pipeline')} --local"
    if options.data and settings.input_data is None:
        run += f" --input-data {shlex.quote(str(options.data))}"
    yield from next_steps(options.provider, run, settings.region)


def _print(lines: Iterable[str]) -> None:
    sys.stdout.writelines(f"{line}\n" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
