-- What is searched: the words of posts, and of the names of accounts, as fediblog.text.terms makes them.
-- Filled by the transaction that writes the post; for what was here before, by `fediblog db reindex`.
-- (Why: docs/decisions/0011-words-are-made-by-us.md.)

-- The words are letters and digits and what is outside of ASCII: the plainest tokenizer takes them as they are.
{sqlite}CREATE VIRTUAL TABLE post_search USING fts5(words, tokenize = 'ascii', prefix = '3');
{sqlite}CREATE TRIGGER post_search_gone AFTER DELETE ON post BEGIN
    DELETE FROM post_search WHERE rowid = old.id{;}
END;
{sqlite}CREATE VIRTUAL TABLE account_search USING fts5(words, tokenize = 'ascii', prefix = '3');

{postgres}CREATE TABLE post_search (
    post_id BIGINT PRIMARY KEY REFERENCES post(id) ON DELETE CASCADE,
    words TSVECTOR NOT NULL
);
{postgres}CREATE INDEX post_search_words ON post_search USING GIN (words);
{postgres}CREATE TABLE account_search (
    account_id BIGINT PRIMARY KEY REFERENCES account(id) ON DELETE CASCADE,
    words TSVECTOR NOT NULL
);
{postgres}CREATE INDEX account_search_words ON account_search USING GIN (words);

-- What pages say about themselves to whoever shows a link to them: one row for each address, whoever links to it.
-- `fetched_at` is empty until somebody has looked; a page without a title is one that shows nothing.
CREATE TABLE link_card (
    id {id},
    url TEXT NOT NULL,
    title TEXT NOT NULL DEFAULT '',
    description TEXT NOT NULL DEFAULT '',
    author_name TEXT NOT NULL DEFAULT '',
    author_url TEXT NOT NULL DEFAULT '',
    provider_name TEXT NOT NULL DEFAULT '',
    provider_url TEXT NOT NULL DEFAULT '',
    image_url TEXT NOT NULL DEFAULT '',
    image_description TEXT NOT NULL DEFAULT '',
    width BIGINT NOT NULL DEFAULT 0,
    height BIGINT NOT NULL DEFAULT 0,
    language TEXT NOT NULL DEFAULT '',
    published_at BIGINT,
    fetched_at BIGINT
);
CREATE UNIQUE INDEX link_card_url ON link_card (url);
CREATE INDEX link_card_fetched ON link_card (fetched_at) WHERE fetched_at IS NOT NULL;

CREATE TABLE post_card (
    post_id BIGINT NOT NULL PRIMARY KEY REFERENCES post(id) ON DELETE CASCADE,
    card_id BIGINT NOT NULL REFERENCES link_card(id) ON DELETE CASCADE
){pair};
CREATE INDEX post_card_card ON post_card (card_id, post_id);
