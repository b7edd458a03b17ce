-- Where an account elsewhere lives, when its handle names another server (FEDERATION §1.3, split domains): rules
-- about either of the two hold for it. Filled when the account is stored the next time, within a day.
ALTER TABLE account ADD COLUMN host TEXT NOT NULL DEFAULT '';
CREATE INDEX account_host ON account (domain, host) WHERE host <> '';
DROP INDEX account_by_rule;
CREATE INDEX account_by_rule ON account (domain, host) WHERE suspended_by_rule OR silenced_by_rule;
