"""Route for admins: Prometheus metrics of this gateway and of all runners."""

from __future__ import annotations

from contextlib import suppress

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from core.domain.errors import Unavailable
from gateway.dependencies import CurrentAdmin, MetricsPart, PortsPart
from gateway.metrics import Clocks, Mended, Runners

router = APIRouter(tags=["operation"])


@router.get(
    "/metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def metrics(_admin: CurrentAdmin, ports: PortsPart, own: MetricsPart) -> Response:
    """Metrics in Prometheus's text format; for admins only. While Redis is down, only this gateway's own."""
    text = generate_latest(own.registry)
    with suppress(Unavailable):
        ledger = CollectorRegistry()
        ledger.register(Mended(ports.runners.mended()))
        seen = ports.runners.runners()
        ledger.register(Runners(seen))
        ledger.register(Clocks(ports.job_status.clock_skew(), seen))
        text += generate_latest(ledger)
    return Response(text, media_type=CONTENT_TYPE_LATEST)
