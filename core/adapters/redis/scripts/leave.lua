-- ARGV: job, token, until told (0/1). The job goes on without a runner, unless it is cancelled. Until told: its result
-- waits, and the job does not count among its user's running jobs.
local id = ARGV[1]
if lost(id, ARGV[2]) then return 'lost' end
if redis.call('HGET', job_key(id), 'cancel_requested') == '1' then
  release(id, redis.call('HGET', job_key(id), 'user_id'))
  close(id, 'running', 'cancelled')
  return redis.call('HGETALL', job_key(id))
end
if ARGV[3] == '1' then
  redis.call('SREM', running_key(redis.call('HGET', job_key(id), 'user_id')), id)
  redis.call('HSET', job_key(id), 'result_since', stamp)
end
orphan(id, ARGV[3] == '1' and '+inf' or now)
return redis.call('HGETALL', job_key(id))
