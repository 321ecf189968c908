-- Invitations that nobody answers: how many a person was sent under a number, and the last one. It is counted before the call
-- that may send it, so that a lost answer makes no more of them than are allowed.
ALTER TABLE links
    ADD COLUMN invitations     integer NOT NULL DEFAULT 0,
    ADD COLUMN last_invited_at timestamptz,
    ADD COLUMN invited_number  text,
    -- Who wants the person to be invited once more, at once.
    ADD COLUMN invite_again_by text;
UPDATE links SET invitations = 1, last_invited_at = invited_at, invited_number = snapshot ->> 'mobile'
WHERE invited_at IS NOT NULL;
