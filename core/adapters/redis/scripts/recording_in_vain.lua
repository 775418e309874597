-- ARGV: first pause, longest pause, a random number below 1. To be called when the tracking server did not answer.
local pause = tonumber(redis.call('HGET', RECORDING, 'pause') or 0)
pause = pause > 0 and math.min(tonumber(ARGV[2]), 2 * pause) or tonumber(ARGV[1])
local due = now + pause * (0.5 + tonumber(ARGV[3]))
redis.call('HSET', RECORDING, 'due', string.format('%.6f', due), 'pause', pause, 'batch', 1)
return 'ok'
