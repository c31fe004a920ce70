"""Credentials that last longer than the session that they were read for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError
from botocore.session import Session

if TYPE_CHECKING:
    import boto3


def renew(session: boto3.Session) -> None:
    """Read credentials again that were read from a file once, which may hold new ones by now.

    Those of a role, of a login and of a metadata service renew themselves; clients that exist use the new ones.
    """
    held = session.get_credentials()
    if type(held) is not Credentials:
        return
    # boto3 calls it so where none was named, and botocore then wants a profile of that name.
    profile = None if session.profile_name == "default" else session.profile_name
    try:
        fresh = Session(profile=profile).get_credentials()
    except BotoCoreError:
        return
    if fresh:
        frozen = fresh.get_frozen_credentials()
        held.access_key, held.secret_key, held.token = (part or "" for part in frozen[:3])
