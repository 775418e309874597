-- ARGV: host. Returns how many jobs of this host may be taken over now.
local count = 0
for _, id in ipairs(redis.call('ZRANGEBYSCORE', ORPHANS, '-inf', '(+inf', 'LIMIT', 0, 1000)) do
  if redis.call('HGET', job_key(id), 'host') == ARGV[1] then count = count + 1 end
end
return count
