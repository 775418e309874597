-- ARGV: class, worker, token, lease seconds, running limit. Next: fewest running jobs, then longest waiting (JOB-9).
local class = ARGV[1]
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
redis.call('ZADD', LEASES, now + tonumber(ARGV[4]), best.id)
move(best.id, 'pending', 'running')
local key = job_key(best.id)
redis.call('HINCRBY', key, 'attempt', 1)
redis.call('HSET', key, 'phase', 'preparing', 'worker', ARGV[2], 'token', ARGV[3])
redis.call('HSETNX', key, 'started_at', stamp)
return redis.call('HGETALL', key)
