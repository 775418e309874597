-- ARGV: job, user, class, submission, benchmark, overrides, jobs per hour, running limit, wait when over (0/1),
-- fingerprint, rerun of (or empty), trial (0/1), trials per hour, trials at once. Returns the verdict, how many jobs (or
-- trials) count in this hour, and in how many seconds the oldest of them stops counting.
local id, user, class, benchmark = ARGV[1], ARGV[2], ARGV[3], ARGV[5]
local trial = ARGV[12] == '1'
local rate = trial and trial_rate_key(user) or rate_key(user)

local function answer(verdict)
  local oldest = redis.call('ZRANGE', rate, 0, 0, 'WITHSCORES')
  return { verdict, redis.call('ZCARD', rate), oldest[2] and math.ceil(oldest[2] + 3600 - now) or 0 }
end

-- How many trials of the user have not ended.
local function trying()
  for _, other in ipairs(redis.call('SMEMBERS', trying_key(user))) do
    local status = redis.call('HGET', job_key(other), 'status')
    if status ~= 'pending' and status ~= 'running' then redis.call('SREM', trying_key(user), other) end
  end
  return redis.call('SCARD', trying_key(user))
end

redis.call('ZREMRANGEBYSCORE', rate, '-inf', now - 3600)
-- If the clock was set back, jobs recorded in the future are dated now.
for _, posted in ipairs(redis.call('ZRANGEBYSCORE', rate, '(' .. stamp, '+inf')) do redis.call('ZADD', rate, stamp, posted) end
local known = redis.call('HMGET', job_key(id), 'status', 'fingerprint')
if known[1] then return answer((known[2] or ARGV[10]) == ARGV[10] and 'existing' or 'key_reused') end
if redis.call('ZCARD', rate) >= tonumber(trial and ARGV[13] or ARGV[7]) then return answer('hourly') end
if trial and trying() >= tonumber(ARGV[14]) then return answer('trying') end
if not trial and ARGV[9] == '0' and redis.call('SCARD', running_key(user)) >= tonumber(ARGV[8]) then return answer('running') end

redis.call('ZADD', rate, stamp, id)
redis.call('EXPIRE', rate, 3600)
redis.call('HSET', job_key(id), 'job_id', id, 'user_id', user, 'resource_class', class, 'submission_id', ARGV[4],
  'benchmark', benchmark, 'overrides', ARGV[6], 'status', 'pending', 'phase', 'queued', 'attempt', 0,
  'created_at', stamp, 'updated_at', stamp, 'fingerprint', ARGV[10])
if ARGV[11] ~= '' then redis.call('HSET', job_key(id), 'rerun_of', ARGV[11]) end
if trial then
  redis.call('HSET', job_key(id), 'trial', '1')
  redis.call('SADD', trying_key(user), id)
  redis.call('EXPIRE', trying_key(user), RETAIN_SECONDS)
end
for _, key in ipairs(lists_of(user, benchmark, trial)) do
  redis.call('ZADD', key, stamp, id)
  redis.call('ZADD', key .. ':state:pending', stamp, id)
end
enqueue(id, class, user, stamp)
return answer('created')
