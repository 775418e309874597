-- ARGV: jobs. Returns for each its position in the order in which `claim` would take the jobs of its class if nothing
-- else changed: trials, longest-waiting first, then by level (its user's running jobs plus the user's jobs before it in
-- the queue), and within a level the longest-waiting first. 0 for a job that does not wait. What the jobs of a page share
-- (how many jobs each user has waiting, which jobs are on a level) is read once.
local crowds, levels = {}, {}
local function crowd(class)
  if not crowds[class] then
    local found = {}
    for _, user in ipairs(redis.call('SMEMBERS', waiting_key(class))) do
      local key = pending_key(class, user)
      found[user] = { key = key, running = redis.call('SCARD', running_key(user)), waiting = redis.call('ZCARD', key) }
    end
    crowds[class], levels[class] = found, {}
  end
  return crowds[class]
end

-- Returns how many jobs of the class are on lower levels, and since when the jobs on this level wait, sorted.
local function standing_on(class, level)
  if levels[class][level] then return levels[class][level] end
  local lower, since = 0, {}
  for _, user in pairs(crowd(class)) do
    local index = level - user.running
    lower = lower + math.max(0, math.min(user.waiting, index))
    if index >= 0 and index < user.waiting then
      since[#since + 1] = tonumber(redis.call('ZRANGE', user.key, index, index, 'WITHSCORES')[2])
    end
  end
  table.sort(since)
  levels[class][level] = { lower = lower, since = since }
  return levels[class][level]
end

local function count_before(since, moment)
  local low, high = 0, #since
  while low < high do
    local middle = math.ceil((low + high) / 2)
    if since[middle] < moment then low = middle else high = middle - 1 end
  end
  return low
end

local function position(id)
  local fields = redis.call('HMGET', job_key(id), 'status', 'user_id', 'resource_class', 'created_at')
  if fields[1] ~= 'pending' then return 0 end
  local user, class = fields[2], fields[3]
  local place = redis.call('ZRANK', trials_key(class), id)
  if place then return place + 1 end
  local level = crowd(class)[user].running + redis.call('ZRANK', pending_key(class, user), id)
  local others = standing_on(class, level)
  return redis.call('ZCARD', trials_key(class)) + others.lower + count_before(others.since, tonumber(fields[4])) + 1
end

local places = {}
for number, id in ipairs(ARGV) do places[number] = position(id) end
return places
