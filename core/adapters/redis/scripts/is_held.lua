-- ARGV: job. Returns 1 if a lease on it is valid.
local ends = redis.call('ZSCORE', LEASES, ARGV[1])
return ends and tonumber(ends) > now and 1 or 0
