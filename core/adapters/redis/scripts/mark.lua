-- ARGV: job, benchmark, then pairs of a mark's name and its text; an empty text removes the mark. Returns whether the
-- job has a record (1/0). Marks go with the record: see FORGET and trim in old_records.py.
local id, key = ARGV[1], PREFIX .. 'marks:' .. ARGV[2]
if redis.call('EXISTS', job_key(id)) == 0 then return 0 end
for i = 3, #ARGV, 2 do
  local field = id .. ':' .. ARGV[i]
  if ARGV[i + 1] == '' then redis.call('HDEL', key, field) else redis.call('HSET', key, field, ARGV[i + 1]) end
end
redis.call('HINCRBY', key, 'revision', 1)
return 1
