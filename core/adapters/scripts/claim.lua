-- ARGV: class, worker, token, lease seconds, running limit, host. First whatever runs on this host and lost its runner, of
-- any class. Then, of the class: fewest running jobs, then longest waiting (JOB-9).
local class, host = ARGV[1], ARGV[6]

local function take(id)
  redis.call('ZADD', LEASES, now + tonumber(ARGV[4]), id)
  redis.call('HSET', job_key(id), 'worker', ARGV[2], 'token', ARGV[3], 'updated_at', stamp)
  return redis.call('HGETALL', job_key(id))
end

for _, id in ipairs(redis.call('ZRANGEBYSCORE', ORPHANS, '-inf', '(+inf', 'LIMIT', 0, 1000)) do
  if redis.call('HGET', job_key(id), 'host') == host then
    redis.call('ZREM', ORPHANS, id)
    return take(id)
  end
end

local best
for _, user in ipairs(redis.call('SMEMBERS', waiting_key(class))) do
  local head = redis.call('ZRANGE', pending_key(class, user), 0, 0, 'WITHSCORES')
  local running = redis.call('SCARD', running_key(user))
  if head[1] and running < tonumber(ARGV[5]) then
    local since = tonumber(head[2])
    if not best or running < best.running or (running == best.running and since < best.since) then
      best = { id = head[1], user = user, running = running, since = since }
    end
  end
end
if not best then return false end

dequeue(best.id, class, best.user)
redis.call('SADD', running_key(best.user), best.id)
move(best.id, 'pending', 'running')
redis.call('HINCRBY', job_key(best.id), 'attempt', 1)
redis.call('HSET', job_key(best.id), 'phase', 'preparing', 'host', host)
redis.call('HSETNX', job_key(best.id), 'started_at', stamp)
return take(best.id)
