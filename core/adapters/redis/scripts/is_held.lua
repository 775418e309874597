-- ARGV: job. 1 while a lease on it lives.
local ends = redis.call('ZSCORE', LEASES, ARGV[1])
return ends and tonumber(ends) > now and 1 or 0
