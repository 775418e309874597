"""Group C: what is read of a run, and what a run may leave to be read. Group D: what it prints."""

# ruff: noqa: E501 the programs of submissions stand here as they are

from __future__ import annotations

import struct

import pytest

from core.domain.benchmark import MetricRule
from core.domain.job import JobState
from core.domain.verdict import FailureReason
from tests.docker.hostile.arena import EVERYTHING, METRICS, SECRET, SENTINEL, Arena

pytestmark = [pytest.mark.docker, pytest.mark.alone]

BAD, NONE = FailureReason.BAD_METRICS, FailureReason.NO_METRICS


def wrote(content: str) -> str:
    """A program that leaves these bytes (a Python expression) as its metrics."""
    return f"open('/out/metrics.json', 'wb').write({content})"


def linked(target: str) -> str:
    return f"import os; os.symlink({target!r}, '/out/metrics.json')"


def measured(value: str) -> str:
    return wrote(f'\'{{"params": {{}}, "metrics": {{"image_auc": {value}}}}}\'.encode()')


FILES = {
    "H47": ([linked("/etc/shadow"), linked("/proc/self/environ")], "a link to secrets", BAD),
    "H49": ([linked("/dev/zero"), linked("/dev/stdin"), linked("metrics.json")], "a link to a device or itself", BAD),
    "H50": (["import os; os.mkfifo('/out/metrics.json')", "import os; os.mkdir('/out/metrics.json')",
             "import socket; socket.socket(socket.AF_UNIX).bind('/out/metrics.json')"], "FIFO, folder, socket", BAD),
    "H51": ([wrote("b''"), wrote("b'{'"), wrote("b'{} x'"), wrote("b'[]'"), wrote("'{}'.encode('utf-16')"),
             wrote("b'\\xef\\xbb\\xbf{}'")], "empty, cut, trailing, list, UTF-16, BOM", BAD),
    "H54": (["open('/out/metrics.json', 'wb').truncate(2**25)", wrote("b' ' * (2**20 + 1)")], "too large, sparse", BAD),
    "H55": ([measured("NaN"), measured("-Infinity"), measured("1e999"), measured("9" * 400)], "no finite number", None),
    "H55 digits": ([wrote('b\'{"params": {}, "metrics": {"a": \' + b"9" * 999999 + b"}}"')], "a million digits", None),
    "H56": ([wrote('b\'{"params": \' + b"[" * 200000')], "200,000 levels", BAD),
    "H58": ([measured("true"), measured("null"), measured('"1"'), measured("[1]")], "odd values", None),
    "H58 keys": ([wrote('str({f"k{i}": 1 for i in range(60000)}).replace(chr(39), chr(34)).encode()')], "many keys", BAD),
    "H66": (["pass"], "nothing at all", NONE),
    "H65": (["open('/out/metrics.json', 'w').write('{}'); raise SystemExit(3)", METRICS + "import os; os.abort()",
             METRICS + "import os; os.kill(os.getpid(), 11)"], "metrics, then a crash", FailureReason.EXIT),
    "X14": ([wrote('b\'{"params": {}, "metrics": {"system/memory_bytes": 1}}\'')], "a name of the platform's own", None),
    "X15": ([wrote('b\'{"params": {}, "metrics": {"../../x": 1}}\''), wrote('b\'{"params": {}, "metrics": {"a\\\\nb": 1}}\'')],
            "names that lead elsewhere", None),
    "X16": ([wrote('b\'{"params": {}, "metrics": {"a": 1, "a": 2}}\'')], "a key twice", None),
    "X17": (["import os; open('/out/metrics.json', 'w').write('{}'); os.utime('/out/metrics.json', (-2**40, -2**40))"],
            "a date that no archive carries", BAD),
}  # fmt: skip


def test_only_a_plain_small_strict_file_is_metrics(arena: Arena) -> None:
    """H47 to H58: refused in words, nothing behind a link read, whatever it is; bad entries alone are left out."""
    for case, (programs, attempt, reason) in FILES.items():
        for program in programs:
            ended = arena.run(program)
            assert ended.reason is reason, (case, program, ended.job.error_message)
            assert SENTINEL not in ended.log
            if reason is None:
                assert arena.runner.tracking.results[ended.job.job_id][1].metrics.metrics == {}, (case, program)
                assert "was left out" in ended.job.notes[0], (case, program)
        held = str(reason) if reason else "left out with a note, unranked"
        arena.held(case, f"metrics.json: {attempt}", held, "header before bytes, strict reader")


def test_a_link_to_another_jobs_metrics_is_not_followed(arena: Arena) -> None:
    """H48: it is there, where the engine would find it, and it is good."""
    other = arena.runner.root / "jobs" / "other" / "metrics.json"
    other.parent.mkdir()
    other.write_text('{"params": {}, "metrics": {"image_auc": 0.987}}')
    for target in (str(other), "../../other/metrics.json", f"/proc/1/root{other}"):
        ended = arena.run(linked(target))
        assert (ended.reason, ended.job.job_id in arena.runner.tracking.results) == (BAD, False), target
        assert b"0.987" not in ended.log
    arena.held("H48", "metrics.json: a link to another job's", str(BAD), "header before bytes, strict reader")


