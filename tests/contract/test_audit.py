"""The contract of the audit trail, one text for the twin in memory and for Redis."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest
import redis

from core.adapters.redis import audit as redis_audit
from core.adapters.redis.audit import RedisAudit
from core.adapters.redis.connection import connect
from core.domain import audit
from core.domain.audit import AuditAct, AuditAction, AuditMethod, AuditOutcome, AuditTarget
from core.domain.errors import InvalidInput, Unavailable
from core.ports.audit import AuditFilter, AuditPort
from tests.twins.audit import MemoryAudit

pytestmark = pytest.mark.contract

DAY = 86_400
ALL = AuditFilter()


@dataclass
class Trail:
    """A trail that keeps its entries for two days, and whose clock may be set by so many seconds."""

    port: AuditPort
    set_clock: Callable[[float], None]

    def targets(self, wanted: AuditFilter = ALL) -> list[str]:
        return [entry.act.target for entry in self.port.page(wanted).entries]


@pytest.fixture(params=["memory", "redis"])
def trail(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Trail]:
    if request.param == "memory":
        twin = MemoryAudit(days=2)
        yield Trail(twin, lambda seconds: setattr(twin, "clock", lambda: time.time() + seconds))
        return
    client: Any = request.getfixturevalue("redis_client")
    text = redis_audit._script_text

    def set_clock(seconds: float) -> None:
        """As if TIME had answered so, to scripts and to us."""
        told = f"(function() local t = redis.call('TIME'); return {{ t[1] + ({seconds}), t[2] }} end)()"
        monkeypatch.setattr(redis_audit, "_script_text", lambda name: text(name).replace("redis.call('TIME')", told))
        monkeypatch.setattr(redis.Redis, "time", lambda _self: (int(time.time() + seconds), 0))

    yield Trail(RedisAudit(client, days=2), set_clock)


def act(target: str = "ann", **changes: Any) -> AuditAct:
    known = {
        "actor": "root",
        "method": AuditMethod.API_TOKEN,
        "action": AuditAction.ACCOUNT_REMOVE,
        "target_kind": AuditTarget.USER,
        "target": target,
        "address": "192.0.2.7",
        "request_id": "0f8fad5bd9cb469fa16570867728950e",
    }
    return AuditAct(**known | changes)


def test_an_act_is_kept_before_its_outcome(trail: Trail) -> None:
    """DOR-7: who, what, when, from where; an act whose process died in the middle is there without an outcome."""
    told = act(owner="ann", details={"role": "admin"})
    entry_id = trail.port.begin(told)
    (entry,) = trail.port.page(ALL).entries
    assert (entry.entry_id, entry.act, entry.outcome, entry.status) == (entry_id, told, AuditOutcome.BEGUN, None)
    assert abs(entry.at.timestamp() - time.time()) < 60
    trail.port.end(entry_id, AuditOutcome.DONE, 204)
    (entry,) = trail.port.page(ALL).entries
    assert (entry.act, entry.outcome, entry.status) == (told, AuditOutcome.DONE, 204)


def test_an_outcome_is_never_changed(trail: Trail) -> None:
    """The first word counts; a word about no entry changes nothing."""
    entry_id = trail.port.begin(act())
    trail.port.end(entry_id, AuditOutcome.REFUSED, 409)
    trail.port.end(entry_id, AuditOutcome.DONE, 200)
    trail.port.end("1-1", AuditOutcome.DONE, 200)
    (entry,) = trail.port.page(ALL).entries
    assert (entry.outcome, entry.status) == (AuditOutcome.REFUSED, 409)


def test_the_newest_come_first_a_page_at_a_time(trail: Trail) -> None:
    for number in range(5):
        trail.port.begin(act(f"user{number}"))
    assert trail.targets() == ["user4", "user3", "user2", "user1", "user0"]
    first = trail.port.page(ALL, limit=2)
    trail.port.begin(act("later"))
    second = trail.port.page(ALL, limit=3, cursor=first.next_cursor)
    assert [entry.act.target for entry in second.entries] == ["user2", "user1", "user0"]
    last = trail.port.page(ALL, limit=3, cursor=second.next_cursor)
    assert (list(last.entries), last.next_cursor) == ([], None)


@pytest.mark.parametrize(
    "cursor", ["", "x", "1", "1-", "-1", "1-1-1", "+", "(1-1", "9" * 20 + "-1", "0-0", "0-1", "1-1\n", "१-१"]
)
def test_a_cursor_of_another_form_is_refused(trail: Trail, cursor: str) -> None:
    with pytest.raises(InvalidInput):
        trail.port.page(ALL, cursor=cursor)


def test_entries_are_found_by_who_what_and_which(trail: Trail) -> None:
    trail.port.begin(act("ann"))
    trail.port.begin(act("bob", actor="eve"))
    trail.port.begin(act("box:1", action=AuditAction.RUNNER_PAUSE, target_kind=AuditTarget.RUNNER))
    assert trail.targets(AuditFilter(actor="eve")) == ["bob"]
    assert trail.targets(AuditFilter(action=AuditAction.RUNNER_PAUSE)) == ["box:1"]
    assert trail.targets(AuditFilter(target="ann")) == ["ann"]
    assert trail.targets(AuditFilter(actor="eve", target="ann")) == []


def test_a_look_is_bounded_and_goes_on(trail: Trail, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is rare is found over several pages, none of which looks at more than so many entries."""
    monkeypatch.setattr(audit, "SCANNED", 3)
    for number in range(7):
        trail.port.begin(act(f"user{number}"))
    wanted, cursor, found, looks = AuditFilter(target="user0"), None, [], 0
    while looks == 0 or cursor:
        page = trail.port.page(wanted, cursor=cursor)
        cursor, looks = page.next_cursor, looks + 1
        found += [entry.act.target for entry in page.entries]
    assert (found, looks) == (["user0"], 3)


