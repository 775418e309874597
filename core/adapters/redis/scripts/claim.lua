-- ARGV: class, worker, token, lease seconds, running limit, host, losses that make a job suspect, seconds that bound
-- how long a suspect waits to be alone and how long it then is. Takes first a job of any class that runs on this host
-- and lost its runner. Then, of the class: trials, longest waiting first; then fewest running jobs of its user, then
-- longest waiting (JOB-9). A suspect is claimed only if its host's runners hold no other job, and they claim nothing
-- beside it.
local class, host = ARGV[1], ARGV[6]
local suspicious, bound = tonumber(ARGV[7]), tonumber(ARGV[8])
-- By host: the waiting suspect for which that host claims nothing new.
local RESERVED = PREFIX .. 'reserved'

local function is_suspect(losses) return tonumber(losses or 0) >= suspicious end

-- If the clock was set back, a time in the future counts as long ago.
local function is_over(since)
  local elapsed = now - tonumber(since)
  return elapsed < 0 or elapsed >= bound
end

local function take(id)
  redis.call('ZADD', LEASES, now + tonumber(ARGV[4]), id)
  redis.call('HSET', job_key(id), 'worker', ARGV[2], 'token', ARGV[3], 'updated_at', stamp)
  if is_suspect(redis.call('HGET', job_key(id), 'losses')) then
    redis.call('HSET', job_key(id), 'alone_since', stamp)
    redis.call('HDEL', job_key(id), 'alone_on')
    redis.call('HDEL', RESERVED, host)
  end
  return redis.call('HGETALL', job_key(id))
end

-- Returns how many jobs this host's runners hold, and whether one of them must still run alone.
local function in_hand()
  local held, alone = 0, false
  for _, id in ipairs(redis.call('ZRANGEBYSCORE', LEASES, '(' .. stamp, '+inf')) do
    local fields = redis.call('HMGET', job_key(id), 'host', 'losses', 'alone_since')
    if fields[1] == host then
      held = held + 1
      alone = alone or (is_suspect(fields[2]) and fields[3] and not is_over(fields[3]))
    end
  end
  return held, alone
end

local held, alone = in_hand()
if alone then return false end

local suspect
local left = redis.call('ZRANGEBYSCORE', ORPHANS, '-inf', '(+inf', 'WITHSCORES', 'LIMIT', 0, 1000)
for i = 1, #left, 2 do
  local fields = redis.call('HMGET', job_key(left[i]), 'host', 'losses')
  if fields[1] == host then
    if not is_suspect(fields[2]) then
      redis.call('ZREM', ORPHANS, left[i])
      return take(left[i])
    end
    suspect = suspect or { id = left[i], since = left[i + 1] }
  end
end
if suspect then
  if held > 0 and not is_over(suspect.since) then return false end
  redis.call('ZREM', ORPHANS, suspect.id)
  return take(suspect.id)
end

-- Whether this host claims nothing new because of a waiting suspect of another class.
local function is_reserved()
  local id = redis.call('HGET', RESERVED, host)
  if not id then return false end
  local fields = redis.call('HMGET', job_key(id), 'status', 'alone_on', 'updated_at', 'resource_class')
  if fields[1] == 'pending' and fields[2] == host and not is_over(fields[3]) then return fields[4] ~= class end
  redis.call('HDEL', RESERVED, host)
  return false
end

if is_reserved() then return false end

local function next_of(passed_over)
  for _, id in ipairs(redis.call('ZRANGE', trials_key(class), 0, -1)) do
    if not passed_over[id] then return { id = id, user = redis.call('HGET', job_key(id), 'user_id'), trial = true } end
  end
  local best
  for _, user in ipairs(redis.call('SMEMBERS', waiting_key(class))) do
    local head = redis.call('ZRANGE', pending_key(class, user), 0, 0, 'WITHSCORES')
    local running = redis.call('SCARD', running_key(user))
    if head[1] and running < tonumber(ARGV[5]) and not passed_over[head[1]] then
      local since = tonumber(head[2])
      if not best or running < best.running or (running == best.running and since < best.since) then
        best = { id = head[1], user = user, running = running, since = since }
      end
    end
  end
  return best
end

-- Where a job may start: here and now ('now'), here once no other job runs ('later'), or on the host reserved for it
-- ('elsewhere').
local function place_of(id)
  local fields = redis.call('HMGET', job_key(id), 'losses', 'updated_at', 'alone_on')
  if not is_suspect(fields[1]) or held == 0 or is_over(fields[2]) then return 'now' end
  if fields[3] and fields[3] ~= host and redis.call('EXISTS', host_key(fields[3])) == 1 then return 'elsewhere' end
  return 'later'
end

local passed_over = {}
local best = next_of(passed_over)
while best do
  local place = place_of(best.id)
  if place == 'now' then break end
  if place == 'later' then
    redis.call('HSET', job_key(best.id), 'alone_on', host)
    redis.call('HSET', RESERVED, host, best.id)
    return false
  end
  passed_over[best.id] = true
  best = next_of(passed_over)
end
if not best then return false end

dequeue(best.id, class, best.user)
if not best.trial then redis.call('SADD', running_key(best.user), best.id) end
move(best.id, 'pending', 'running')
redis.call('HINCRBY', job_key(best.id), 'attempt', 1)
redis.call('HSET', job_key(best.id), 'phase', 'preparing', 'host', host)
redis.call('HSETNX', job_key(best.id), 'started_at', stamp)
return take(best.id)
