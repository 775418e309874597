-- ARGV: host. Returns how many results of this host wait for the tracking server.
local count = 0
for _, id in ipairs(redis.call('ZRANGEBYSCORE', ORPHANS, '+inf', '+inf')) do
  if redis.call('HGET', job_key(id), 'host') == ARGV[1] then count = count + 1 end
end
return count
