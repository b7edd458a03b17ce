-- Which of their lists keep people off somebody's home: asked for each post there, and mostly none does.
CREATE INDEX list_exclusive ON list (account_id, id) WHERE exclusive;
