-- Posts and what hangs on them. The indexes are those measured in the study of timelines.

CREATE TABLE post (
    id {id},
    uri TEXT NOT NULL,
    url TEXT NOT NULL DEFAULT '',
    author_id BIGINT NOT NULL REFERENCES account(id),
    boost_of_id BIGINT REFERENCES post(id) ON DELETE CASCADE,
    boost_of_author_id BIGINT REFERENCES account(id),
    reply_to_id BIGINT REFERENCES post(id) ON DELETE SET NULL,
    reply_to_author_id BIGINT REFERENCES account(id),
    reply_to_uri TEXT NOT NULL DEFAULT '',
    quote_of_id BIGINT REFERENCES post(id) ON DELETE SET NULL,
    thread_id BIGINT NOT NULL,
    visibility BIGINT NOT NULL,
    local BOOLEAN NOT NULL,
    sensitive BOOLEAN NOT NULL DEFAULT FALSE,
    summary TEXT NOT NULL DEFAULT '',
    source TEXT NOT NULL DEFAULT '',
    content TEXT NOT NULL DEFAULT '',
    language TEXT NOT NULL DEFAULT '',
    hashtags {json} NOT NULL,
    application TEXT NOT NULL DEFAULT '',
    quote_policy BIGINT NOT NULL DEFAULT 0,
    reply_policy BIGINT NOT NULL DEFAULT 0,
    likes BIGINT NOT NULL DEFAULT 0,
    boosts BIGINT NOT NULL DEFAULT 0,
    replies BIGINT NOT NULL DEFAULT 0,
    quotes BIGINT NOT NULL DEFAULT 0,
    version BIGINT NOT NULL DEFAULT 1,
    created_at BIGINT NOT NULL,
    edited_at BIGINT
){hot};
CREATE UNIQUE INDEX post_uri ON post (uri);
CREATE INDEX post_author ON post (author_id, id);
CREATE INDEX post_author_main ON post (author_id, id)
    WHERE (reply_to_id IS NULL OR reply_to_author_id = author_id) AND boost_of_id IS NULL AND visibility <= 1;
CREATE INDEX post_public ON post (id)
    WHERE visibility = 0 AND boost_of_id IS NULL AND reply_to_id IS NULL;
CREATE INDEX post_public_local ON post (id)
    WHERE visibility = 0 AND boost_of_id IS NULL AND reply_to_id IS NULL AND local;
CREATE UNIQUE INDEX post_boost_by ON post (author_id, boost_of_id) WHERE boost_of_id IS NOT NULL;
CREATE INDEX post_boost ON post (boost_of_id, id) WHERE boost_of_id IS NOT NULL;
CREATE INDEX post_reply ON post (reply_to_id, id) WHERE reply_to_id IS NOT NULL;
CREATE INDEX post_reply_uri ON post (reply_to_uri) WHERE reply_to_id IS NULL AND reply_to_uri <> '';
CREATE INDEX post_quote ON post (quote_of_id, id) WHERE quote_of_id IS NOT NULL;
CREATE INDEX post_thread ON post (thread_id, id);
-- What happened on a day, for the statistics.
CREATE INDEX post_local_day ON post (created_at) WHERE local;
CREATE INDEX post_boost_day ON post (created_at, boost_of_author_id) WHERE boost_of_id IS NOT NULL;

CREATE TABLE post_edit (
    id {id},
    post_id BIGINT NOT NULL REFERENCES post(id) ON DELETE CASCADE,
    summary TEXT NOT NULL DEFAULT '',
    source TEXT NOT NULL DEFAULT '',
    content TEXT NOT NULL DEFAULT '',
    sensitive BOOLEAN NOT NULL DEFAULT FALSE,
    media {json} NOT NULL,
    options {json} NOT NULL,
    created_at BIGINT NOT NULL
);
CREATE INDEX post_edit_post ON post_edit (post_id, id);

CREATE TABLE tombstone (
    uri TEXT NOT NULL PRIMARY KEY,
    id BIGINT NOT NULL,
    account_id BIGINT NOT NULL,
    deleted_at BIGINT NOT NULL
);
CREATE INDEX tombstone_id ON tombstone (id);
CREATE INDEX tombstone_deleted ON tombstone (deleted_at);

-- Who is addressed by a post, since when (0: from the beginning), and whether the text still names them.
CREATE TABLE mention (
    post_id BIGINT NOT NULL REFERENCES post(id) ON DELETE CASCADE,
    account_id BIGINT NOT NULL REFERENCES account(id),
    since BIGINT NOT NULL DEFAULT 0,
    named BOOLEAN NOT NULL DEFAULT TRUE,
    PRIMARY KEY (post_id, account_id)
){pair};
CREATE INDEX mention_account ON mention (account_id, post_id);

