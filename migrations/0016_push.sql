-- The app that a push wakes recognises its account by its own token, which we keep as a hash alone: here it is
-- kept sealed with the server's secret. (Why: docs/decisions/0013-push-needs-the-token.md.)

ALTER TABLE push_subscription ADD COLUMN token_sealed {bytes};
