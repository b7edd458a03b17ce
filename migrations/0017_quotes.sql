-- Quotes with the consent of who is quoted (FEP-044f). `post.quotes` counts those that are accepted.

-- What became of the quote: empty (none was given, or asked for), pending, accepted, rejected or revoked; and the
-- name of the consent. An accepted quote without `quote_of_id` quotes what has been deleted.
ALTER TABLE post ADD COLUMN quote_state TEXT NOT NULL DEFAULT '';
ALTER TABLE post ADD COLUMN quote_authorization TEXT NOT NULL DEFAULT '';
CREATE INDEX post_quote_authorization ON post (quote_authorization) WHERE quote_authorization <> '';
ALTER TABLE person ADD COLUMN default_quote_policy BIGINT NOT NULL DEFAULT 1;

-- Who quotes oneself asks nobody.
UPDATE post SET quote_state = 'accepted' WHERE quote_of_id IS NOT NULL
    AND author_id = (SELECT q.author_id FROM post q WHERE q.id = post.quote_of_id);
UPDATE post SET quotes = (SELECT count(*) FROM post p WHERE p.quote_of_id = post.id AND p.quote_state = 'accepted')
    WHERE id IN (SELECT quote_of_id FROM post WHERE quote_state = 'accepted');
