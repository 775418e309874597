-- ARGV: job, token, run. Records the run at the tracking server for this job's result, before anything is written into
-- it.
local id = ARGV[1]
if lost(id, ARGV[2]) then return 'lost' end
redis.call('HSET', job_key(id), 'begun_run', ARGV[3], 'updated_at', stamp)
redis.call('SET', run_key(ARGV[3]), id, 'EX', RETAIN_SECONDS)
return 'ok'
