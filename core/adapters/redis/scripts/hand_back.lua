-- ARGV: job, token, whether this attempt counts (0/1), why
local id = ARGV[1]
if lost(id, ARGV[2]) then return 'lost' end
local fields = redis.call('HMGET', job_key(id), 'user_id', 'resource_class', 'created_at', 'cancel_requested', 'attempt')
if fields[4] == '1' then
  if ARGV[3] == '0' and fields[5] == '1' then give_back(id, fields[1]) end
  release(id, fields[1])
  close(id, 'running', 'cancelled')
  return 'ok'
end
requeue(id, fields[1], fields[2], fields[3], ARGV[3] == '1', ARGV[4])
return 'ok'
