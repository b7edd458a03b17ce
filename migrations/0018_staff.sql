-- What the staff needs besides: accounts whose pictures are covered, reactions to announcements, addresses of
-- e-mail that are shut out for good, and which domains of e-mail only have to wait.

ALTER TABLE account ADD COLUMN sensitized_at BIGINT;

ALTER TABLE report ADD COLUMN updated_at BIGINT NOT NULL DEFAULT 0;
UPDATE report SET updated_at = COALESCE(resolved_at, created_at);

CREATE TABLE announcement_reaction (
    announcement_id BIGINT NOT NULL REFERENCES announcement(id) ON DELETE CASCADE,
    name TEXT NOT NULL,
    account_id BIGINT NOT NULL REFERENCES account(id),
    created_at BIGINT NOT NULL,
    PRIMARY KEY (announcement_id, name, account_id)
){pair};
CREATE INDEX announcement_reaction_account ON announcement_reaction (account_id, announcement_id);

ALTER TABLE email_block ADD COLUMN allow_with_approval BOOLEAN NOT NULL DEFAULT FALSE;

-- Only a hash: whose address it is nobody can read here.
CREATE TABLE canonical_email_block (
    id {id},
    hash TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX canonical_email_block_hash ON canonical_email_block (hash);
