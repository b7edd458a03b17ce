-- What people arrange for themselves: lists, filters, conversations, followed and featured tags, notes about
-- others, domains they do not want to see, devices to ring.

CREATE TABLE list (
    id {id},
    account_id BIGINT NOT NULL REFERENCES account(id),
    title TEXT NOT NULL,
    replies_policy TEXT NOT NULL DEFAULT 'list',
    exclusive BOOLEAN NOT NULL DEFAULT FALSE
);
CREATE INDEX list_account ON list (account_id, id);

CREATE TABLE list_member (
    list_id BIGINT NOT NULL REFERENCES list(id) ON DELETE CASCADE,
    account_id BIGINT NOT NULL REFERENCES account(id),
    id BIGINT NOT NULL,
    PRIMARY KEY (list_id, account_id)
){pair};
CREATE INDEX list_member_account ON list_member (account_id, list_id);
CREATE INDEX list_member_list ON list_member (list_id, id);

CREATE TABLE filter (
    id {id},
    account_id BIGINT NOT NULL REFERENCES account(id),
    title TEXT NOT NULL,
    contexts {json} NOT NULL,
    action TEXT NOT NULL DEFAULT 'warn',
    expires_at BIGINT,
    version BIGINT NOT NULL DEFAULT 1
);
CREATE INDEX filter_account ON filter (account_id, id);

CREATE TABLE filter_keyword (
    id {id},
    filter_id BIGINT NOT NULL REFERENCES filter(id) ON DELETE CASCADE,
    keyword TEXT NOT NULL,
    whole_word BOOLEAN NOT NULL DEFAULT TRUE
);
CREATE INDEX filter_keyword_filter ON filter_keyword (filter_id, id);

CREATE TABLE filter_post (
    id {id},
    filter_id BIGINT NOT NULL REFERENCES filter(id) ON DELETE CASCADE,
    post_id BIGINT NOT NULL REFERENCES post(id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX filter_post_pair ON filter_post (filter_id, post_id);
CREATE INDEX filter_post_post ON filter_post (post_id);

CREATE TABLE conversation (
    account_id BIGINT NOT NULL REFERENCES account(id),
    thread_id BIGINT NOT NULL,
    id BIGINT NOT NULL,
    last_post_id BIGINT NOT NULL,
    unread BOOLEAN NOT NULL DEFAULT TRUE,
    PRIMARY KEY (account_id, thread_id)
){pair};
CREATE INDEX conversation_list ON conversation (account_id, last_post_id);

CREATE TABLE followed_tag (
    account_id BIGINT NOT NULL REFERENCES account(id),
    tag_id BIGINT NOT NULL REFERENCES tag(id),
    id BIGINT NOT NULL,
    PRIMARY KEY (account_id, tag_id)
){pair};
CREATE INDEX followed_tag_tag ON followed_tag (tag_id, account_id);
CREATE INDEX followed_tag_list ON followed_tag (account_id, id);

CREATE TABLE featured_tag (
    account_id BIGINT NOT NULL REFERENCES account(id),
    tag_id BIGINT NOT NULL REFERENCES tag(id),
    id BIGINT NOT NULL,
    PRIMARY KEY (account_id, tag_id)
){pair};
CREATE INDEX featured_tag_tag ON featured_tag (tag_id);

CREATE TABLE account_note (
    account_id BIGINT NOT NULL REFERENCES account(id),
    target_id BIGINT NOT NULL REFERENCES account(id),
    comment TEXT NOT NULL,
    PRIMARY KEY (account_id, target_id)
){pair};
CREATE INDEX account_note_target ON account_note (target_id);

CREATE TABLE hidden_domain (
    account_id BIGINT NOT NULL REFERENCES account(id),
    domain TEXT NOT NULL,
    id BIGINT NOT NULL,
    PRIMARY KEY (account_id, domain)
){pair};
CREATE INDEX hidden_domain_list ON hidden_domain (account_id, id);

CREATE TABLE push_subscription (
    id {id},
    token_id BIGINT NOT NULL REFERENCES oauth_token(id) ON DELETE CASCADE,
    account_id BIGINT NOT NULL REFERENCES account(id),
    endpoint TEXT NOT NULL,
    p256dh TEXT NOT NULL,
    auth TEXT NOT NULL,
    standard BOOLEAN NOT NULL DEFAULT FALSE,
    alerts {json} NOT NULL,
    policy TEXT NOT NULL DEFAULT 'all',
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX push_subscription_token ON push_subscription (token_id);
CREATE INDEX push_subscription_account ON push_subscription (account_id);
