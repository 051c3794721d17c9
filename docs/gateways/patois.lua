-- An action for HAProxy: asks Patois whether the token of a request is valid, and sets
--   txn.patois_status     Patois' status: 204, 401, 403 or 503; another one, or none, when Patois could not be asked
--   txn.patois_challenge  what to say in WWW-Authenticate; not set where there is nothing to say
-- and, after a 204, the X-Patois-* headers of the request that say who it is. The configuration removes those that the
-- client made up before it calls this, and names the scope that is needed in X-Patois-Required-Scope.
-- The variable proc.patois_verify, set in the section `global`, holds the address to ask.

local ASKED_WITH = { "authorization", "x-api-key", "x-yunxiao-token", "x-patois-required-scope", "user-agent" }
local MOST_WAIT_MS = 5000

-- HAProxy counts the lines of a header from 0, and takes them from 1.
local function lines_of(header)
  local lines = {}
  for index = 0, #header do
    table.insert(lines, header[index])
  end
  return lines
end

local function patois(txn)
  local sent = txn.http:req_get_headers()
  -- The address that the CIDR blocks of a token are compared with: the peer, whatever the client wrote.
  local headers = { ["x-forwarded-for"] = { txn.sf:src() } }
  for _, name in ipairs(ASKED_WITH) do
    if sent[name] then
      headers[name] = lines_of(sent[name])
    end
  end
  local answer = core.httpclient():get({ url = txn:get_var("proc.patois_verify"), headers = headers, timeout = MOST_WAIT_MS })
  txn.http:req_del_header("x-patois-required-scope")
  if not answer then
    return
  end
  txn:set_var("txn.patois_status", answer.status)
  local said = answer.headers or {}
  if said["www-authenticate"] then
    txn:set_var("txn.patois_challenge", said["www-authenticate"][0])
  end
  if answer.status ~= 204 then
    return
  end
  for name, values in pairs(said) do
    if name:sub(1, 9) == "x-patois-" then
      txn.http:req_set_header(name, values[0])
    end
  end
end

core.register_action("patois", { "http-req" }, patois, 0)
