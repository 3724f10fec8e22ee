-- The control plane: which topics there are and which partitions they have.
-- Written when a person creates, changes or deletes a topic; only read on the hot path.

create table tailrace.topics (
  topic_id         bigint generated always as identity primary key,
  name             text not null unique
                   check (name ~ '^[A-Za-z0-9._-]{1,249}$' and name not in ('.', '..')),
  partitions       int not null check (partitions > 0),
  -- The partition count at creation never changes: an Idempotency-Key is hashed over it, so that a
  -- retry finds its receipt after partitions were added.
  first_partitions int not null check (first_partitions between 1 and partitions),
  config           jsonb not null default '{}',
  created_at       timestamptz not null default now()
);

create table tailrace.partitions (
  partition_id bigint generated always as identity primary key,
  topic_id     bigint not null,
  partition    int not null check (partition >= 0),
  unique (topic_id, partition)
);

-- Partitions of deleted topics whose batches are still to be removed.
create table tailrace.deleted_partitions (
  partition_id bigint primary key,
  deleted_at   timestamptz not null default now()
);
