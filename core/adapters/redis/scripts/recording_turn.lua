-- ARGV: host, seconds of a turn, first pause, longest pause, most results at once, seconds after which a result is
-- stuck, a random number below 1. Returns 1 if results of this host wait and this caller shall check whether the
-- tracking server answers: one caller at a time, of all hosts, and none during the pause after a failed try.
local turn, first, longest, most, stuck = tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])

local function any_waits()
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', ORPHANS, '+inf', '+inf')) do
    if redis.call('HGET', job_key(id), 'host') == ARGV[1] then return true end
  end
  return false
end

if not any_waits() then return 0 end

-- The outcome of the results released so far.
local busy, recorded, in_vain = 0, 0, 0
local out = redis.call('ZRANGE', RELEASED, 0, -1, 'WITHSCORES')
for i = 1, #out, 2 do
  local id, elapsed = out[i], now - tonumber(out[i + 1])
  local status = redis.call('HGET', job_key(id), 'status')
  local again = redis.call('ZSCORE', ORPHANS, id) == 'inf'
  if status == 'running' and not again and elapsed >= 0 and elapsed < stuck then
    busy = busy + 1
  else
    redis.call('ZREM', RELEASED, id)
    if status == 'completed' then recorded = recorded + 1 end
    if status == 'running' and again then in_vain = in_vain + 1 end
  end
end

local state = redis.call('HMGET', RECORDING, 'due', 'pause', 'batch')
local due, pause, batch = tonumber(state[1] or 0), tonumber(state[2] or 0), tonumber(state[3] or 1)
if recorded > 0 then
  due, pause, batch = now, 0, math.min(most, 2 * batch)
elseif in_vain > 0 then
  pause = pause > 0 and math.min(longest, 2 * pause) or first
  due, batch = now + pause * (0.5 + tonumber(ARGV[7])), 1
elseif due > now + math.max(turn, 2 * longest) then
  due = now
end
local mine = due <= now and busy < batch
if mine then due = now + turn end
redis.call('HSET', RECORDING, 'due', string.format('%.6f', due), 'pause', pause, 'batch', batch)
return mine and 1 or 0
