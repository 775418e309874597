-- ARGV: most attempts, message of a job that used them up. Answers two lists: put back, ended.
local requeued, ended = {}, {}
for _, id in ipairs(redis.call('ZRANGEBYSCORE', LEASES, '-inf', now, 'LIMIT', 0, 100)) do
  local key = job_key(id)
  local fields = redis.call('HMGET', key, 'user_id', 'resource_class', 'created_at', 'attempt', 'cancel_requested')
  release(id, fields[1])
  if fields[5] == '1' then
    close(id, 'running', 'cancelled')
    ended[#ended + 1] = id
  elseif tonumber(fields[4]) >= tonumber(ARGV[1]) then
    redis.call('HSET', key, 'failure_reason', 'platform', 'error_message', ARGV[2])
    redis.call('ZREM', rate_key(fields[1]), id)
    close(id, 'running', 'failed')
    ended[#ended + 1] = id
  else
    move(id, 'running', 'pending')
    redis.call('HSET', key, 'phase', 'queued')
    enqueue(id, fields[2], fields[1], fields[3])
    requeued[#requeued + 1] = id
  end
end
return { requeued, ended }
