"""What administrators are answered about the site, as the API tells it."""

from __future__ import annotations

from client.models import Answer


class Notice(Answer):
    """Something that an administrator should mend."""

    kind: str = ""
    host: str = ""
    """Empty for the gateway's own."""
    text: str
    advice: str = ""
    takes_jobs: bool = False


class Overview(Answer):
    """The site at a glance, for administrators."""

    notices: tuple[Notice, ...] = ()
