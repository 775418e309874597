"""Text of a user on its way to tools that expand it: keys, filters, labels, headers, addresses, log lines."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest

from core.domain.benchmark import BENCHMARK_NAME, Benchmark
from core.domain.user import USER_NAME
from gateway.routes.artifacts import disposition
from tests.builders import benchmark_document, request
from tests.conftest import REPOSITORY

pytestmark = pytest.mark.unit

LOGS = """
import sys, structlog
from core import json_logs
json_logs.configure()
structlog.get_logger("x").info("event", value=sys.stdin.buffer.read().decode())
"""
EXPANDED = [
    "*", "a*", "a?b", "[a]", "a:b", "a:state:completed", "a b", "a\nb", "a\r\nX: 1", "a\x00b", "${HOME}", "$(id)",
    "`id`", "%(x)s", "{0}", "a'b", 'a"b', "a' or '1'='1", "a\\b", "a/b", "../a", "-rf", "--all", "a;b", "a|b", "a&b",
    "a#b", "é", "a\u202eb", "a\u200bb", "a\n", "", "\u0661",
]  # fmt: skip


@pytest.mark.parametrize("text", EXPANDED, ids=ascii)
def test_no_name_of_ours_holds_what_a_tool_expands(text: str) -> None:
    """Users and benchmarks are in Redis keys, MLflow filters, labels, shell lines: their names are plain words."""
    assert not USER_NAME.fullmatch(text)
    assert not re.fullmatch(BENCHMARK_NAME, text)
    with pytest.raises(ValueError, match="name"):
        Benchmark.model_validate(benchmark_document(name=text))


@pytest.mark.parametrize("text", EXPANDED, ids=ascii)
def test_a_jobs_id_is_hex_whatever_it_is_made_of(text: str) -> None:
    """It is in filters, paths, addresses and names of containers."""
    made = request(user_id=text, benchmark=text, submission_id=text, idempotency_key=text).job_id
    assert re.fullmatch(r"[0-9a-f]{32}", made)


@pytest.mark.parametrize("text", EXPANDED, ids=ascii)
def test_a_downloads_header_holds_one_plain_name(text: str) -> None:
    """No line end, no quote, no second parameter."""
    header = disposition(text, inline=False)
    assert re.fullmatch(r"attachment; filename=\"[A-Za-z0-9._-]*\"; filename\*=UTF-8''[A-Za-z0-9._~%-]*", header)


@pytest.mark.parametrize("text", ["a\nb", "a\r\nX: 1", "a\u2028b", '","level":"x', "%(x)s {0} \x1b[31m"], ids=ascii)
def test_a_log_line_stays_one_line(text: str) -> None:
    """Whatever is logged, a reader sees one JSON object a line, with the text as a value."""
    done = subprocess.run(
        [sys.executable, "-c", LOGS], input=text.encode(), capture_output=True, check=True, cwd=REPOSITORY
    )
    (line,) = [line for line in (done.stdout + done.stderr).decode().split("\n") if line]
    assert json.loads(line)["value"] == text
