-- Decides what becomes of a request by its head alone, before a byte of its body is read.
-- What is let through carries the repository's path, checked and in its one spelling, in the CGI environment.

local request = lighty.r.req_attr
local environment = lighty.r.req_env

local function answer(status, text)
  lighty.r.resp_header["Content-Type"] = "text/plain; charset=utf-8"
  lighty.r.resp_body:set({ text, "\n" })
  return status
end

-- `name` and `folder/name`, with or without `.git`, as the path under /srv/git; nil for everything else.
local function repository_path(text)
  local folder, name = text:match("^([^/]+)/([^/]+)$")
  name = (name or text):gsub("%.git$", "")
  for _, part in ipairs({ name, folder }) do
    local good = part:match("^[a-z0-9][a-z0-9._-]*$") and #part <= 100
    if not good or part:find("..", 1, true) or part:match("%.git$") then
      return nil
    end
  end
  return (folder and folder .. "/" or "") .. name .. ".git"
end

-- Read at each push: a token can be changed without a restart.
local function push_token()
  local path = os.getenv("GIT_PUSH_TOKEN_FILE")
  local file = path and io.open(path, "r")
  local token = file and file:read("l")
  if file then
    file:close()
  end
  token = token or os.getenv("GIT_PUSH_TOKEN")
  return token ~= "" and token or nil
end

-- Any user with the right password. Digests are compared, and in constant time.
local function pusher(token)
  local encoded = (lighty.r.req_header["Authorization"] or ""):match("^[Bb]asic +(%S+)$")
  local user, password = (encoded and lighty.c.b64dec(encoded) or ""):match("^([^:]*):(.*)$")
  if not user or not lighty.c.digest_eq(lighty.c.md("sha256", token), lighty.c.md("sha256", password)) then
    return nil
  end
  return #user <= 64 and user:match("^[%w._@-]+$") or "unknown"
end

-- The target as the client sent it: nothing is decoded, so `%` is simply no character of a name.
local path, query = request["request.orig-uri"]:match("^([^?]*)%??(.*)$")
if path == "/healthz" then
  return answer(200, "ok")
end

local name, action = path:match("^/(.+)/(info/refs)$")
if not name then
  name, action = path:match("^/(.+)/(git%-[a-z]+%-pack)$")
end
local service = action == "info/refs" and query:match("^service=(git%-[a-z]+%-pack)$") or action
if service ~= "git-upload-pack" and service ~= "git-receive-pack" then
  return answer(404, "not found: only git's smart HTTP is served here")
end

local repository = repository_path(name)
if not repository then
  return answer(400, "bad repository name: NAME or FOLDER/NAME of a-z, 0-9, `.`, `_`, `-`")
end
if request["request.method"] ~= (action == "info/refs" and "GET" or "POST") then
  return answer(405, "method not allowed")
end

if service == "git-receive-pack" then
  local token = push_token()
  if not token then
    return answer(403, "pushes are refused: the server has neither GIT_PUSH_TOKEN_FILE nor GIT_PUSH_TOKEN")
  end
  local user = pusher(token)
  if not user then
    lighty.r.resp_header["WWW-Authenticate"] = 'Basic realm="git push", charset="UTF-8"'
    return answer(401, "a push wants the token as its password (any user)")
  end
  environment["REMOTE_USER"] = user
  environment["PUSH"] = "yes"
end
environment["REPOSITORY"] = repository
environment["ACTION"] = action
