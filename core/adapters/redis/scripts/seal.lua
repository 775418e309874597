-- ARGV: job, token. From now on the job ends with its result. Returns 'cancelled' if a cancel was requested before.
local id = ARGV[1]
if lost(id, ARGV[2]) then return 'lost' end
if redis.call('HGET', job_key(id), 'cancel_requested') == '1' then return 'cancelled' end
redis.call('HSET', job_key(id), 'sealed', '1')
return 'ok'
