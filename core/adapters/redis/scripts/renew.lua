-- ARGV: job, token, lease seconds. Returns '1' if a cancel was requested, else '0', or 'lost'.
if lost(ARGV[1], ARGV[2]) then return 'lost' end
redis.call('ZADD', LEASES, now + tonumber(ARGV[3]), ARGV[1])
return redis.call('HGET', job_key(ARGV[1]), 'cancel_requested') or '0'