CREATE TABLE tag (
    id {id},
    key TEXT NOT NULL,
    name TEXT NOT NULL
);
CREATE UNIQUE INDEX tag_key ON tag (key);

CREATE TABLE post_tag (
    tag_id BIGINT NOT NULL REFERENCES tag(id),
    post_id BIGINT NOT NULL REFERENCES post(id) ON DELETE CASCADE,
    PRIMARY KEY (tag_id, post_id)
){pair};
CREATE INDEX post_tag_post ON post_tag (post_id);

CREATE TABLE media (
    id {id},
    account_id BIGINT NOT NULL REFERENCES account(id),
    post_id BIGINT REFERENCES post(id) ON DELETE SET NULL,
    position BIGINT NOT NULL DEFAULT 0,
    kind TEXT NOT NULL DEFAULT 'unknown',
    state TEXT NOT NULL DEFAULT 'waiting',
    error TEXT NOT NULL DEFAULT '',
    mime TEXT NOT NULL DEFAULT '',
    file TEXT NOT NULL DEFAULT '',
    small_file TEXT NOT NULL DEFAULT '',
    upload TEXT NOT NULL DEFAULT '',
    remote_url TEXT NOT NULL DEFAULT '',
    description TEXT NOT NULL DEFAULT '',
    focus_x DOUBLE PRECISION,
    focus_y DOUBLE PRECISION,
    width BIGINT,
    height BIGINT,
    small_width BIGINT,
    small_height BIGINT,
    duration DOUBLE PRECISION,
    frame_rate DOUBLE PRECISION,
    bitrate BIGINT,
    bytes BIGINT NOT NULL DEFAULT 0,
    blurhash TEXT NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL
);
CREATE INDEX media_post ON media (post_id, position) WHERE post_id IS NOT NULL;
CREATE INDEX media_account ON media (account_id, id);
CREATE INDEX media_unattached ON media (created_at) WHERE post_id IS NULL;

CREATE TABLE poll (
    id {id},
    multiple BOOLEAN NOT NULL,
    hide_totals BOOLEAN NOT NULL DEFAULT FALSE,
    voters BIGINT NOT NULL DEFAULT 0,
    expires_at BIGINT,
    closed_at BIGINT,
    FOREIGN KEY (id) REFERENCES post(id) ON DELETE CASCADE
);

CREATE TABLE poll_option (
    poll_id BIGINT NOT NULL REFERENCES poll(id) ON DELETE CASCADE,
    position BIGINT NOT NULL,
    title TEXT NOT NULL,
    votes BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (poll_id, position)
){pair};

CREATE TABLE poll_ballot (
    poll_id BIGINT NOT NULL REFERENCES poll(id) ON DELETE CASCADE,
    account_id BIGINT NOT NULL REFERENCES account(id),
    choices BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (poll_id, account_id)
){pair};
CREATE INDEX poll_ballot_account ON poll_ballot (account_id, poll_id);

CREATE TABLE post_like (
    account_id BIGINT NOT NULL REFERENCES account(id),
    post_id BIGINT NOT NULL REFERENCES post(id) ON DELETE CASCADE,
    id BIGINT NOT NULL,
    uri TEXT,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (account_id, post_id)
){pair};
CREATE UNIQUE INDEX post_like_uri ON post_like (uri) WHERE uri IS NOT NULL;
CREATE INDEX post_like_post ON post_like (post_id, id);
CREATE INDEX post_like_list ON post_like (account_id, id);
CREATE INDEX post_like_day ON post_like (created_at);

CREATE TABLE bookmark (
    account_id BIGINT NOT NULL REFERENCES account(id),
    post_id BIGINT NOT NULL REFERENCES post(id) ON DELETE CASCADE,
    id BIGINT NOT NULL,
    PRIMARY KEY (account_id, post_id)
){pair};
CREATE INDEX bookmark_list ON bookmark (account_id, id);
CREATE INDEX bookmark_post ON bookmark (post_id);

CREATE TABLE pin (
    account_id BIGINT NOT NULL REFERENCES account(id),
    post_id BIGINT NOT NULL REFERENCES post(id) ON DELETE CASCADE,
    id BIGINT NOT NULL,
    PRIMARY KEY (account_id, post_id)
){pair};
CREATE INDEX pin_post ON pin (post_id);

CREATE TABLE idempotency (
    owner TEXT NOT NULL,
    key TEXT NOT NULL,
    post_id BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    PRIMARY KEY (owner, key)
){pair};
CREATE INDEX idempotency_created ON idempotency (created_at);
