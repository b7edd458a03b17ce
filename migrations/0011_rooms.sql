-- Whom people recommend, whom they do not want to be recommended, and what they have written for later.

CREATE TABLE endorsement (
    account_id BIGINT NOT NULL REFERENCES account(id),
    target_id BIGINT NOT NULL REFERENCES account(id),
    id BIGINT NOT NULL,
    PRIMARY KEY (account_id, target_id)
){pair};
CREATE INDEX endorsement_rev ON endorsement (target_id);
CREATE INDEX endorsement_list ON endorsement (account_id, id);

CREATE TABLE dismissed_suggestion (
    account_id BIGINT NOT NULL REFERENCES account(id),
    target_id BIGINT NOT NULL REFERENCES account(id),
    PRIMARY KEY (account_id, target_id)
){pair};
CREATE INDEX dismissed_suggestion_rev ON dismissed_suggestion (target_id);

-- `draft` is what will be published; `error` says why it could not be when its time came.
CREATE TABLE scheduled_post (
    id {id},
    account_id BIGINT NOT NULL REFERENCES account(id),
    scheduled_at BIGINT NOT NULL,
    draft {json} NOT NULL,
    app_id BIGINT,
    error TEXT NOT NULL DEFAULT '',
    created_at BIGINT NOT NULL
);
CREATE INDEX scheduled_post_account ON scheduled_post (account_id, id);
-- A file that waits with its post is no orphan.
ALTER TABLE media ADD COLUMN scheduled_id BIGINT REFERENCES scheduled_post(id) ON DELETE SET NULL;
CREATE INDEX media_scheduled ON media (scheduled_id, position) WHERE scheduled_id IS NOT NULL;

-- The directory of everybody, and who hides a domain when somebody of it comes.
CREATE INDEX account_directory_all ON account (last_post_at, id) WHERE discoverable;
CREATE INDEX hidden_domain_domain ON hidden_domain (domain);

-- Threads join, and then so do the conversations in them.
CREATE INDEX conversation_thread ON conversation (thread_id);
INSERT INTO conversation (account_id, thread_id, id, last_post_id, unread)
SELECT w.account_id, w.thread_id, max(w.post_id), max(w.post_id), FALSE
FROM (SELECT p.author_id AS account_id, p.thread_id, p.id AS post_id FROM post p WHERE p.visibility = 3
      UNION SELECT m.account_id, p.thread_id, p.id FROM post p JOIN mention m ON m.post_id = p.id
      WHERE p.visibility = 3) w
JOIN account a ON a.id = w.account_id AND a.local GROUP BY w.account_id, w.thread_id;
