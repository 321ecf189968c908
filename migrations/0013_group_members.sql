-- Groups at targets: what the rules make of them, who is in their roles and chats, and what a person decided by hand.

-- Whether the rules make anything of groups, so that writes of groups mark them; and whether what becomes of a person
-- depends on their groups, so that a change of membership marks the person. Tenants without such rules pay nothing.
ALTER TABLE tenants
    ADD COLUMN maps_groups boolean NOT NULL DEFAULT false,
    ADD COLUMN asks_groups boolean NOT NULL DEFAULT false;
UPDATE tenants t SET
    maps_groups = jsonb_path_exists(m.document, '$.groups[*]') OR jsonb_path_exists(m.document, '$.groups_by_hand.*'),
    asks_groups = m.document::text ~ '\mgroups\M'
FROM mappings m WHERE m.tenant_id = t.id AND m.version = t.mapping_version;

-- Of a group's link: whether it is to a role or a chat, whether that was there before us, and whether it stays when the
-- group goes. Of a person's: since when their access has ended, so that they are in no role and no chat.
ALTER TABLE links
    ADD COLUMN entity  text,
    ADD COLUMN adopted boolean NOT NULL DEFAULT false,
    ADD COLUMN kept    boolean NOT NULL DEFAULT false,
    ADD COLUMN out_at  timestamptz;

-- Who belongs into the role or chat of a group, and whom the target has in it: a row for each, never an array, so that
-- one more member costs the same at ten and at a hundred thousand. A row is to be looked at while mark > done_mark, as a
-- delivery is. The row whose user is the group itself stands for everybody: all members are to be compared. Somebody whom
-- the target has and the directory does not know has a key that is made of the remote id.
CREATE TABLE group_members (
    tenant_id uuid    NOT NULL,
    target_id uuid    NOT NULL,
    group_id  uuid    NOT NULL,
    user_id   uuid    NOT NULL,
    wanted    boolean NOT NULL DEFAULT false,
    applied   boolean NOT NULL DEFAULT false,
    remote_id text,
    mark      bigint  NOT NULL DEFAULT 1,
    done_mark bigint  NOT NULL DEFAULT 0,
    -- The proposal in which it was last shown as to be added or removed.
    offered   text,
    -- Why the target does not take the member.
    refused   text,
    CONSTRAINT group_members_pkey PRIMARY KEY (tenant_id, target_id, group_id, user_id)
) WITH (fillfactor = 85);
-- What is to be looked at.
CREATE INDEX group_members_due_idx ON group_members (tenant_id, target_id, group_id, user_id) WHERE mark > done_mark;
-- Who waits for an account.
CREATE INDEX group_members_waiting_idx ON group_members (tenant_id, target_id, group_id, user_id) WHERE wanted AND NOT applied;
-- The roles and chats of a person.
CREATE INDEX group_members_user_idx ON group_members (tenant_id, target_id, user_id);

-- What a person decided that one group becomes, before all rules; the change log says who and what it was before.
CREATE TABLE group_choices (
    tenant_id  uuid        NOT NULL,
    target_id  uuid        NOT NULL,
    group_id   uuid        NOT NULL,
    choice     jsonb       NOT NULL,
    chosen_by  text        NOT NULL,
    chosen_at  timestamptz NOT NULL,
    CONSTRAINT group_choices_pkey PRIMARY KEY (tenant_id, target_id, group_id)
);
