-- ARGV: job, token, final state, refund (0/1), the sealed result and its SHA-256 (both empty without a result), then
-- pairs of field and value. The result is written in the same step as the state, with the same time, and expires with
-- the job.
local id = ARGV[1]
if lost(id, ARGV[2]) then return 'lost' end
local key = job_key(id)
local user = redis.call('HGET', key, 'user_id')
for i = 7, #ARGV, 2 do redis.call('HSET', key, ARGV[i], ARGV[i + 1]) end
release(id, user)
close(id, 'running', ARGV[3])
if ARGV[5] and ARGV[5] ~= '' then
  redis.call('SET', result_key(id), stamp .. ' ' .. ARGV[6] .. '\n' .. ARGV[5], 'EX', RETAIN_SECONDS)
end
local run = redis.call('HGET', key, 'run_id')
if run then redis.call('SET', run_key(run), id, 'EX', RETAIN_SECONDS) end
if ARGV[4] == '1' then uncount(id, user) end
return redis.call('HGETALL', key)
