-- ARGV: host. Releases waiting results of this host, the longest-waiting first, up to the number that may be recorded
-- at once. Returns how many.
local batch = tonumber(redis.call('HGET', RECORDING, 'batch') or 1)
local free = batch - redis.call('ZCARD', RELEASED)
redis.call('HSET', RECORDING, 'due', stamp)

local waiting = {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', ORPHANS, '+inf', '+inf')) do
  local fields = redis.call('HMGET', job_key(id), 'host', 'result_since')
  if fields[1] == ARGV[1] then waiting[#waiting + 1] = { id = id, since = tonumber(fields[2] or 0) } end
end
table.sort(waiting, function(one, other) return one.since < other.since or (one.since == other.since and one.id < other.id) end)

local count = math.max(0, math.min(free, #waiting))
for i = 1, count do
  redis.call('ZADD', ORPHANS, string.format('%.6f', now + i / 1000000), waiting[i].id) -- sets the order of claims
  redis.call('ZADD', RELEASED, now, waiting[i].id)
end
return count
