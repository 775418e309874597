-- KEYS: the user's uploads. ARGV: this upload, uploads per hour. Counts it unless the hour is full, in one step. Answers
-- whether it was counted (1/0), and in how many seconds the oldest that counts no longer does.
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
local stamp = string.format('%d.%06d', tonumber(clock[1]), tonumber(clock[2]))
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - 3600)
-- What a clock that was set back says was uploaded in an hour to come is of this one.
for _, upload in ipairs(redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. stamp, '+inf')) do redis.call('ZADD', KEYS[1], stamp, upload) end
if redis.call('ZCARD', KEYS[1]) < tonumber(ARGV[2]) then
  redis.call('ZADD', KEYS[1], stamp, ARGV[1])
  redis.call('EXPIRE', KEYS[1], 3600)
  return { 1, 0 }
end
local oldest = redis.call('ZRANGE', KEYS[1], 0, 0, 'WITHSCORES')
return { 0, math.ceil(oldest[2] + 3600 - now) }
