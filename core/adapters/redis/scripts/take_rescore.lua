-- ARGV: seconds. Takes the job that waited longest to be scored again; it is due again after these seconds, unless that
-- is ended before. Returns its id, or nothing.
local key = PREFIX .. 'rescores'
local due = redis.call('ZRANGEBYSCORE', key, '-inf', now, 'LIMIT', 0, 1)
if #due == 0 then return false end
redis.call('ZADD', key, now + tonumber(ARGV[1]), due[1])
return due[1]
