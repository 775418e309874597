"""The API's overview of the site for administrators."""

from __future__ import annotations

from client.api.models import Answer


class Notice(Answer):
    """A problem that an administrator should fix."""

    kind: str = ""
    host: str = ""
    """Empty for the gateway itself."""
    text: str
    advice: str = ""
    takes_jobs: bool = False


class Overview(Answer):
    """The notices about the site, for administrators."""

    notices: tuple[Notice, ...] = ()
