"""A typed client of the REST API, for programs: `connect` gives a `LeadersboardClient`. It prints nothing."""

from client.api.client import LeadersboardClient, connect

__all__ = ["LeadersboardClient", "connect"]
