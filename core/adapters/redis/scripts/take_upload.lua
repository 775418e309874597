-- KEYS: the user's uploads, the user's refused uploads. ARGV: this upload, uploads per hour, refused uploads per hour.
-- Counts the upload in both unless one is full, in one step: it counts as refused until its end is known, so that
-- parallel uploads gain nothing. Returns whether it was counted (1/0); if not, also in how many seconds the oldest
-- upload stops counting, and which of the two is full (1 or 2).
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
local stamp = string.format('%d.%06d', tonumber(clock[1]), tonumber(clock[2]))
for number, key in ipairs(KEYS) do
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now - 3600)
  -- If the clock was set back, uploads recorded in the future are dated now.
  for _, upload in ipairs(redis.call('ZRANGEBYSCORE', key, '(' .. stamp, '+inf')) do redis.call('ZADD', key, stamp, upload) end
  if redis.call('ZCARD', key) >= tonumber(ARGV[number + 1]) then
    local oldest = redis.call('ZRANGE', key, 0, 0, 'WITHSCORES')
    return { 0, math.ceil(oldest[2] + 3600 - now), number }
  end
end
for _, key in ipairs(KEYS) do
  redis.call('ZADD', key, stamp, ARGV[1])
  redis.call('EXPIRE', key, 3600)
end
return { 1, 0, 0 }
