"""get-pipeline-definition: print the definition of the pipeline that a module makes."""

import argparse
import json
import sys
from collections.abc import Sequence

from pipelines import command_line
from pipelines.command_line import Parser, parse_path
from pipelines.delivery.files import check_target, write_text
from pipelines.input_data import check_input_data
from pipelines.pipeline_module import compile_module, region_of


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code."""
    return command_line.execute(_parser(), _give_definition, argv)


def _parser() -> Parser:
    parser = Parser("get-pipeline-definition", "Print the definition of the pipeline that a module makes.")
    command_line.add_module_flags(parser)
    command_line.add_local_flags(parser)
    parser.add_argument("-f", "--file-name", metavar="FILE", type=parse_path, help="write the definition here instead")
    return parser


def _give_definition(options: argparse.Namespace) -> int:
    if options.file_name:
        check_target(options.file_name, "--file-name")
    if options.input_data:
        check_input_data(options.input_data)
    text = _definition(options)
    if options.file_name:
        write_text(text, options.file_name)
    else:
        sys.stdout.write(text)
    return 0


def _definition(options: argparse.Namespace) -> str:
    with command_line.open_site(options, find_region=lambda: region_of(options)) as site:
        compiled = compile_module(options, site.session, default_data=options.input_data)
    return json.dumps(json.loads(compiled.definition), indent=2) + "\n"


if __name__ == "__main__":
    sys.exit(main())
