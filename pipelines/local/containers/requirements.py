"""Checks requirements against what is installed, and installs nothing. Standalone: jobs find it as their pip."""

import sys
from collections.abc import Iterable, Iterator
from importlib import metadata
from pathlib import Path

TAKES_A_VALUE = {"-i", "--index-url", "--extra-index-url", "-f", "--find-links", "-t", "--target", "--timeout", "-c"}


def unmet(requirements: Iterable[str]) -> Iterator[str]:
    """Yield what is missing, one clear clause for each requirement that the installed packages do not meet."""
    # Only jobs that have requirements need it, and it takes time to load.
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415

    for line in requirements:
        try:
            requirement = Requirement(line)
        except InvalidRequirement:
            yield f"'{line}' is not a package and its version"
            continue
        if requirement.marker and not requirement.marker.evaluate():
            continue
        try:
            version = metadata.version(requirement.name)
        except metadata.PackageNotFoundError:
            yield f"'{line}' is not installed"
            continue
        if not requirement.specifier.contains(version, prereleases=True):
            yield f"'{line}' is not installed, but version {version}"


def read(file: Path) -> list[str]:
    """Return the requirements of a file, those of the files that it includes among them."""
    found: list[str] = []
    for raw in file.read_text(encoding="utf-8").splitlines():
        line = raw.split(" #")[0].strip()
        if line.startswith(("-r ", "--requirement ")):
            found += read(file.parent / line.split(maxsplit=1)[1])
        elif line and not line.startswith(("#", "-")):
            found.append(line)
    return found


def asked_for(arguments: list[str]) -> list[str]:
    """Return the requirements that the arguments of `pip install` name."""
    found: list[str] = []
    rest = iter(arguments)
    for argument in rest:
        if argument in {"-r", "--requirement"}:
            found += read(Path(next(rest)))
        elif argument in TAKES_A_VALUE:
            next(rest)
        elif not argument.startswith("-"):
            found.append(argument)
    return found


def main() -> None:
    """Answer `pip install ...` as if everything had been installed before, or say what had not."""
    command, *arguments = sys.argv[1:] or ["help"]
    if command == "uninstall":
        # The SDK's own scripts do so with packages that get in the way of others in some images.
        sys.stdout.write("Jobs remove nothing on this machine\n")
        return
    if command != "install":
        sys.exit(f"pip {command}: on this machine jobs have no pip; only `pip install` is answered, by a check")
    missing = list(unmet(asked_for(arguments)))
    if missing:
        sys.exit(f"{'; '.join(missing)}. Jobs install nothing on this machine: add it to the environment they run in")
    sys.stdout.write("Requirements already satisfied\n")


if __name__ == "__main__":
    main()
