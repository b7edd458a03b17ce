-- What is owed: one tray of work, the mails in it, and the numbers of each day.

CREATE TABLE work (
    id {id},
    kind TEXT NOT NULL,
    key TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'due',
    not_before BIGINT NOT NULL,
    nudged_at BIGINT NOT NULL DEFAULT 0,
    attempts BIGINT NOT NULL DEFAULT 0,
    crashes BIGINT NOT NULL DEFAULT 0,
    round BIGINT NOT NULL DEFAULT 0,
    lease_until BIGINT,
    lease_owner TEXT NOT NULL DEFAULT '',
    error TEXT NOT NULL DEFAULT '',
    request_id TEXT NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX work_key ON work (kind, key);
CREATE INDEX work_due ON work (not_before) WHERE state = 'due';
CREATE INDEX work_leased ON work (lease_until) WHERE state = 'leased';
CREATE INDEX work_owner ON work (lease_owner) WHERE lease_owner <> '';

-- A mail that is owed or has been sent. Its text is made when it is sent, from what is true then; `secret` is
-- sealed and goes when the mail does. `address` is empty where it is the user's of the moment.
CREATE TABLE mail (
    id {id},
    user_id BIGINT REFERENCES person(id) ON DELETE SET NULL,
    address TEXT NOT NULL DEFAULT '',
    kind TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'waiting',
    secret {bytes},
    joined BIGINT NOT NULL DEFAULT 0,
    created_at BIGINT NOT NULL,
    sent_at BIGINT
);
-- Of the kinds that gather, one mail is open for each user.
CREATE UNIQUE INDEX mail_open ON mail (user_id, kind) WHERE state = 'waiting' AND kind IN ('mention', 'waiting');
CREATE INDEX mail_sent ON mail (user_id, kind, sent_at) WHERE sent_at IS NOT NULL;
CREATE INDEX mail_user ON mail (user_id, id);
CREATE INDEX mail_created ON mail (created_at);

-- What a mail of mentions tells. No post is ever mailed twice to one person.
CREATE TABLE mail_item (
    user_id BIGINT NOT NULL REFERENCES person(id) ON DELETE CASCADE,
    post_id BIGINT NOT NULL REFERENCES post(id) ON DELETE CASCADE,
    notification_id BIGINT NOT NULL,
    mail_id BIGINT NOT NULL REFERENCES mail(id) ON DELETE CASCADE,
    PRIMARY KEY (user_id, post_id)
){pair};
CREATE INDEX mail_item_mail ON mail_item (mail_id, notification_id);
CREATE INDEX mail_item_post ON mail_item (post_id);

CREATE TABLE server_day (
    day BIGINT NOT NULL PRIMARY KEY,
    posts BIGINT NOT NULL,
    replies BIGINT NOT NULL,
    boosts BIGINT NOT NULL,
    likes BIGINT NOT NULL,
    follows BIGINT NOT NULL,
    active_people BIGINT NOT NULL,
    sign_ups BIGINT NOT NULL,
    deliveries BIGINT NOT NULL,
    inbound BIGINT NOT NULL,
    known_servers BIGINT NOT NULL,
    computed_at BIGINT NOT NULL
);

CREATE TABLE account_day (
    account_id BIGINT NOT NULL REFERENCES account(id) ON DELETE CASCADE,
    day BIGINT NOT NULL,
    posts BIGINT NOT NULL,
    replies BIGINT NOT NULL,
    boosts BIGINT NOT NULL,
    likes BIGINT NOT NULL,
    follows BIGINT NOT NULL,
    boosts_received BIGINT NOT NULL,
    likes_received BIGINT NOT NULL,
    new_followers BIGINT NOT NULL,
    PRIMARY KEY (account_id, day)
){pair};
CREATE INDEX account_day_day ON account_day (day);
