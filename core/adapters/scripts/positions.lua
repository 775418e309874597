-- ARGV: jobs. For each its place in the order in which `claim` would take the jobs of its class if nothing else changed:
-- level by level (a user's running jobs plus those of theirs before it), and within a level the longest-waiting first.
-- 0 for a job that does not wait. What a whole page shares (who waits, with how many) is read once.
local crowds = {}
local function crowd(class)
  if not crowds[class] then
    local found = {}
    for _, user in ipairs(redis.call('SMEMBERS', waiting_key(class))) do
      local key = pending_key(class, user)
      found[user] = { key = key, running = redis.call('SCARD', running_key(user)), waiting = redis.call('ZCARD', key) }
    end
    crowds[class] = found
  end
  return crowds[class]
end

local function position(id)
  local fields = redis.call('HMGET', job_key(id), 'status', 'user_id', 'resource_class', 'created_at')
  if fields[1] ~= 'pending' then return 0 end
  local mine, class, created = fields[2], fields[3], tonumber(fields[4])
  local ahead = redis.call('ZRANK', pending_key(class, mine), id)
  local level = crowd(class)[mine].running + ahead
  for user, other in pairs(crowd(class)) do
    local same_level = level - other.running
    if user ~= mine and same_level >= 0 then
      ahead = ahead + math.min(other.waiting, same_level)
      local rival = other.waiting > same_level and redis.call('ZRANGE', other.key, same_level, same_level, 'WITHSCORES')
      if rival and tonumber(rival[2]) < created then ahead = ahead + 1 end
    end
  end
  return ahead + 1
end

local places = {}
for number, id in ipairs(ARGV) do places[number] = position(id) end
return places
