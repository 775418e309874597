-- ARGV: job. Its place in the order in which `claim` would take the jobs of its class if nothing else changed: level by
-- level (a user's running jobs plus those of theirs before it), and within a level the longest-waiting first.
local id = ARGV[1]
local fields = redis.call('HMGET', job_key(id), 'status', 'user_id', 'resource_class', 'created_at')
if fields[1] ~= 'pending' then return 0 end
local class, created = fields[3], tonumber(fields[4])
local level = redis.call('SCARD', running_key(fields[2])) + redis.call('ZRANK', pending_key(class, fields[2]), id)
local ahead = redis.call('ZRANK', pending_key(class, fields[2]), id)
for _, user in ipairs(redis.call('SMEMBERS', waiting_key(class))) do
  if user ~= fields[2] then
    local key = pending_key(class, user)
    local same_level = level - redis.call('SCARD', running_key(user))
    if same_level >= 0 then
      ahead = ahead + math.min(redis.call('ZCARD', key), same_level)
      local rival = redis.call('ZRANGE', key, same_level, same_level, 'WITHSCORES')
      if rival[2] and tonumber(rival[2]) < created then ahead = ahead + 1 end
    end
  end
end
return ahead + 1
