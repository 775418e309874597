-- ARGV: job, the beginning of the dead claim's token. Expires its lease, so that no renewal under way can revive it;
-- `sweep` then decides about the job.
local fields = redis.call('HMGET', job_key(ARGV[1]), 'status', 'token')
if fields[1] ~= 'running' or not fields[2] or string.sub(fields[2], 1, #ARGV[2]) ~= ARGV[2] then return 0 end
redis.call('ZADD', LEASES, KNOWN_DEAD, ARGV[1])
redis.call('HDEL', job_key(ARGV[1]), 'token', 'worker')
return 1
