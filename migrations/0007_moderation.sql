-- What the staff works with: reports, announcements, and who is kept out.

CREATE TABLE report (
    id {id},
    account_id BIGINT NOT NULL REFERENCES account(id),
    target_id BIGINT NOT NULL REFERENCES account(id),
    category TEXT NOT NULL DEFAULT 'other',
    comment TEXT NOT NULL DEFAULT '',
    post_ids {json} NOT NULL,
    rule_ids {json} NOT NULL,
    forwarded BOOLEAN NOT NULL DEFAULT FALSE,
    uri TEXT,
    assigned_to_id BIGINT REFERENCES person(id) ON DELETE SET NULL,
    resolved_by_id BIGINT REFERENCES person(id) ON DELETE SET NULL,
    resolved_at BIGINT,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX report_uri ON report (uri) WHERE uri IS NOT NULL;
CREATE INDEX report_open ON report (id) WHERE resolved_at IS NULL;
CREATE INDEX report_target ON report (target_id, id);
CREATE INDEX report_account ON report (account_id);
CREATE INDEX report_assigned ON report (assigned_to_id) WHERE assigned_to_id IS NOT NULL;
CREATE INDEX report_resolved_by ON report (resolved_by_id) WHERE resolved_by_id IS NOT NULL;

CREATE TABLE announcement (
    id {id},
    text TEXT NOT NULL,
    starts_at BIGINT,
    ends_at BIGINT,
    all_day BOOLEAN NOT NULL DEFAULT FALSE,
    published_at BIGINT,
    updated_at BIGINT NOT NULL
);

CREATE TABLE announcement_read (
    account_id BIGINT NOT NULL REFERENCES account(id),
    announcement_id BIGINT NOT NULL REFERENCES announcement(id) ON DELETE CASCADE,
    PRIMARY KEY (account_id, announcement_id)
){pair};
CREATE INDEX announcement_read_rev ON announcement_read (announcement_id);

CREATE TABLE email_block (
    id {id},
    domain TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX email_block_domain ON email_block (domain);

CREATE TABLE address_block (
    id {id},
    network TEXT NOT NULL,
    severity TEXT NOT NULL,
    comment TEXT NOT NULL DEFAULT '',
    expires_at BIGINT,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX address_block_network ON address_block (network);
