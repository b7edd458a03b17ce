-- What signing in asks for beside the password, of those who want that: codes of an app (RFC 6238), and codes on
-- paper for when the app is lost. Who has no row here signs in with the password alone.

CREATE TABLE second_factor (
    user_id BIGINT NOT NULL PRIMARY KEY REFERENCES person(id) ON DELETE CASCADE,
    -- Sealed with the server's own secret.
    secret {bytes} NOT NULL,
    -- The step of time whose code was taken last: neither it nor one before it is taken again.
    step BIGINT NOT NULL
){pair};

-- Each is deleted when it is used.
CREATE TABLE recovery_code (
    user_id BIGINT NOT NULL REFERENCES person(id) ON DELETE CASCADE,
    code_hash TEXT NOT NULL,
    PRIMARY KEY (user_id, code_hash)
){pair};
