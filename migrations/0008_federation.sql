-- Speaking with other servers. What no row was ever in is made anew; the rest is added to.

DROP TABLE delivery;
DROP TABLE activity;
DROP TABLE inbox_item;

-- What happened here and other servers shall hear of, in the order in which it happened to each account. It is
-- written in the transaction of its cause and goes when letters have been made of it. No account: the server.
CREATE TABLE event (
    id {id},
    kind TEXT NOT NULL,
    account_id BIGINT REFERENCES account(id),
    post_id BIGINT,
    target_id BIGINT,
    detail {json} NOT NULL,
    created_at BIGINT NOT NULL,
    -- Put aside, with what went wrong: nobody waits for it.
    error TEXT NOT NULL DEFAULT '',
    quarantined_at BIGINT
);
CREATE INDEX event_account ON event (account_id, id);

-- A letter: its bytes and its name are the same at every attempt and for every inbox.
CREATE TABLE activity (
    id {id},
    uri TEXT NOT NULL,
    account_id BIGINT REFERENCES account(id),
    post_id BIGINT,
    kind TEXT NOT NULL,
    body {bytes} NOT NULL,
    -- For followers only: deliveries say which followers we know at the receiver (FEP-8fcf).
    for_followers BOOLEAN NOT NULL DEFAULT FALSE,
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX activity_uri ON activity (uri);
CREATE INDEX activity_account ON activity (account_id, id);
CREATE INDEX activity_post ON activity (post_id) WHERE post_id IS NOT NULL;
CREATE INDEX activity_created ON activity (created_at);

-- One letter to one inbox: due, done or failed. The row stays for some weeks as the author's receipt.
CREATE TABLE delivery (
    id {id},
    activity_id BIGINT NOT NULL REFERENCES activity(id) ON DELETE CASCADE,
    server_id BIGINT NOT NULL REFERENCES server(id),
    inbox TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'due',
    attempts BIGINT NOT NULL DEFAULT 0,
    -- How often it was refused for itself; the rest of the attempts the server was to blame for.
    refusals BIGINT NOT NULL DEFAULT 0,
    due_at BIGINT NOT NULL,
    error TEXT NOT NULL DEFAULT '',
    ended_at BIGINT
);
CREATE UNIQUE INDEX delivery_inbox ON delivery (activity_id, inbox);
CREATE INDEX delivery_due ON delivery (server_id, id) WHERE state = 'due';
CREATE INDEX delivery_ended ON delivery (ended_at) WHERE ended_at IS NOT NULL;

-- How a server wants requests to be signed, once we know; empty: as usual.
ALTER TABLE server ADD COLUMN signs TEXT NOT NULL DEFAULT '';

-- What others have brought, from the moment it was acknowledged. `uri` is the name of the activity, or a digest
-- of its bytes when it has none. A row that is done stays, without its body, to know the second copy by.
CREATE TABLE inbox_item (
    id {id},
    uri TEXT NOT NULL,
    actor_uri TEXT NOT NULL,
    body {bytes} NOT NULL,
    state TEXT NOT NULL DEFAULT 'due',
    attempts BIGINT NOT NULL DEFAULT 0,
    crashes BIGINT NOT NULL DEFAULT 0,
    due_at BIGINT NOT NULL,
    lease_until BIGINT,
    lease_owner TEXT NOT NULL DEFAULT '',
    error TEXT NOT NULL DEFAULT '',
    received_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX inbox_item_uri ON inbox_item (uri);
CREATE INDEX inbox_item_due ON inbox_item (due_at, id) WHERE state = 'due';
-- What one actor sent is done in order: while a row is leased no other of this actor is taken.
CREATE INDEX inbox_item_leased ON inbox_item (actor_uri, lease_until) WHERE state = 'leased';
CREATE INDEX inbox_item_received ON inbox_item (received_at);

-- What came in and was put aside without effect, by reason and day.
CREATE TABLE dropped (
    day BIGINT NOT NULL,
    reason TEXT NOT NULL,
    number BIGINT NOT NULL,
    PRIMARY KEY (day, reason)
){pair};

-- An Undo that came before what it undoes.
CREATE TABLE undone (
    uri TEXT NOT NULL PRIMARY KEY,
    account_id BIGINT NOT NULL REFERENCES account(id),
    created_at BIGINT NOT NULL
);
CREATE INDEX undone_created ON undone (created_at);
CREATE INDEX undone_account ON undone (account_id);

CREATE TABLE relay (
    id {id},
    inbox TEXT NOT NULL,
    actor_uri TEXT NOT NULL DEFAULT '',
    -- Its actor was followed, as LitePub's relays want it, and of Mastodon's one follows the public.
    by_actor BOOLEAN NOT NULL DEFAULT FALSE,
    follow_uri TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'asked',
    created_at BIGINT NOT NULL
);
CREATE UNIQUE INDEX relay_inbox ON relay (inbox);

-- Files of other servers that somebody here has looked at: fetched when asked for, thrown away when they are old
-- or when there is no room. `kind` says what was made of it.
CREATE TABLE cached_file (
    id {id},
    url TEXT NOT NULL,
    kind TEXT NOT NULL,
    state TEXT NOT NULL DEFAULT 'ready',
    error TEXT NOT NULL DEFAULT '',
    mime TEXT NOT NULL DEFAULT '',
    file TEXT NOT NULL DEFAULT '',
    small_file TEXT NOT NULL DEFAULT '',
    bytes BIGINT NOT NULL DEFAULT 0,
    fetched_at BIGINT NOT NULL,
    used_at BIGINT NOT NULL,
    -- For what could not be had: not to be asked for before.
    again_at BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX cached_file_url ON cached_file (url, kind);
CREATE INDEX cached_file_used ON cached_file (used_at);

-- Custom emoji of remote texts: [{"shortcode": "blobcat", "url": "https://…"}].
ALTER TABLE account ADD COLUMN emojis {json} NOT NULL DEFAULT '[]';
ALTER TABLE account ADD COLUMN moved_at BIGINT;
-- Whose key it is that somebody elsewhere has signed with.
CREATE INDEX account_key ON account (key_id) WHERE NOT local;
ALTER TABLE post ADD COLUMN emojis {json} NOT NULL DEFAULT '[]';
-- The thread's name in the older vocabulary: answers of ours repeat it.
ALTER TABLE post ADD COLUMN conversation TEXT NOT NULL DEFAULT '';
-- What is quoted, also when we do not have it.
ALTER TABLE post ADD COLUMN quote_uri TEXT NOT NULL DEFAULT '';
-- An emoji reaction is a like with its emoji: a character, or :shortcode: with the picture's address.
ALTER TABLE post_like ADD COLUMN emoji TEXT NOT NULL DEFAULT '';
ALTER TABLE post_like ADD COLUMN emoji_url TEXT NOT NULL DEFAULT '';
-- For remote polls: who has to be told of a vote is its author; when the numbers were last asked for.
ALTER TABLE poll ADD COLUMN fetched_at BIGINT;
-- Quotes wait for what they quote, as answers do.
CREATE INDEX post_quote_uri ON post (quote_uri) WHERE quote_of_id IS NULL AND quote_uri <> '';
-- The picture that stands for a film elsewhere.
ALTER TABLE media ADD COLUMN remote_preview_url TEXT NOT NULL DEFAULT '';
-- Put away by its own server, which may bring it back; not by the staff here.
ALTER TABLE account ADD COLUMN suspended_elsewhere BOOLEAN NOT NULL DEFAULT FALSE;
-- Put away or limited because its whole server is, and for no other reason: it ends with the rule.
ALTER TABLE account ADD COLUMN suspended_by_rule BOOLEAN NOT NULL DEFAULT FALSE;
ALTER TABLE account ADD COLUMN silenced_by_rule BOOLEAN NOT NULL DEFAULT FALSE;
CREATE INDEX account_by_rule ON account (domain) WHERE suspended_by_rule OR silenced_by_rule;
-- Part of the name is starred out where the list of rules is public.
ALTER TABLE domain_policy ADD COLUMN obfuscate BOOLEAN NOT NULL DEFAULT FALSE;
-- When we last asked an account elsewhere who of us follows it (FEP-8fcf).
ALTER TABLE account ADD COLUMN synchronised_at BIGINT;
-- Whose inbox it was that is gone.
CREATE INDEX account_inbox ON account (inbox) WHERE inbox <> '';
CREATE INDEX account_shared_inbox ON account (shared_inbox) WHERE shared_inbox <> '';
