#!lua flags=allow-oom
-- KEYS: entries (stream), outcomes (hash by entry), times of reads (sorted set), number of displaced entries. ARGV: act
-- as JSON (empty: only trim), most entries, seconds for which an entry is kept, mark of a read (empty: not a read),
-- seconds for which equal reads count as one. Returns the entry's id, or false for a read that is already recorded;
-- when it only trims, how many entries it removed. Allowed when memory is full: the trail's size is bounded, and
-- freeing memory is an act that must be recorded.
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
local stamp = string.format('%d.%06d', tonumber(clock[1]), tonumber(clock[2]))
local most = tonumber(ARGV[2])

local function remove(found)
  for _, entry in ipairs(found) do
    redis.call('XDEL', KEYS[1], entry[1])
    redis.call('HDEL', KEYS[2], entry[1])
  end
  return #found
end

local oldest = string.format('%d', math.max(0, math.floor((now - tonumber(ARGV[3])) * 1000)))
local function trim(batch) return remove(redis.call('XRANGE', KEYS[1], '-', '(' .. oldest .. '-0', 'COUNT', batch)) end

if ARGV[1] == '' then return trim(1000) end
if ARGV[4] ~= '' then
  local seen = tonumber(redis.call('ZSCORE', KEYS[3], ARGV[4]) or '-inf')
  if seen <= now and now - seen < tonumber(ARGV[5]) then return false end
  redis.call('ZADD', KEYS[3], stamp, ARGV[4])
  redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now - tonumber(ARGV[5]))
  redis.call('ZREMRANGEBYSCORE', KEYS[3], '(' .. stamp, '+inf')
  redis.call('ZREMRANGEBYRANK', KEYS[3], 0, -most - 1)
end
local id = redis.call('XADD', KEYS[1], '*', 'at', stamp, 'act', ARGV[1])
trim(100)
local over = redis.call('XLEN', KEYS[1]) - most
if over > 0 then redis.call('INCRBY', KEYS[4], remove(redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', math.min(over, 1000)))) end
return id
