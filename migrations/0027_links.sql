-- Links that people see, make and break.

-- Whether a pair was rejected only because the person, or the account, was linked to another: when that link is broken, nobody
-- has decided about the pair any more.
ALTER TABLE candidates ADD COLUMN superseded boolean NOT NULL DEFAULT false;
