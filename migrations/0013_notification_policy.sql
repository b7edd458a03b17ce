-- Who may fill whose list of notifications; what is held back; and notices that are told together.

-- 0 lets through, 1 holds back, 2 drops. Who never chose has no row.
CREATE TABLE notification_policy (
    account_id BIGINT NOT NULL PRIMARY KEY REFERENCES account(id),
    not_following BIGINT NOT NULL,
    not_followers BIGINT NOT NULL,
    new_accounts BIGINT NOT NULL,
    private_mentions BIGINT NOT NULL,
    limited_accounts BIGINT NOT NULL
){pair};

-- Who was let through by name, whatever the policy says.
CREATE TABLE notification_permission (
    account_id BIGINT NOT NULL REFERENCES account(id),
    from_id BIGINT NOT NULL REFERENCES account(id),
    PRIMARY KEY (account_id, from_id)
){pair};
CREATE INDEX notification_permission_rev ON notification_permission (from_id);

CREATE TABLE notification_request (
    account_id BIGINT NOT NULL REFERENCES account(id),
    from_id BIGINT NOT NULL REFERENCES account(id),
    id BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, from_id)
){pair};
CREATE INDEX notification_request_list ON notification_request (account_id, id);
CREATE INDEX notification_request_rev ON notification_request (from_id);

ALTER TABLE notification ADD COLUMN filtered BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE notification ADD COLUMN group_key TEXT;
UPDATE notification SET group_key = CASE kind WHEN 'follow' THEN 'follow' ELSE kind || '-' || post_id END
    || '-' || (created_at / 3600000) WHERE kind IN ('like', 'boost', 'follow');

-- Lists walk past what is held back, however much that is.
DROP INDEX notification_list;
CREATE INDEX notification_list ON notification (account_id, filtered, id);
DROP INDEX notification_kind;
CREATE INDEX notification_kind ON notification (account_id, filtered, kind, id);
DROP INDEX notification_from;
CREATE INDEX notification_from ON notification (from_id, account_id, id);
CREATE INDEX notification_group ON notification (account_id, group_key, id) WHERE group_key IS NOT NULL;
