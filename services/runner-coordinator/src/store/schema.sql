CREATE TABLE events (
    id          TEXT PRIMARY KEY,
    body        TEXT NOT NULL,          -- as JSON in one spelling: the same id must come with the same content
    received_at INTEGER NOT NULL
) STRICT;

CREATE TABLE jobs (
    id               INTEGER PRIMARY KEY AUTOINCREMENT,
    event            TEXT NOT NULL UNIQUE REFERENCES events (id),
    state            TEXT NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'success', 'failure')),
    repository       TEXT NOT NULL,
    reference        TEXT NOT NULL,
    before           TEXT NOT NULL,
    after            TEXT NOT NULL,
    pusher           TEXT NOT NULL,
    attempts         INTEGER NOT NULL DEFAULT 0,
    runner           TEXT,
    reason           TEXT,
    lease_token      TEXT,              -- kept when the job has ended: its runner may say so twice
    lease_expires_at INTEGER,
    created_at       INTEGER NOT NULL,
    finished_at      INTEGER
) STRICT;

CREATE INDEX jobs_to_claim ON jobs (state, id);
CREATE INDEX jobs_to_expire ON jobs (lease_expires_at) WHERE state = 'running';
