-- ARGV: host, release them (0/1). How many results of this host wait for the tracking server.
local count = 0
for _, id in ipairs(redis.call('ZRANGEBYSCORE', ORPHANS, '+inf', '+inf')) do
  if redis.call('HGET', job_key(id), 'host') == ARGV[1] then
    count = count + 1
    if ARGV[2] == '1' then redis.call('ZADD', ORPHANS, now, id) end
  end
end
return count
