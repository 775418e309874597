-- Shared by all scripts of the ledger and prepended to each of them: the clock, the keys, the indexes.
local PREFIX = 'leaderboard:'
local RETAIN_SECONDS = 90 * 24 * 3600
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
local stamp = string.format('%d.%06d', tonumber(clock[1]), tonumber(clock[2]))

local function job_key(id) return PREFIX .. 'job:' .. id end
-- Keys with the lifetime of a job's record: its sealed result, and the job of each run that was begun for it.
local function result_key(id) return PREFIX .. 'result:' .. id end
local function run_key(run) return PREFIX .. 'run:' .. run end
local function rate_key(user) return PREFIX .. 'rate:' .. user end
-- Trials are counted by themselves, and take no place among their user's running jobs.
local function trial_rate_key(user) return PREFIX .. 'rate:trials:' .. user end
local function trying_key(user) return PREFIX .. 'trying:' .. user end
local function running_key(user) return PREFIX .. 'running:' .. user end
local function waiting_key(class) return PREFIX .. 'waiting:' .. class end
local function pending_key(class, user) return PREFIX .. 'pending:' .. class .. ':' .. user end
local function trials_key(class) return PREFIX .. 'trials:' .. class end
local function host_key(host) return PREFIX .. 'host:' .. host end
local LEASES = PREFIX .. 'leases'
-- The end of the lease of a claim that is known to be dead.
local KNOWN_DEAD = 0
-- Running jobs without a runner, by the time from which a runner of their host may take them over; 'inf': after
-- release_results.
local ORPHANS = PREFIX .. 'orphans'
-- Results released for recording, by the time of their release; and the pace of tries at the tracking server.
local RELEASED = PREFIX .. 'recording:released'
local RECORDING = PREFIX .. 'recording'
-- Running jobs to be cancelled, by the time of the request.
local CANCELLING = PREFIX .. 'cancelling'
-- When any runner swept last, and since when sweeps have had no long gap.
local SWEPT = PREFIX .. 'swept'

-- The lists that contain a job: all, its user's, its benchmark's, its user's of its benchmark. Beside each there is a
-- list per state, with ':state:<state>' added to the name. A trial is in no list of a benchmark, of which boards are made.
local function lists_of(user, benchmark, trial)
  local all, own = PREFIX .. 'jobs', PREFIX .. 'jobs:user:' .. user
  if trial then return { all, own } end
  local suffix = ':benchmark:' .. benchmark
  return { all, own, all .. suffix, own .. suffix }
end

local function is_trial(id) return redis.call('HGET', job_key(id), 'trial') == '1' end

-- Takes a job out of those that count in its user's hour.
local function uncount(id, user)
  redis.call('ZREM', is_trial(id) and trial_rate_key(user) or rate_key(user), id)
end

-- Gives back the place in the hour of a cancelled job that never started; a limited number per hour, since each leaves
-- a record.
local MOST_GIVEN_BACK = 100
local function give_back(id, user)
  local given = PREFIX .. 'rate:given_back:' .. user
  redis.call('ZREMRANGEBYSCORE', given, '-inf', now - 3600)
  local rate = is_trial(id) and trial_rate_key(user) or rate_key(user)
  if not redis.call('ZSCORE', rate, id) or redis.call('ZCARD', given) >= MOST_GIVEN_BACK then return end
  redis.call('ZADD', given, stamp, id)
  redis.call('EXPIRE', given, 3600)
  uncount(id, user)
end

-- Trials wait in a queue of their own, which is emptied first: each is short, and a user has few at once.
local function enqueue(id, class, user, created)
  if is_trial(id) then return redis.call('ZADD', trials_key(class), created, id) end
  redis.call('ZADD', pending_key(class, user), created, id)
  redis.call('SADD', waiting_key(class), user)
end

local function dequeue(id, class, user)
  redis.call('ZREM', trials_key(class), id)
  local key = pending_key(class, user)
  redis.call('ZREM', key, id)
  if redis.call('ZCARD', key) == 0 then redis.call('SREM', waiting_key(class), user) end
end

-- Moves a job to another state, in its hash and in the lists.
local function move(id, from, to)
  local fields = redis.call('HMGET', job_key(id), 'user_id', 'benchmark', 'created_at', 'trial')
  for _, list in ipairs(lists_of(fields[1], fields[2], fields[4] == '1')) do
    redis.call('ZREM', list .. ':state:' .. from, id)
    redis.call('ZADD', list .. ':state:' .. to, fields[3], id)
  end
  redis.call('HSET', job_key(id), 'status', to, 'updated_at', stamp)
end

-- Ends the claim on a job.
local function unhand(id)
  redis.call('ZREM', LEASES, id)
  redis.call('HDEL', job_key(id), 'token', 'worker')
end

local function release(id, user)
  unhand(id)
  redis.call('SREM', running_key(user), id)
  redis.call('ZREM', ORPHANS, id)
  redis.call('ZREM', CANCELLING, id)
end

-- Leaves a job's run as it is, for a runner of its host.
local function orphan(id, from)
  unhand(id)
  redis.call('ZADD', ORPHANS, from, id)
  redis.call('HSET', job_key(id), 'updated_at', stamp)
end

-- Puts a running job back into the queue and forgets its run. Counted: for another attempt; else for the same one. Why
-- goes into its log. The number of lost runners stays.
local function requeue(id, user, class, created, counted, why)
  release(id, user)
  move(id, 'running', 'pending')
  redis.call('HDEL', job_key(id), 'sandbox', 'host', 'sealed')
  if counted then
    redis.call('HDEL', job_key(id), 'recoveries')
  else
    redis.call('HINCRBY', job_key(id), 'attempt', -1)
  end
  redis.call('HSET', job_key(id), 'phase', 'queued', 'again_because', why)
  enqueue(id, class, user, created)
end

local function close(id, from, to)
  move(id, from, to)
  redis.call('HSET', job_key(id), 'phase', 'done', 'finished_at', stamp)
  redis.call('EXPIRE', job_key(id), RETAIN_SECONDS)
end

-- Whether this claim does not, or no longer, hold the job.
local function lost(id, token)
  local fields = redis.call('HMGET', job_key(id), 'status', 'token')
  return fields[1] ~= 'running' or fields[2] ~= token
end
