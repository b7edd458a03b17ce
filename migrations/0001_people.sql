-- Accounts, the users who sign in to them, and what signing in needs.

CREATE TABLE account (
    id {id},
    username TEXT NOT NULL,
    username_key TEXT NOT NULL,
    domain TEXT NOT NULL DEFAULT '',
    local BOOLEAN NOT NULL,
    actor_type TEXT NOT NULL DEFAULT 'Person',
    uri TEXT NOT NULL,
    url TEXT NOT NULL DEFAULT '',
    inbox TEXT NOT NULL DEFAULT '',
    shared_inbox TEXT NOT NULL DEFAULT '',
    outbox TEXT NOT NULL DEFAULT '',
    followers_uri TEXT NOT NULL DEFAULT '',
    following_uri TEXT NOT NULL DEFAULT '',
    featured_uri TEXT NOT NULL DEFAULT '',
    display_name TEXT NOT NULL DEFAULT '',
    note_source TEXT NOT NULL DEFAULT '',
    note TEXT NOT NULL DEFAULT '',
    fields {json} NOT NULL,
    avatar TEXT NOT NULL DEFAULT '',
    header TEXT NOT NULL DEFAULT '',
    avatar_remote_url TEXT NOT NULL DEFAULT '',
    header_remote_url TEXT NOT NULL DEFAULT '',
    locked BOOLEAN NOT NULL DEFAULT FALSE,
    discoverable BOOLEAN NOT NULL DEFAULT TRUE,
    indexable BOOLEAN NOT NULL DEFAULT FALSE,
    hide_collections BOOLEAN NOT NULL DEFAULT FALSE,
    also_known_as {json} NOT NULL,
    moved_to_id BIGINT REFERENCES account(id) ON DELETE SET NULL,
    public_key TEXT NOT NULL DEFAULT '',
    private_key {bytes},
    key_id TEXT NOT NULL DEFAULT '',
    posts_count BIGINT NOT NULL DEFAULT 0,
    followers_count BIGINT NOT NULL DEFAULT 0,
    following_count BIGINT NOT NULL DEFAULT 0,
    last_post_at BIGINT,
    version BIGINT NOT NULL DEFAULT 1,
    created_at BIGINT NOT NULL,
    fetched_at BIGINT,
    silenced_at BIGINT,
    suspended_at BIGINT,
    deleted_at BIGINT
);
CREATE UNIQUE INDEX account_uri ON account (uri);
CREATE UNIQUE INDEX account_handle ON account (username_key, domain);
CREATE INDEX account_domain ON account (domain, id);
CREATE INDEX account_moved_to ON account (moved_to_id) WHERE moved_to_id IS NOT NULL;
CREATE INDEX account_directory ON account (last_post_at, id) WHERE local AND discoverable;

CREATE TABLE invite (
    id {id},
    code TEXT NOT NULL,
    account_id BIGINT NOT NULL REFERENCES account(id),
    most_uses BIGINT,
    uses BIGINT NOT NULL DEFAULT 0,
    expires_at BIGINT,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX invite_code ON invite (code);
CREATE INDEX invite_account ON invite (account_id, id);

CREATE TABLE person (
    id {id},
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    role TEXT NOT NULL DEFAULT 'user',
    reason TEXT NOT NULL DEFAULT '',
    invite_id BIGINT REFERENCES invite(id) ON DELETE SET NULL,
    confirmed_at BIGINT,
    approved_at BIGINT,
    disabled_at BIGINT,
    locale TEXT NOT NULL DEFAULT 'en',
    theme TEXT NOT NULL DEFAULT 'auto',
    default_visibility BIGINT NOT NULL DEFAULT 0,
    default_sensitive BOOLEAN NOT NULL DEFAULT FALSE,
    default_language TEXT NOT NULL DEFAULT '',
    last_active_at BIGINT,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX person_email ON person (email_key);
CREATE INDEX person_waiting ON person (id) WHERE approved_at IS NULL;
CREATE INDEX person_invite ON person (invite_id) WHERE invite_id IS NOT NULL;

CREATE TABLE membership (
    user_id BIGINT NOT NULL REFERENCES person(id) ON DELETE CASCADE,
    account_id BIGINT NOT NULL REFERENCES account(id) ON DELETE CASCADE,
    role TEXT NOT NULL DEFAULT 'owner',
    PRIMARY KEY (user_id, account_id)
){pair};
CREATE INDEX membership_account ON membership (account_id, user_id);

CREATE TABLE mail_opt_out (
    user_id BIGINT NOT NULL REFERENCES person(id) ON DELETE CASCADE,
    kind TEXT NOT NULL,
    PRIMARY KEY (user_id, kind)
){pair};

CREATE TABLE session (
    id {id},
    token_hash TEXT NOT NULL,
    user_id BIGINT NOT NULL REFERENCES person(id) ON DELETE CASCADE,
    account_id BIGINT NOT NULL REFERENCES account(id) ON DELETE CASCADE,
    agent TEXT NOT NULL DEFAULT '',
    address TEXT NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX session_token ON session (token_hash);
CREATE INDEX session_person ON session (user_id, id);
CREATE INDEX session_account ON session (account_id);

CREATE TABLE one_time_token (
    id {id},
    token_hash TEXT NOT NULL,
    purpose TEXT NOT NULL,
    user_id BIGINT REFERENCES person(id) ON DELETE CASCADE,
    detail TEXT NOT NULL DEFAULT '',
    expires_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX one_time_token_hash ON one_time_token (token_hash);
CREATE INDEX one_time_token_user ON one_time_token (user_id, purpose);
CREATE INDEX one_time_token_expires ON one_time_token (expires_at);

CREATE TABLE throttle (
    bucket TEXT NOT NULL PRIMARY KEY,
    hits BIGINT NOT NULL,
    expires_at BIGINT NOT NULL
);
CREATE INDEX throttle_expires ON throttle (expires_at);

CREATE TABLE oauth_app (
    id {id},
    name TEXT NOT NULL,
    website TEXT NOT NULL DEFAULT '',
    redirect_uris {json} NOT NULL,
    scopes TEXT NOT NULL,
    client_id TEXT NOT NULL,
    secret_hash TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX oauth_app_client ON oauth_app (client_id);

CREATE TABLE oauth_token (
    id {id},
    token_hash TEXT NOT NULL,
    app_id BIGINT REFERENCES oauth_app(id) ON DELETE CASCADE,
    user_id BIGINT REFERENCES person(id) ON DELETE CASCADE,
    account_id BIGINT REFERENCES account(id) ON DELETE CASCADE,
    scopes TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE UNIQUE INDEX oauth_token_hash ON oauth_token (token_hash);
CREATE INDEX oauth_token_user ON oauth_token (user_id, id);
CREATE INDEX oauth_token_app ON oauth_token (app_id);
CREATE INDEX oauth_token_account ON oauth_token (account_id);

CREATE TABLE setting (
    name TEXT NOT NULL PRIMARY KEY,
    value {json} NOT NULL
);

CREATE TABLE rule (
    id {id},
    position BIGINT NOT NULL,
    text TEXT NOT NULL,
    hint TEXT NOT NULL DEFAULT ''
);

CREATE TABLE audit_entry (
    id {id},
    user_id BIGINT REFERENCES person(id) ON DELETE SET NULL,
    action TEXT NOT NULL,
    target TEXT NOT NULL DEFAULT '',
    detail {json} NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX audit_entry_user ON audit_entry (user_id, id);
