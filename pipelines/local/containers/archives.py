"""Tar archives: model.tar.gz, output.tar.gz and sourcedir.tar.gz."""

import errno
import gzip
import lzma
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path

from pipelines.local.containers.files import irregular
from pipelines.local.errors import LocalError

# From 4 on, gzip takes twice as long for the last tenth: 2 MB of boosted trees to 0.73 MB in 41 ms, with 6 in 84 ms.
COMPRESSION_LEVEL = 4
MOST_CHARACTERS = 400


# What the names of members lead to: one is too long, or stands for a file and for a folder. Any other error, as that a
# disk is full, is not the archive's.
ERRORS_OF_NAMES = (errno.ENAMETOOLONG, errno.EEXIST, errno.EISDIR, errno.ENOTDIR, errno.ENOTEMPTY, errno.ELOOP)


class BadArchive(LocalError):
    """An archive that cannot be unpacked, or must not be."""


def pack(folder: Path, archive: Path) -> None:
    """Write a folder's content to a .tar.gz whose bytes depend on names, contents and the executable bit only.

    Symbolic links are kept where they stay in the folder, and left out where they lead elsewhere.
    """
    with (
        archive.open("wb") as raw,
        gzip.GzipFile("", "wb", COMPRESSION_LEVEL, raw, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for path in members(folder):
            member = tar.gettarinfo(path, str(path.relative_to(folder)))
            member.uid = member.gid = member.mtime = 0
            member.uname = member.gname = ""
            member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            if member.isreg():
                with path.open("rb") as content:
                    tar.addfile(member, content)
            else:
                tar.addfile(member)


def members(folder: Path) -> Iterator[Path]:
    """Yield what belongs in an archive of a folder, sorted: folders, files and links within it."""
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            if not path.readlink().is_absolute() and path.resolve().is_relative_to(folder.resolve()):
                yield path
        elif path.is_dir() or path.is_file():
            yield path


def left_out(folder: Path) -> list[Path]:
    """Return what an archive of a folder does not have: links that lead elsewhere, and special files."""
    kept = set(members(folder))
    return [path for path in irregular(folder) if path not in kept]


def unpack(archive: Path, folder: Path, name: str) -> None:
    """Unpack a tar archive, compressed or not, into a folder; `name` is what messages call it.

    Raises:
        BadArchive: it is none, or has a member that would be written elsewhere, or cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with tarfile.open(archive) as tar:
            tar.extractall(folder, filter=inside)  # noqa: S202 the filter lets nothing out of the folder
    except tarfile.FilterError as error:
        raise BadArchive(
            f"{name} is refused: {one_line(error)}. All of its members must stay in the folder it is unpacked in."
        ) from error
    except (tarfile.TarError, EOFError, gzip.BadGzipFile, zlib.error, lzma.LZMAError) as error:
        raise BadArchive(f"{name} is not a whole tar archive: {one_line(error)}") from error
    except KeyError as error:
        raise BadArchive(f"{name} is refused: it has a link to what is not in it: {one_line(error)}") from error
    except OSError as error:
        if error.errno not in ERRORS_OF_NAMES:
            raise
        raise BadArchive(f"{name} is refused: it has a member that cannot be written: {one_line(error)}") from error


def inside(member: tarfile.TarInfo, folder: str) -> tarfile.TarInfo:
    """Return a member of an archive, if it is one that may be written into a folder.

    Raises:
        tarfile.FilterError: it is not.
    """
    if member.name.startswith("/") or ".." in member.name.split("/") or "\0" in member.name:
        raise tarfile.FilterError(f"the name of member {member.name!r} is absolute, or has '..' or NUL")
    return tarfile.data_filter(member, folder)


def one_line(error: Exception) -> str:
    """Return an error's text on one line, a short one."""
    text = error.args[0] if isinstance(error, KeyError) else str(error)
    return " ".join(text.split())[:MOST_CHARACTERS]
