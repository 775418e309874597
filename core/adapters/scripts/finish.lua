-- ARGV: job, token, final state, refund (0/1), then pairs of field and value
local id = ARGV[1]
if lost(id, ARGV[2]) then return 'lost' end
local key = job_key(id)
local user = redis.call('HGET', key, 'user_id')
for i = 5, #ARGV, 2 do redis.call('HSET', key, ARGV[i], ARGV[i + 1]) end
release(id, user)
close(id, 'running', ARGV[3])
if ARGV[4] == '1' then redis.call('ZREM', rate_key(user), id) end
return redis.call('HGETALL', key)
