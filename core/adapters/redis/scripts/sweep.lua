-- ARGV: most attempts, message of a job that used them up, losses of a runner with which a job ends, seconds in which a
-- cancel must be carried out, this host, seconds for which it counts as alive, longest lease, length in seconds of a
-- gap between sweeps after which silence proves nothing, grace period in seconds for lease holders after such a gap,
-- message of a job that lost too many runners, why a job is launched again when its host is gone, and when its runner
-- was lost before its run began. Returns three lists: put back, ended, left to their host.
local requeued, ended, orphaned = {}, {}, {}

local function give_up(id, fields, message)
  redis.call('HSET', job_key(id), 'failure_reason', 'platform', 'error_message', message)
  uncount(id, fields[1])
  release(id, fields[1])
  close(id, 'running', 'failed')
  ended[#ended + 1] = id
end

-- The job's host is gone: run it again elsewhere, or give it up.
local function again(id, fields)
  if tonumber(fields[4]) >= tonumber(ARGV[1]) then return give_up(id, fields, ARGV[2]) end
  requeue(id, fields[1], fields[2], fields[3], true, ARGV[11])
  requeued[#requeued + 1] = id
end

-- Counts over all attempts. An older version counted the losses of one attempt, under another name.
local function count_loss(id)
  local known = redis.call('HMGET', job_key(id), 'losses', 'recoveries')
  if not known[1] and known[2] then redis.call('HSET', job_key(id), 'losses', known[2]) end
  return redis.call('HINCRBY', job_key(id), 'losses', 1)
end

-- Nothing was launched, so no attempt is used up.
local function back(id, fields)
  requeue(id, fields[1], fields[2], fields[3], false, ARGV[12])
  requeued[#requeued + 1] = id
end

local function cancelled(id, user)
  local begun = redis.call('HMGET', job_key(id), 'attempt', 'sandbox')
  if begun[1] == '1' and not begun[2] then give_back(id, user) end
  release(id, user)
  close(id, 'running', 'cancelled')
  ended[#ended + 1] = id
end

local function facts(id)
  return redis.call('HMGET', job_key(id), 'user_id', 'resource_class', 'created_at', 'attempt', 'cancel_requested', 'sandbox', 'host')
end

-- Decided by the stored time: the key itself outlives its time if the clock was set back.
local function is_there(host)
  local told = redis.call('GET', host_key(host or ''))
  if not told then return false end
  local at, patience = string.match(told, '^(%S+) ?(.*)$')
  if tonumber(at) > now then
    redis.call('SET', host_key(host), stamp .. ' ' .. patience, 'KEEPTTL')
    return true
  end
  return now - tonumber(at) <= (tonumber(patience) or tonumber(ARGV[6]))
end

if ARGV[5] ~= '' then redis.call('SET', host_key(ARGV[5]), stamp .. ' ' .. ARGV[6], 'EX', ARGV[6]) end

-- After a gap without sweeps (Redis or every runner was down), silence counts only from this sweep on.
local swept = redis.call('HMGET', SWEPT, 'at', 'listening_since')
local since = tonumber(swept[2] or 0)
if since > now or (swept[1] and now - tonumber(swept[1]) > tonumber(ARGV[8])) then since = now end
redis.call('HSET', SWEPT, 'at', stamp, 'listening_since', string.format('%.6f', since))
local listened = now - since

-- If the clock was set back, ends and requests that lie too far in the future are cut to the latest possible time.
for key, latest in pairs({ [LEASES] = now + tonumber(ARGV[7]), [CANCELLING] = now }) do
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', key, string.format('(%.6f', latest), '+inf', 'LIMIT', 0, 100)) do
    redis.call('ZADD', key, latest, id)
  end
end

local over = listened < tonumber(ARGV[9]) and KNOWN_DEAD or now
for _, id in ipairs(redis.call('ZRANGEBYSCORE', LEASES, '-inf', over, 'LIMIT', 0, 100)) do
  local fields = facts(id)
  if fields[5] == '1' then
    cancelled(id, fields[1])
  elseif count_loss(id) >= tonumber(ARGV[3]) then
    give_up(id, fields, ARGV[10])
  elseif not fields[6] then
    back(id, fields)
  else
    orphan(id, now)
    orphaned[#orphaned + 1] = id
  end
end

for _, id in ipairs(redis.call('ZRANGEBYSCORE', CANCELLING, '-inf', now - tonumber(ARGV[4]), 'LIMIT', 0, 100)) do
  cancelled(id, redis.call('HGET', job_key(id), 'user_id'))
end

for _, id in ipairs(listened < tonumber(ARGV[6]) and {} or redis.call('ZRANGE', ORPHANS, 0, 999)) do
  local fields = facts(id)
  if not is_there(fields[7]) then
    if fields[5] == '1' then cancelled(id, fields[1]) else again(id, fields) end
  end
end
return { requeued, ended, orphaned }
