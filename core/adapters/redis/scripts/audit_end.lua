#!lua flags=allow-oom
-- KEYS: entries, outcomes; ARGV: entry, outcome and status. Only the first outcome counts.
if #redis.call('XRANGE', KEYS[1], ARGV[1], ARGV[1]) == 0 then return 0 end
return redis.call('HSETNX', KEYS[2], ARGV[1], ARGV[2])
