-- ARGV: job, SHA-256 of its result until now, the new sealed result, its SHA-256. Replaces a result that was computed
-- anew, with the job's own end and lifetime, unless another one was first. Returns whether it was written (1/0).
local key = result_key(ARGV[1])
local head = string.match(redis.call('GET', key) or '', '^([^\n]*)\n')
local ended, sha256 = string.match(head or '', '^(%S+) (%S+)$')
if sha256 ~= ARGV[2] then return 0 end
redis.call('SET', key, ended .. ' ' .. ARGV[4] .. '\n' .. ARGV[3], 'KEEPTTL')
return 1
