-- ARGV: job, token, then pairs of field and value
if lost(ARGV[1], ARGV[2]) then return 'lost' end
for i = 3, #ARGV, 2 do redis.call('HSET', job_key(ARGV[1]), ARGV[i], ARGV[i + 1]) end
redis.call('HSET', job_key(ARGV[1]), 'updated_at', stamp)
return 'ok'