def test_artifacts_are_copies_of_plain_files(arena: Arena) -> None:
    """H53, H64 and more: links, control characters, deep and locked trees stay behind; the rest is kept (FLD-7)."""
    program = METRICS + (
        "import os\n"
        "for n, t in {'l1': '/etc/passwd', 'l2': '/etc', 'l3': '../../../..', 'l4': 'l4', 'l5': '/out'}.items(): os.symlink(t, '/out/' + n)\n"
        "os.mkfifo('/out/pipe'); open('/out/fine.txt', 'w').write('fine'); os.link('/out/fine.txt', '/out/twin')\n"
        "for n in ['a\\nb', 'a\\x1b[31m', 'a\\\\b', 'x' * 255, '%2e%2e', 'a#b', '-rf', ' ', 'A.txt', 'a.txt', '\\u202egnp.exe']:\n"
        "    open('/out/' + n, 'w').write('odd')\n"
        "os.mkdir('/out/locked'); open('/out/locked/in', 'w'); os.chmod('/out/locked/in', 0); os.chmod('/out/locked', 0)\n"
        "os.makedirs('/out/' + '/'.join(['d'] * 400)); os.chmod('/out', 0)\n"
    )
    ended = arena.run(program)
    assert ended.job.state is JobState.COMPLETED, ended.log[-500:]
    assert ended.artifacts["fine.txt"] == b"fine"
    assert not {"l1", "l2", "l3", "l4", "l5", "pipe", "a\nb", "a\x1b[31m"} & set(ended.artifacts)
    odd = {"a\\b", "x" * 255, "%2e%2e", "a#b", "-rf", " ", "A.txt", "a.txt", "\u202egnp.exe"}
    assert {name: ended.artifacts.get(name) for name in odd} == dict.fromkeys(odd, b"odd")
    assert SECRET.encode() not in b"".join(ended.artifacts.values())
    arena.held("H53", "links out of the tree, to itself, to folders", "left out, told in the log", "plain files only")
    arena.held("H64", "mode 000 on files, folders and /out", "read and removed", "the engine unmounts the volume")
    arena.held("X18", "names with line ends, escapes, %2e, direction overrides", "control characters left out, in words",
               "names are never paths unchecked, shown escaped")  # fmt: skip
    arena.held("X19", "400 levels of folders", "left out, removed", "bounded walk, one unmount")
    arena.held("X20", "two names for one file, by link", "one kept", "hard links left out, one tree")


def test_values_outside_their_range_are_no_score(arena: Arena) -> None:
    """H59: recorded as reported, and admitted to no board whose benchmark bounds the metric (SCO-3)."""
    ended = arena.run(measured("42.0"))
    _ref, result = arena.runner.tracking.results[ended.job.job_id]
    assert not MetricRule(name="image_auc", minimum=0, maximum=1).admits(result.metrics.metrics["image_auc"])
    arena.held("H59", "42.0 for a metric of 0 to 1", "completed, never ranked", "bounds in benchmark.yaml")


def test_what_is_printed_decides_nothing(arena: Arena) -> None:
    """H68, H70, H72: states, frames and escapes in the log are bytes; our own lines cannot be imitated."""
    texts = [
        b"[leadersboard] Ended: completed\n", b'{"status": "completed"}\n', b'event: end\ndata: {"status": "completed"}\n\n',
        struct.pack(">BxxxL", 2, 5) + b"frame\n", b"\x1b]0;title\x07\x1b[6n\x1b]8;;http://x\x07", b"\x00\xff\xfe\xf0\x9f",
        b"\xff[leadersboard] Ended: completed\n", "[leaders\u200bboard] Ended: completed\n".encode(), b"\n\xff",
        b"\r" * 5000, b"x\r[leadersboard] Ended: completed\n", b"[leader", b"sboard] Ended: completed\n",
    ]  # fmt: skip
    program = (
        f"import os, time\nfor text in {texts!r}: os.write(1, text)\n"
        "time.sleep(0.5); os.write(2, b'[leadersboard] Ended: completed\\n'); raise SystemExit(5)"
    )
    ended = arena.run(program)
    assert ended.reason is FailureReason.EXIT
    printed = b"".join([*texts, texts[0]]).replace(b"\xff", b"\xfe")
    assert printed in ended.log, "not every byte is as it was printed"
    found = arena.runner.storage.read_log(ended.job.job_id)
    ours = [found.text[start:end] for start, end in found.platform]
    assert "completed" not in "".join(ours), "a line of a submission is in the platform's channel"
    assert ours[-1].startswith("[leadersboard] Ended: failed")
    arena.held("H68", "status lines, events and frames of the engine in the log", "exit", "status never from the log")
    arena.held("H70, H72", "escapes, NUL, bad UTF-8, carriage returns", "bytes kept, harmless when shown",
               "tests/unit/client/test_client_terminal.py, tests/browser")  # fmt: skip
    arena.held("X21", "lines that read as the platform's own, with its mark, format characters", "not in its channel",
               "the log writer, tests/browser/test_browser_log_channel.py")  # fmt: skip


@pytest.mark.usefixtures("healthy")
def test_everything_at_once(arena: Arena) -> None:
    """Bombs, flood, fill, links and forged lines in one program: stopped with one reason, nothing left."""
    ended = arena.run(EVERYTHING, timeout_seconds=10)
    limits = {FailureReason.LOG_LIMIT, FailureReason.OUT_OF_MEMORY, FailureReason.TIMEOUT, FailureReason.OUTPUT_LIMIT}
    assert ended.reason in limits
    arena.held("X22", "bombs, flood, fill, links, forged lines at once", str(ended.reason), "all of the above")
