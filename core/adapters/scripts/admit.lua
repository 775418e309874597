-- ARGV: job, user, class, submission, benchmark, overrides, jobs per hour, running limit, wait when over (0/1)
local id, user, class = ARGV[1], ARGV[2], ARGV[3]
if redis.call('EXISTS', job_key(id)) == 1 then return { 'existing', '0' } end

local rate = rate_key(user)
redis.call('ZREMRANGEBYSCORE', rate, '-inf', now - 3600)
if redis.call('ZCARD', rate) >= tonumber(ARGV[7]) then
  local oldest = redis.call('ZRANGE', rate, 0, 0, 'WITHSCORES')
  return { 'hourly', tostring(math.ceil(oldest[2] + 3600 - now)) }
end
if ARGV[9] == '0' and redis.call('SCARD', running_key(user)) >= tonumber(ARGV[8]) then return { 'running', '0' } end

redis.call('ZADD', rate, stamp, id)
redis.call('EXPIRE', rate, 3600)
redis.call('HSET', job_key(id), 'job_id', id, 'user_id', user, 'resource_class', class, 'submission_id', ARGV[4],
  'benchmark', ARGV[5], 'overrides', ARGV[6], 'status', 'pending', 'phase', 'queued', 'attempt', 0,
  'created_at', stamp, 'updated_at', stamp)
for _, key in ipairs(index_keys(user, 'pending')) do redis.call('ZADD', key, stamp, id) end
enqueue(id, class, user, stamp)
return { 'created', '0' }
