-- What many talk about at the moment, counted by the clock from what this server sees, and what the staff says
-- of it. Kinds: tag (tag.id), link (link_card.id), post (post.id).

CREATE TABLE trend (
    kind TEXT NOT NULL,
    subject_id BIGINT NOT NULL,
    score DOUBLE PRECISION NOT NULL DEFAULT 0,
    -- Empty while nobody of the staff has looked at it.
    allowed BOOLEAN,
    reviewed_at BIGINT,
    computed_at BIGINT NOT NULL,
    PRIMARY KEY (kind, subject_id)
){pair};
CREATE INDEX trend_rank ON trend (kind, score);
