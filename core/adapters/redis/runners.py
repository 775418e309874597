"""Runners and their hosts in Redis: two hashes of reports with the time of each, and one of wishes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import redis
from pydantic import ValidationError

from core.adapters.redis.connection import redis_errors
from core.domain.image_packages import ImagePackages
from core.domain.runners import (
    FORGOTTEN_SECONDS,
    HOST_FORGOTTEN_SECONDS,
    Fact,
    HostReport,
    RunnerReport,
    SeenHost,
    SeenRunner,
    Wish,
    stricter,
)

KEY = "leaderboard:runners:"
Report = TypeVar("Report", bound=Fact)

# PUBLISH and TURN may run when memory is full: they reuse space, or take some for seconds only. KEYS of PUBLISH: hash
# of reports; ARGV: name, report. The time is Redis's own.
PUBLISH = """#!lua flags=allow-oom
local clock = redis.call('TIME')
redis.call('HSET', KEYS[1], ARGV[1], clock[1] .. '.' .. string.format('%06d', clock[2]) .. ' ' .. ARGV[2])
"""
# KEYS: a turn; ARGV: seconds, whether its holder extends it (0/1). The value is the times at which the turn was taken
# and at which it ends, since the key itself outlives the turn if the clock is set back.
TURN = """#!lua flags=allow-oom
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local since, ends = string.match(redis.call('GET', KEYS[1]) or '', '^(%S+) (%S+)$')
local taken = since ~= nil and tonumber(since) <= now and now < tonumber(ends)
if taken ~= (ARGV[2] == '1') then return 0 end
redis.call('SET', KEYS[1], string.format('%.6f %.6f', now, now + ARGV[1]), 'PX', math.ceil(ARGV[1] * 1000))
return 1
"""
# KEYS: reports of processes, reports of hosts, wishes; ARGV: a process, its host. Removes the host with its last
# process.
WITHDRAW = """#!lua flags=allow-oom
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[3], ARGV[1])
for _, told in ipairs(redis.call('HVALS', KEYS[1])) do
  local read, report = pcall(cjson.decode, string.match(told, '^%S+ (.*)$'))
  if read and report['host'] == ARGV[2] then return 0 end
end
redis.call('HDEL', KEYS[2], ARGV[2])
return 1
"""
# KEYS: hash of reports. Returns pairs of age (ms; negative if the clock was set back) and report.
LIST = """#!lua flags=no-writes
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local all, found = redis.call('HGETALL', KEYS[1]), {}
for i = 2, #all, 2 do
  local at, report = string.match(all[i], '^(%S+) (.*)$')
  found[#found + 1] = tostring(math.floor((now - tonumber(at)) * 1000))
  found[#found + 1] = report
end
return found
"""
# KEYS: hash of reports; ARGV: seconds after which a report is removed. If the clock was set back, reports from the
# future are dated now; otherwise a dead runner would be listed until then.
TIDY = """#!lua flags=allow-oom
local clock = redis.call('TIME')
local now = clock[1] + clock[2] / 1000000
local all = redis.call('HGETALL', KEYS[1])
for i = 1, #all, 2 do
  local at, report = string.match(all[i + 1], '^(%S+) (.*)$')
  local silent = now - tonumber(at)
  if silent < 0 then redis.call('HSET', KEYS[1], all[i], string.format('%.6f', now) .. ' ' .. report) end
  if silent > tonumber(ARGV[1]) then redis.call('HDEL', KEYS[1], all[i]) end
end
"""


class RedisRunners:
    """RunnersPort on the ledger's Redis."""

    def __init__(self, client: redis.Redis) -> None:
        self._redis = client

    def publish(self, report: RunnerReport) -> None:
        self._publish("processes", report.name, report)

    def publish_host(self, report: HostReport) -> None:
        self._publish("hosts", report.host, report)

    def publish_image(self, image: ImagePackages) -> None:
        self._publish("images", image.image_id, image)

    def withdraw(self, name: str, host: str) -> None:
        with redis_errors():
            keys = [KEY + "processes", KEY + "hosts", KEY + "wishes"]
            self._redis.register_script(WITHDRAW)(keys=keys, args=[name, host])

    def _publish(self, kind: str, name: str, report: Fact) -> None:
        with redis_errors():
            self._redis.register_script(PUBLISH)(keys=[KEY + kind], args=[name, report.model_dump_json()])

    def turn(self, what: str, seconds: float) -> bool:
        with redis_errors():
            return bool(self._redis.register_script(TURN)(keys=[f"{KEY}turn:{what}"], args=[seconds, 0]))

    def keep_turn(self, what: str, seconds: float) -> None:
        with redis_errors():
            self._redis.register_script(TURN)(keys=[f"{KEY}turn:{what}"], args=[seconds, 1])

    def count_mended(self, what: str) -> None:
        with redis_errors():
            self._redis.hincrby(KEY + "mended", what, 1)

    def mended(self) -> Mapping[str, int]:
        with redis_errors():
            found: Any = self._redis.hgetall(KEY + "mended")
        return {what: int(count) for what, count in sorted(found.items())}

    def runners(self) -> Sequence[SeenRunner]:
        with redis_errors():
            wishes: Any = self._redis.hgetall(KEY + "wishes")
        found = [
            SeenRunner(
                report=report, silent_seconds=silent, wish=_wish(wishes.get(report.name), wishes.get(report.host))
            )
            for silent, report in self._reports("processes", RunnerReport, FORGOTTEN_SECONDS)
        ]
        return sorted(found, key=lambda seen: seen.report.name)

    def hosts(self) -> Sequence[SeenHost]:
        found = [
            SeenHost(report=report, silent_seconds=silent)
            for silent, report in self._reports("hosts", HostReport, HOST_FORGOTTEN_SECONDS)
        ]
        return sorted(found, key=lambda seen: seen.report.host)

    def images(self) -> Sequence[ImagePackages]:
        return [image for _silent, image in self._reports("images", ImagePackages, HOST_FORGOTTEN_SECONDS)]

    def _reports(self, kind: str, model: type[Report], kept: float) -> Iterator[tuple[float, Report]]:
        with redis_errors():
            flat: Any = self._redis.register_script(LIST)(keys=[KEY + kind])
            silences = [int(milliseconds) / 1000 for milliseconds in flat[::2]]
            if not all(0 <= silent <= kept for silent in silences):
                with suppress(redis.ResponseError):  # Redis accepts no write; the next reader tries again
                    self._redis.register_script(TIDY)(keys=[KEY + kind], args=[kept])
        for silent, text in zip(silences, flat[1::2], strict=True):
            if silent <= kept:
                with suppress(ValidationError):  # a runner of another version: skip it, list the others
                    yield max(0.0, silent), model.model_validate_json(text)

    def wish(self, *targets: str) -> Wish:
        with redis_errors():
            found: Any = self._redis.hmget(KEY + "wishes", list(targets))
        return _wish(*found)

    def set_wish(self, target: str, wish: Wish) -> None:
        with redis_errors():
            if wish is Wish.RUN:
                self._redis.hdel(KEY + "wishes", target)
            else:
                self._redis.hset(KEY + "wishes", target, wish.value)

    def ask_canary(self, host: str) -> None:
        with redis_errors():
            self._redis.set(f"{KEY}canary:{host}", "1", ex=600)

    def take_canary(self, host: str) -> bool:
        with redis_errors():
            return bool(self._redis.getdel(f"{KEY}canary:{host}"))


def _wish(*found: str | None) -> Wish:
    return stricter(*(Wish(value) for value in found if value))
