-- The data plane. Every key starts with partition_id, so that partitions can be spread over several
-- databases later; no foreign keys, no triggers, no sequences, nothing updated per append.

-- One row per living partition. Its absence means: no such partition (any more).
create table tailrace.log_starts (
  partition_id     bigint primary key,
  log_start_offset bigint not null default 0 check (log_start_offset >= 0)
);

-- One row = one batch of records, insert-only. The payload holds one record's JSON text per line, each
-- ended by a newline, without its offset: offset = base_offset + line number.
create table tailrace.batches (
  partition_id         bigint not null,
  base_offset          bigint not null check (base_offset >= 0),
  -- Offsets are JSON numbers, so they end where a double stops counting by one.
  next_offset          bigint not null check (next_offset > base_offset and next_offset <= 9007199254740991),
  appended_at          timestamptz not null,   -- database clock, whole milliseconds, never going back
  max_timestamp        bigint not null,        -- epoch ms, over the records of this batch
  prefix_max_timestamp bigint not null,        -- epoch ms, over this and all earlier batches
  attributes           smallint not null default 0,  -- 0: lines as described above; room for codecs
  payload              bytea not null,
  primary key (partition_id, base_offset)      -- carries the correctness of the log
) with (
  -- Rows up to one page stay inline: 0 TOAST bytes and 1.04x the payload in WAL, instead of 1.07x.
  toast_tuple_target = 8160,
  fillfactor = 100,
  -- Rows never change: freeze them in the first vacuum, and vacuum by count of inserts.
  autovacuum_freeze_min_age = 0,
  autovacuum_vacuum_insert_scale_factor = 0,
  autovacuum_vacuum_insert_threshold = 200000
);
-- Never compressed by Postgres: append cuts and fetch splices these bytes.
alter table tailrace.batches alter column payload set storage external;

-- What was answered to a produce request with an Idempotency-Key. It lives with a home partition chosen
-- by hashing the key, and is written in the transaction that writes the records.
create table tailrace.receipts (
  partition_id    bigint not null,
  idempotency_key text not null check (char_length(idempotency_key) between 1 and 255),
  request_digest  text not null,
  offsets         jsonb not null,
  created_at      timestamptz not null,
  primary key (partition_id, idempotency_key)
);
create index receipts_by_age on tailrace.receipts (partition_id, created_at);
