-- ARGV: job, user, class, submission, benchmark, overrides, jobs per hour, running limit, wait when over (0/1),
-- fingerprint, rerun of (or empty). Returns the verdict, how many jobs count in this hour, and in how many seconds the
-- oldest of them stops counting.
local id, user, class, benchmark = ARGV[1], ARGV[2], ARGV[3], ARGV[5]
local rate = rate_key(user)

local function answer(verdict)
  local oldest = redis.call('ZRANGE', rate, 0, 0, 'WITHSCORES')
  return { verdict, redis.call('ZCARD', rate), oldest[2] and math.ceil(oldest[2] + 3600 - now) or 0 }
end

redis.call('ZREMRANGEBYSCORE', rate, '-inf', now - 3600)
-- If the clock was set back, jobs recorded in the future are dated now.
for _, posted in ipairs(redis.call('ZRANGEBYSCORE', rate, '(' .. stamp, '+inf')) do redis.call('ZADD', rate, stamp, posted) end
local known = redis.call('HMGET', job_key(id), 'status', 'fingerprint')
if known[1] then return answer((known[2] or ARGV[10]) == ARGV[10] and 'existing' or 'key_reused') end
if redis.call('ZCARD', rate) >= tonumber(ARGV[7]) then return answer('hourly') end
if ARGV[9] == '0' and redis.call('SCARD', running_key(user)) >= tonumber(ARGV[8]) then return answer('running') end

redis.call('ZADD', rate, stamp, id)
redis.call('EXPIRE', rate, 3600)
redis.call('HSET', job_key(id), 'job_id', id, 'user_id', user, 'resource_class', class, 'submission_id', ARGV[4],
  'benchmark', benchmark, 'overrides', ARGV[6], 'status', 'pending', 'phase', 'queued', 'attempt', 0,
  'created_at', stamp, 'updated_at', stamp, 'fingerprint', ARGV[10])
if ARGV[11] ~= '' then redis.call('HSET', job_key(id), 'rerun_of', ARGV[11]) end
for _, key in ipairs(lists_of(user, benchmark)) do
  redis.call('ZADD', key, stamp, id)
  redis.call('ZADD', key .. ':state:pending', stamp, id)
end
enqueue(id, class, user, stamp)
return answer('created')
