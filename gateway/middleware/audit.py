"""Records every act of an admin in the audit trail before it is done, and its outcome before the answer (DOR-7).

`current_user` calls `Auditor.recorded` for each request of an admin, so that no route can omit it. While the trail
cannot be written, no change is made and nothing of another user is shown: the answer is 503.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import MutableMapping
from dataclasses import dataclass, replace

import structlog
from anyio import CancelScope, move_on_after, to_thread
from cachetools import TTLCache
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from core.domain.audit import NOTHING_ANSWERED, AuditAct, AuditAction, AuditMethod, AuditTarget, outcome_of
from core.domain.errors import LeadersboardError, NotFound, Unavailable
from core.domain.user import User
from core.ports.audit import AuditPort
from core.wiring import Ports
from gateway.auth.client_address import ClientAddress
from gateway.middleware.audit_table import OPEN_READS, UNRECORDED, Rule, rule_of
from gateway.middleware.audit_table import Scope as RuleScope
from gateway.problems import handlers

ENTRY = "audit_entry"
OUR_ID = re.compile(r"[0-9a-f]{32}")
REMEMBERED_SECONDS = 300.0
REMEMBERED = 4096
OPEN_READ_SECONDS = 0.3
"""Longest wait of a read that is allowed without an entry: when Redis hangs, its answer must still come in 2 s."""
BROKEN = 500

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Call:
    """The parts of a request that are read on the event loop, before a thread asks Redis."""

    rule: Rule
    method: str
    template: str
    named: dict[str, str]
    """Path parameters and the body fields that the rule names; hostile text."""


@dataclass(frozen=True, kw_only=True, slots=True)
class _Begun:
    """An entry that still needs its outcome, and the trail that it is in."""

    audit: AuditPort
    entry_id: str


class Auditor:
    """Records requests of admins; lives as long as the app.

    Reads that this process recorded are remembered (at most 4,096, for five minutes), so that following a log does not
    ask Redis each time.
    """

    def __init__(self, ports: Ports, address: ClientAddress) -> None:
        self._ports = ports
        self._address = address
        self._lately: MutableMapping[str, bool] = TTLCache(REMEMBERED, REMEMBERED_SECONDS)
        self._lock = threading.Lock()

    async def recorded(self, request: Request, admin: User) -> None:
        """Record this request if its rule says so. Raises Unavailable when the trail cannot be written."""
        template = getattr(request.scope.get("route"), "path", "")
        rule = rule_of(request.method, template)
        if rule.scope in UNRECORDED:
            return
        named = {**request.path_params, **await _of_body(request, rule)}
        call = _Call(rule=rule, method=request.method, template=template, named=named)
        is_open = rule.action in OPEN_READS
        with move_on_after(OPEN_READ_SECONDS if is_open else None):
            await to_thread.run_sync(self._record, request, admin, call, abandon_on_cancel=is_open)

    def _record(self, request: Request, admin: User, call: _Call) -> None:
        target = call.named.get(call.rule.parameter or call.rule.body, "")
        owner = _owner(self._ports, call.rule.scope, target)
        if call.rule.scope is not RuleScope.ADMINS and owner in {None, admin.user_id}:
            return
        act = AuditAct(
            actor=admin.user_id,
            method=AuditMethod(admin.method),
            action=call.rule.action,
            target_kind=call.rule.kind,
            target=target if call.rule.kind is not AuditTarget.SITE else f"{call.method} {call.template}",
            owner=owner or "",
            address=self._address.of(request),
            request_id=handlers.request_id(request),
            details={name: call.named[name] for name in call.rule.details if call.named.get(name)},
        )
        if call.rule.reads or call.method in {"GET", "HEAD"}:
            self.read(act)
        else:
            _log(act)
            entry_id = self._ports.audit.begin(act)
            setattr(request.state, ENTRY, _Begun(audit=self._ports.audit, entry_id=entry_id))

    def run_read(self, request: Request, admin: User, run_id: str) -> None:
        """Record a read of a run's files below /mlflow, unless they are the admin's own. Raises Unavailable."""
        job_id = self._ports.results.owners([run_id]).get(run_id, "")
        owner = _owner(self._ports, RuleScope.OTHERS_JOB, job_id)
        if owner != admin.user_id:
            self.tracking_read(request, admin, AuditTarget.RUN, run_id, owner=owner or "")

    def tracking_read(self, request: Request, admin: User, kind: AuditTarget, target: str, *, owner: str = "") -> None:
        """Record a read below /mlflow of what only admins may see. Raises Unavailable."""
        act = AuditAct(
            actor=admin.user_id,
            method=AuditMethod(admin.method),
            action=AuditAction.TRACKING_READ,
            target_kind=kind,
            target=target,
            owner=owner,
            address=self._address.of(request),
            request_id=handlers.request_id(request),
        )
        self.read(act)

    def read(self, act: AuditAct) -> None:
        """Record a read, unless the same one was recorded recently. Raises Unavailable, except for OPEN_READS."""
        key = repr(replace(act, request_id=""))
        with self._lock:
            if key in self._lately:
                return
        try:
            if self._ports.audit.read(act):
                _log(act)
        except Unavailable as error:
            _log(act)
            if act.action not in OPEN_READS:
                raise
            log.warning("audit entry not kept", error=str(error))
            return
        with self._lock:
            self._lately[key] = True


async def _of_body(request: Request, rule: Rule) -> dict[str, str]:
    """The body fields that the rule names. The middleware has already read the body and checked that it is JSON."""
    wanted = [name for name in (rule.body, *rule.details) if name and name not in request.path_params]
    if not wanted:
        return {}
    try:
        sent = json.loads(await request.body())
    except ValueError:
        return {}
    return {name: sent[name] for name in wanted if isinstance(sent, dict) and isinstance(sent.get(name), str)}


def _owner(ports: Ports, scope: RuleScope, target: str) -> str | None:
    """The owner of the job or submission; None when there is none, which the route will answer."""
    try:
        if not OUR_ID.fullmatch(target):
            return None
        if scope is RuleScope.OTHERS_JOB:
            return ports.job_status.get(target).user_id
        if scope is RuleScope.OTHERS_SUBMISSION:
            return ports.storage.get_submission(target).user_id
    except NotFound:
        pass
    return None


def _log(act: AuditAct) -> None:
    """A second copy outside Redis, in the container's log."""
    log.info("audit", actor=act.actor, action=act.action, target=act.target, owner=act.owner, client=act.address)


class AuditOutcomesMiddleware:
    """Plain ASGI middleware that adds the outcome to a request's audit entry before the answer is sent."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope.setdefault("state", {})

        async def concluding(message: Message) -> None:
            if message["type"] == "http.response.start":
                await _conclude(scope, message["status"])
            await send(message)

        try:
            await self._app(scope, receive, concluding)
        except Exception:  # an act that broke is recorded as failed; raised on
            await _conclude(scope, BROKEN)
            raise
        finally:
            await _conclude(scope, NOTHING_ANSWERED)


async def _conclude(scope: Scope, status: int) -> None:
    """Record the outcome, once for each request. The act is done by now, so a failure to record it is only logged."""
    begun: _Begun | None = scope["state"].pop(ENTRY, None)
    if begun is None:
        return
    with CancelScope(shield=True):
        try:
            await to_thread.run_sync(begun.audit.end, begun.entry_id, outcome_of(status), status)
        except LeadersboardError as error:
            log.warning("audit outcome not kept", entry=begun.entry_id, status=status, error=str(error))