def test_the_same_read_is_one_entry_an_hour(trail: Trail) -> None:
    """Following a log is one entry, whatever the requests' ids; another thing, person or address is another."""
    read = act("j1", action=AuditAction.LOG_READ, target_kind=AuditTarget.JOB)
    assert [trail.port.read(replace(read, request_id=f"request-{n}")) for n in range(3)] == [True, False, False]
    for changes in ({"target": "j2"}, {"actor": "eve"}, {"address": "192.0.2.8"}, {"details": {"path": "a.png"}}):
        assert trail.port.read(replace(read, **changes))
    assert {entry.outcome for entry in trail.port.page(ALL).entries} == {AuditOutcome.READ}
    trail.set_clock(audit.READ_SECONDS - 60)
    assert not trail.port.read(read)
    trail.set_clock(audit.READ_SECONDS + 60)
    assert trail.port.read(read)


def test_a_clock_that_is_set_back_hides_no_read(trail: Trail) -> None:
    """A read of tomorrow is not the one of today."""
    read = act("j1", action=AuditAction.LOG_READ, target_kind=AuditTarget.JOB)
    trail.set_clock(DAY)
    assert trail.port.read(read)
    trail.set_clock(0)
    assert [trail.port.read(read), trail.port.read(read)] == [True, False]


def test_old_entries_are_shown_no_longer_and_go(trail: Trail) -> None:
    """Kept for as long as jobs: two days here."""
    trail.port.end(trail.port.begin(act("old")), AuditOutcome.DONE, 200)
    trail.set_clock(2 * DAY - 60)
    assert trail.targets() == ["old"]
    trail.set_clock(2 * DAY + 60)
    assert trail.targets() == []
    assert [trail.port.trim(), trail.port.trim()] == [1, 0]
    assert trail.port.page(ALL).displaced == 0


def test_a_full_trail_says_how_many_have_gone(trail: Trail, monkeypatch: pytest.MonkeyPatch) -> None:
    """No admin fills the ledger; and whoever pushes old entries out leaves a number."""
    monkeypatch.setattr(audit, "MOST_ENTRIES", 3)
    for number in range(5):
        trail.port.begin(act(f"user{number}"))
    page = trail.port.page(ALL)
    assert ([entry.act.target for entry in page.entries], page.displaced) == (["user4", "user3", "user2"], 2)


def test_hostile_text_is_inert_and_bounded(trail: Trail) -> None:
    """Line ends, escapes, direction overrides, half characters, long text: shown as what they are, on one line."""
    bad = "a\r\nb\x1b[31m\u202e\u200b\ud800\x00<script>é" + "x" * 1000
    trail.port.begin(act(bad, owner=bad, address=bad, request_id=bad, details=dict.fromkeys("abcdef", bad)))
    (entry,) = trail.port.page(ALL).entries
    assert entry.act.target.startswith(r"a\r\nb\x1b[31m\u202e\u200b\ud800\x00<script>\xe9x")
    texts = [entry.act.target, entry.act.owner, entry.act.address, entry.act.request_id, *entry.act.details.values()]
    assert all(text.isascii() and text.isprintable() and len(text) <= audit.LONGEST_TARGET for text in texts)
    assert len(entry.act.details) == audit.MOST_DETAILS


def test_with_a_full_memory_acts_are_still_kept() -> None:
    """What frees memory is done by an admin, and recorded before it is done: all scripts that write are allowed it."""
    for name in ("keep", "end"):
        assert redis_audit._script_text(name).startswith("#!lua flags=allow-oom\n")


def test_an_action_of_a_newer_version_is_read(redis_client: redis.Redis) -> None:
    trail = RedisAudit(redis_client, days=2)
    told = '{"actor":"root","method":"oidc","action":"moon.land","target_kind":"moon","target":"m"}'
    redis_client.xadd(redis_audit.ENTRIES, {"at": str(time.time()), "act": told})
    (entry,) = trail.page(ALL).entries
    assert (entry.act.action, entry.act.target_kind, entry.act.target) == (AuditAction.OTHER, AuditTarget.SITE, "m")


def test_redis_away_is_unavailable() -> None:
    away = RedisAudit(connect("redis://127.0.0.1:1/0"), days=2)
    for call in (
        lambda: away.begin(act()),
        lambda: away.read(act()),
        lambda: away.page(ALL),
        away.trim,
        lambda: away.end("1-1", AuditOutcome.DONE, 200),
    ):
        with pytest.raises(Unavailable):
            call()
