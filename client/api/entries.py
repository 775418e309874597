"""The REST API's calls about one entry of a board."""

from client.api.boards import Entry
from client.api.exchange import Exchange, segment


class EntryCalls:
    """A user's own entries, and for administrators everybody's. Methods raise `client.api.errors.LeadersboardError`."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def get(self, job_id: str) -> Entry:
        """Title, note and state of a job's entry. Raises `NotNow` for a job that has none."""
        return self._exchange.ask(Entry, "GET", f"/jobs/{segment(job_id)}/entry")

    def change(
        self, job_id: str, *, title: str | None = None, note: str | None = None, hidden: bool | None = None
    ) -> Entry:
        """Set what is not None; an empty text removes a title or note."""
        given = {"title": title, "note": note, "hidden": hidden}
        body = {name: value for name, value in given.items() if value is not None}
        return self._exchange.ask(Entry, "PATCH", f"/jobs/{segment(job_id)}/entry", json=body)

    def disqualify(self, job_id: str, reason: str) -> Entry:
        """Take it out of the ranks, for administrators; everybody reads the reason on the board."""
        return self._exchange.ask(
            Entry, "POST", f"/admin/entries/{segment(job_id)}/disqualify", json={"reason": reason}
        )

    def restore(self, job_id: str, reason: str) -> Entry:
        """Rank a disqualified entry again, for administrators; the reason goes into the audit trail."""
        return self._exchange.ask(Entry, "POST", f"/admin/entries/{segment(job_id)}/restore", json={"reason": reason})

    def baseline(self, job_id: str, *, pinned: bool) -> Entry:
        """Show it as a baseline, or rank it again; for administrators."""
        method = "POST" if pinned else "DELETE"
        return self._exchange.ask(Entry, method, f"/admin/entries/{segment(job_id)}/baseline")
