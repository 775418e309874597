-- ARGV: class
local count = redis.call('ZCARD', trials_key(ARGV[1]))
for _, user in ipairs(redis.call('SMEMBERS', waiting_key(ARGV[1]))) do
  count = count + redis.call('ZCARD', pending_key(ARGV[1], user))
end
return count
