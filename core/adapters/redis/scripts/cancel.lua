-- ARGV: job
local id = ARGV[1]
local fields = redis.call('HMGET', job_key(id), 'status', 'user_id', 'resource_class', 'sealed', 'attempt')
if not fields[1] then return 'missing' end
if fields[1] == 'pending' then
  dequeue(id, fields[3], fields[2])
  if fields[5] == '0' then give_back(id, fields[2]) end
  redis.call('HSET', job_key(id), 'cancel_requested', '1')
  close(id, 'pending', 'cancelled')
  return 'ok'
end
if fields[1] == 'running' then
  if fields[4] then return 'sealed' end
  redis.call('HSET', job_key(id), 'cancel_requested', '1', 'updated_at', stamp)
  redis.call('ZADD', CANCELLING, 'NX', now, id)
  return 'ok'
end
if fields[1] == 'cancelled' then return 'ok' end
return 'final'
