-- Who follows, blocks and mutes whom; home timelines; notifications.

CREATE TABLE follow (
    follower_id BIGINT NOT NULL REFERENCES account(id),
    target_id BIGINT NOT NULL REFERENCES account(id),
    id BIGINT NOT NULL,
    show_boosts BOOLEAN NOT NULL DEFAULT TRUE,
    notify BOOLEAN NOT NULL DEFAULT FALSE,
    languages {json},
    uri TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (follower_id, target_id)
){pair};
CREATE UNIQUE INDEX follow_uri ON follow (uri);
CREATE INDEX follow_rev ON follow (target_id, follower_id);
CREATE INDEX follow_followers ON follow (target_id, id);
CREATE INDEX follow_following ON follow (follower_id, id);
CREATE INDEX follow_day ON follow (created_at);

CREATE TABLE follow_request (
    follower_id BIGINT NOT NULL REFERENCES account(id),
    target_id BIGINT NOT NULL REFERENCES account(id),
    id BIGINT NOT NULL,
    show_boosts BOOLEAN NOT NULL DEFAULT TRUE,
    notify BOOLEAN NOT NULL DEFAULT FALSE,
    languages {json},
    uri TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (follower_id, target_id)
){pair};
CREATE UNIQUE INDEX follow_request_uri ON follow_request (uri);
CREATE INDEX follow_request_target ON follow_request (target_id, id);

CREATE TABLE block (
    account_id BIGINT NOT NULL REFERENCES account(id),
    target_id BIGINT NOT NULL REFERENCES account(id),
    id BIGINT NOT NULL,
    uri TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, target_id)
){pair};
CREATE UNIQUE INDEX block_uri ON block (uri);
CREATE INDEX block_rev ON block (target_id, account_id);
CREATE INDEX block_list ON block (account_id, id);

CREATE TABLE mute (
    account_id BIGINT NOT NULL REFERENCES account(id),
    target_id BIGINT NOT NULL REFERENCES account(id),
    id BIGINT NOT NULL,
    notifications BOOLEAN NOT NULL DEFAULT TRUE,
    expires_at BIGINT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, target_id)
){pair};
CREATE INDEX mute_rev ON mute (target_id);
CREATE INDEX mute_list ON mute (account_id, id);
CREATE INDEX mute_expires ON mute (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE hidden (
    account_id BIGINT NOT NULL REFERENCES account(id),
    target_id BIGINT NOT NULL REFERENCES account(id),
    PRIMARY KEY (account_id, target_id)
){pair};
CREATE INDEX hidden_rev ON hidden (target_id);

CREATE TABLE thread_mute (
    account_id BIGINT NOT NULL REFERENCES account(id),
    thread_id BIGINT NOT NULL,
    PRIMARY KEY (account_id, thread_id)
){pair};

CREATE TABLE home_entry (
    account_id BIGINT NOT NULL,
    post_id BIGINT NOT NULL,
    PRIMARY KEY (account_id, post_id)
){pair};

CREATE TABLE notification (
    id {id},
    account_id BIGINT NOT NULL REFERENCES account(id),
    kind TEXT NOT NULL,
    from_id BIGINT NOT NULL REFERENCES account(id),
    post_id BIGINT REFERENCES post(id) ON DELETE CASCADE,
    key TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX notification_key ON notification (account_id, key);
CREATE INDEX notification_list ON notification (account_id, id);
CREATE INDEX notification_kind ON notification (account_id, kind, id);
CREATE INDEX notification_from ON notification (from_id);
CREATE INDEX notification_post ON notification (post_id) WHERE post_id IS NOT NULL;

CREATE TABLE marker (
    account_id BIGINT NOT NULL REFERENCES account(id),
    timeline TEXT NOT NULL,
    last_read_id BIGINT NOT NULL,
    version BIGINT NOT NULL DEFAULT 1,
    updated_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, timeline)
){pair};
