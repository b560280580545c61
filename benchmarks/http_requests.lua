-- Gives every request of wrk a message id of its own and one of many known profiles.
--
-- EDGEWISE_BENCH_IDS   file with one profile id per line
-- EDGEWISE_BENCH_BODY  file with a body that holds @MESSAGE@ and @TIME@ in their places
-- EDGEWISE_BENCH_PATH  path in front of the profile id
-- EDGEWISE_BENCH_RUN   number of this run, so that no message id comes twice

local ids, pieces = {}, {}
local headers = { ["Content-Type"] = "text/plain" }
local run, sent = tonumber(os.getenv("EDGEWISE_BENCH_RUN")), 0
local path = os.getenv("EDGEWISE_BENCH_PATH")

function init()
  for line in io.lines(os.getenv("EDGEWISE_BENCH_IDS")) do
    ids[#ids + 1] = line
  end
  local file = assert(io.open(os.getenv("EDGEWISE_BENCH_BODY")))
  pieces = { file:read("*a"):match("^(.*)@MESSAGE@(.*)@TIME@(.*)@TIME@(.*)@TIME@(.*)$") }
  file:close()
end

function request()
  sent = sent + 1
  local message = string.format("%08x-0000-4000-8000-%012x", run, sent)
  local time = os.date("!%Y-%m-%dT%H:%M:%S.000Z")
  local body = pieces[1] .. message .. pieces[2] .. time .. pieces[3] .. time .. pieces[4] .. time
    .. pieces[5]
  return wrk.format("POST", path .. ids[math.random(#ids)], headers, body)
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests": %d, "failed": %d, "p50_us": %d, "p99_us": %d}\n',
    summary.requests,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout,
    latency:percentile(50),
    latency:percentile(99)
  ))
end
