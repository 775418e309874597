-- ARGV: job, run, sealed result, its SHA-256. Seals the result of a job that completed before results were sealed: only
-- once, with the job's own end and lifetime. Returns whether it was written (1/0).
local id = ARGV[1]
local fields = redis.call('HMGET', job_key(id), 'status', 'run_id', 'finished_at')
if fields[1] ~= 'completed' or fields[2] ~= ARGV[2] or redis.call('EXISTS', result_key(id)) == 1 then return 0 end
local left = redis.call('PTTL', job_key(id))
redis.call('SET', result_key(id), fields[3] .. ' ' .. ARGV[4] .. '\n' .. ARGV[3])
redis.call('SET', run_key(ARGV[2]), id)
if left > 0 then
  redis.call('PEXPIRE', result_key(id), left)
  redis.call('PEXPIRE', run_key(ARGV[2]), left)
end
return 1
