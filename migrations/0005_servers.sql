-- Other servers, what we owe them and what they have brought. The shapes are those of the measured delivery
-- and inbox: hosts are leased, not rows, and a row keeps its outcome for some days as the author's receipt.

CREATE TABLE server (
    id {id},
    domain TEXT NOT NULL,
    software TEXT NOT NULL DEFAULT '',
    software_version TEXT NOT NULL DEFAULT '',
    first_seen_at BIGINT NOT NULL,
    fails BIGINT NOT NULL DEFAULT 0,
    failing_since BIGINT,
    last_error TEXT NOT NULL DEFAULT '',
    next_at BIGINT,
    lease_until BIGINT,
    lease_owner TEXT NOT NULL DEFAULT '',
    round BIGINT NOT NULL DEFAULT 0
){hot};
CREATE UNIQUE INDEX server_domain ON server (domain);
CREATE INDEX server_due ON server (next_at) WHERE next_at IS NOT NULL;

CREATE TABLE activity (
    id {id},
    uri TEXT NOT NULL,
    account_id BIGINT NOT NULL REFERENCES account(id),
    post_id BIGINT,
    kind TEXT NOT NULL,
    body {bytes} NOT NULL,
    digest TEXT NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX activity_uri ON activity (uri);
CREATE INDEX activity_account ON activity (account_id, id);
CREATE INDEX activity_post ON activity (post_id) WHERE post_id IS NOT NULL;

CREATE TABLE delivery (
    id {id},
    activity_id BIGINT NOT NULL REFERENCES activity(id) ON DELETE CASCADE,
    server_id BIGINT NOT NULL REFERENCES server(id),
    inbox TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'due',
    attempts BIGINT NOT NULL DEFAULT 0,
    due_at BIGINT NOT NULL,
    error TEXT NOT NULL DEFAULT '',
    ended_at BIGINT
);
CREATE UNIQUE INDEX delivery_inbox ON delivery (activity_id, inbox);
CREATE INDEX delivery_due ON delivery (server_id, id) WHERE state = 'due';
CREATE INDEX delivery_ended ON delivery (ended_at) WHERE ended_at IS NOT NULL;

CREATE TABLE inbox_item (
    id {id},
    uri TEXT NOT NULL,
    actor_uri TEXT NOT NULL,
    body {bytes} NOT NULL,
    state TEXT NOT NULL DEFAULT 'due',
    attempts BIGINT NOT NULL DEFAULT 0,
    error TEXT NOT NULL DEFAULT '',
    received_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX inbox_item_uri ON inbox_item (uri);
CREATE INDEX inbox_item_due ON inbox_item (id) WHERE state = 'due';
CREATE INDEX inbox_item_received ON inbox_item (received_at);

CREATE TABLE emoji (
    id {id},
    shortcode TEXT NOT NULL,
    domain TEXT NOT NULL DEFAULT '',
    uri TEXT NOT NULL DEFAULT '',
    file TEXT NOT NULL DEFAULT '',
    remote_url TEXT NOT NULL DEFAULT '',
    category TEXT NOT NULL DEFAULT '',
    listed BOOLEAN NOT NULL DEFAULT TRUE,
    disabled BOOLEAN NOT NULL DEFAULT FALSE,
    updated_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX emoji_shortcode ON emoji (shortcode, domain);

CREATE TABLE domain_policy (
    id {id},
    domain TEXT NOT NULL,
    level TEXT NOT NULL,
    reject_media BOOLEAN NOT NULL DEFAULT FALSE,
    reject_reports BOOLEAN NOT NULL DEFAULT FALSE,
    public_comment TEXT NOT NULL DEFAULT '',
    private_comment TEXT NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX domain_policy_domain ON domain_policy (domain);
