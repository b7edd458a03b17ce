-- What an app gets at the consent page and gives back for a token. One that has been given back stays for a
-- while: whoever brings it again has stolen it, or was robbed, and the token made from it ends (RFC 6749 §4.1.2).

CREATE TABLE oauth_code (
    id {id},
    code_hash TEXT NOT NULL,
    app_id BIGINT NOT NULL REFERENCES oauth_app(id) ON DELETE CASCADE,
    user_id BIGINT NOT NULL REFERENCES person(id) ON DELETE CASCADE,
    account_id BIGINT NOT NULL REFERENCES account(id) ON DELETE CASCADE,
    redirect_uri TEXT NOT NULL,
    scopes TEXT NOT NULL,
    challenge TEXT NOT NULL DEFAULT '',
    expires_at BIGINT NOT NULL,
    used_at BIGINT
);
CREATE UNIQUE INDEX oauth_code_hash ON oauth_code (code_hash);
CREATE INDEX oauth_code_app ON oauth_code (app_id);
CREATE INDEX oauth_code_user ON oauth_code (user_id);
CREATE INDEX oauth_code_account ON oauth_code (account_id);
CREATE INDEX oauth_code_expires ON oauth_code (expires_at);

ALTER TABLE oauth_token ADD COLUMN code_id BIGINT REFERENCES oauth_code(id) ON DELETE SET NULL;
CREATE INDEX oauth_token_code ON oauth_token (code_id);

-- When it got its first token. An app that never got one is swept after a day; one that did keeps its keys,
-- even when its people have signed out.
ALTER TABLE oauth_app ADD COLUMN used_at BIGINT;
CREATE INDEX oauth_app_unused ON oauth_app (created_at) WHERE used_at IS NULL;
UPDATE oauth_app SET used_at = (SELECT min(created_at) FROM oauth_token t WHERE t.app_id = oauth_app.id);
