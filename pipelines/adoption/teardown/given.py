"""What a person names must be there: a mistyped bucket or project is not one that is clean already."""

from __future__ import annotations

from pipelines.adoption.contents import is_absent
from pipelines.adoption.teardown.site import Site
from pipelines.delivery.errors import UsageError


def check_project(site: Site) -> None:
    """Refuse an id that neither the project's name ends with nor anything of the project is tagged with."""
    names = site.names
    if names.project_id and not site.tagged and names.project_name == names.group:
        raise UsageError(
            f"--project-id {names.project_id}: nothing in {site.place} is tagged as a project {names.group} with this "
            f"id: correct it, or give the project's name and id by --name NAME-{names.project_id}"
        )


def check_bucket(site: Site) -> None:
    """Refuse a bucket that is not there; the project's own may be gone already."""
    if site.bucket != site.usual_bucket and is_absent(site.account, site.bucket):
        raise UsageError(
            f"--bucket {site.bucket}: there is no such bucket in {site.place}: correct it, or leave it out to look "
            f"into {site.usual_bucket}"
        )
