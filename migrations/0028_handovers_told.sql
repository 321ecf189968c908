-- Whether those whom it concerns were marked after the last answer to who takes over.
ALTER TABLE handovers ADD COLUMN told boolean NOT NULL DEFAULT false;
