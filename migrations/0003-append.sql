-- The only way into the log.

-- The advisory lock of one partition. 7301 keeps our locks apart from the application's own.
create function tailrace.partition_lock_key(p_partition_id bigint) returns bigint
  language sql immutable parallel safe
  return (7301::bigint << 48) | p_partition_id;

-- Appends batches to one partition; callable bare, in autocommit.
--
-- The lock is taken in one statement and the tail is read in the next: under READ COMMITTED each
-- statement of a volatile function has its own snapshot, so the tail is read after the previous holder's
-- commit. Lock and tail in one statement would read a tail from before the wait.
--
--   p_wait             wait for the partition's lock (bounded by lock_timeout), or answer 'busy'
--   p_record_counts[]  records in each batch        p_byte_lengths[]  bytes of each, cut from p_payload
--   p_max_timestamps[] epoch ms over the client's timestamps in each batch, or 0
--   p_stamps[]         true where some record has no timestamp of its own and takes appended_at
--
-- status 'ok': written, contiguous from base_offset. 'busy', 'unknown_partition': nothing was written.
create function tailrace.append_batches(
  p_partition_id bigint, p_wait boolean,
  p_record_counts int[], p_byte_lengths int[], p_max_timestamps bigint[], p_stamps boolean[],
  p_payload bytea,
  out status text, out base_offset bigint, out appended_ms bigint
)
language plpgsql volatile
-- A plan cached while the table was empty would turn the tail look-up into a sequential scan
-- (measured: 44k -> 3k requests/s); these pin it to the primary key.
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
  tail record;
  log_start bigint;
  next_base bigint;
  stamp timestamptz := date_trunc('milliseconds', clock_timestamp());
  batch_max bigint;
  prefix_max bigint;
  cut int := 1;
begin
  if p_wait then
    perform pg_advisory_xact_lock(tailrace.partition_lock_key(p_partition_id));
  elsif not pg_try_advisory_xact_lock(tailrace.partition_lock_key(p_partition_id)) then
    status := 'busy';
    return;
  end if;

  select s.log_start_offset into log_start from tailrace.log_starts s where s.partition_id = p_partition_id;
  if not found then
    status := 'unknown_partition';
    return;
  end if;
  select b.next_offset, b.appended_at, b.prefix_max_timestamp into tail
    from tailrace.batches b where b.partition_id = p_partition_id order by b.base_offset desc limit 1;
  next_base := coalesce(tail.next_offset, log_start);
  stamp := greatest(stamp, tail.appended_at);
  prefix_max := coalesce(tail.prefix_max_timestamp, 0);

  status := 'ok';
  base_offset := next_base;
  appended_ms := extract(epoch from stamp) * 1000;
  for k in 1 .. cardinality(p_record_counts) loop
    batch_max := case when p_stamps[k] then greatest(p_max_timestamps[k], appended_ms) else p_max_timestamps[k] end;
    prefix_max := greatest(prefix_max, batch_max);
    insert into tailrace.batches
      (partition_id, base_offset, next_offset, appended_at, max_timestamp, prefix_max_timestamp, payload)
    values (p_partition_id, next_base, next_base + p_record_counts[k], stamp, batch_max, prefix_max,
      substring(p_payload from cut for p_byte_lengths[k]));
    next_base := next_base + p_record_counts[k];
    cut := cut + p_byte_lengths[k];
  end loop;
end $$;

-- One flush: several requests over several partitions, in one transaction.
--
-- Request 0 is all plain requests together; requests 1..n are guarded by an Idempotency-Key, by expected
-- offsets, or both, and are refused one by one without harm to the others.
--
--   p_partition_ids[]  every partition this flush locks, ascending, without repeats
--   p_wait_for         one of them to wait for (bounded by lock_timeout), or null. The wait comes first and
--                      the other locks are only tried, so that nobody waits behind one who waits
--   p_batch_*[]        the batches, those of one (request, partition) side by side, requests ascending;
--                      p_batch_slots[] is the index in p_partition_ids
--   p_guards           [{"home": partition_id, "key": text, "digest": text,
--                        "expected": [[partition_id, offset], ...]}] for requests 1..n
--   p_receipt_ms       how long a receipt counts
--
-- Rows returned, by status:
--   busy, unknown_partition  (slot)                 nothing at all was written in this flush
--   ok                       (request, slot, base_offset, appended_ms)
--   replayed, key_reused     (request, offsets)     the stored answer; the request wrote nothing
--   offset_mismatch          (request, offsets)     [[partition_id, high_watermark], ...]; wrote nothing
create function tailrace.append_flush(
  p_partition_ids bigint[], p_wait_for bigint,
  p_batch_requests int[], p_batch_slots int[],
  p_batch_record_counts int[], p_batch_byte_lengths int[],
  p_batch_max_timestamps bigint[], p_batch_stamps boolean[],
  p_guards jsonb, p_receipt_ms bigint, p_payload bytea
)
returns table (status text, request int, slot int, base_offset bigint, appended_ms bigint, offsets jsonb)
language plpgsql volatile
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
  batch_count int := cardinality(p_batch_requests);
  k int := 1;           -- first batch of the current (request, slot)
  j int;                -- last batch of it
  cut int := 1;
  bytes int;
  guard jsonb;
  receipt record;
  mismatches jsonb;
  written jsonb;
  appended record;
  refused boolean := false;
begin
  -- 1. Every lock before the first write. Only the first may be waited for, so nobody waits in a circle.
  if p_wait_for is not null then
    perform pg_advisory_xact_lock(tailrace.partition_lock_key(p_wait_for));
  end if;
  for s in 1 .. cardinality(p_partition_ids) loop
    if s > 1 and p_partition_ids[s] <= p_partition_ids[s - 1] then
      raise 'partition ids must ascend' using errcode = '22023';
    end if;
    if not pg_try_advisory_xact_lock(tailrace.partition_lock_key(p_partition_ids[s])) then
      status := 'busy'; slot := s; refused := true;
      return next;
    end if;
  end loop;
  if refused then return; end if;

  for s in 1 .. cardinality(p_partition_ids) loop
    if not exists (select from tailrace.log_starts l where l.partition_id = p_partition_ids[s]) then
      status := 'unknown_partition'; slot := s; refused := true;
      return next;
    end if;
  end loop;
  if refused then return; end if;

  while k <= batch_count loop
    -- 2. A new request: is it allowed to write?
    if k = 1 or p_batch_requests[k] <> p_batch_requests[k - 1] then
      request := p_batch_requests[k];
      slot := null; base_offset := null; appended_ms := null; offsets := null;
      refused := false;
      written := '[]';
      guard := case when request > 0 then p_guards -> (request - 1) end;
      if guard ->> 'key' is not null then
        select r.request_digest, r.offsets, r.created_at into receipt from tailrace.receipts r
          where r.partition_id = (guard ->> 'home')::bigint and r.idempotency_key = guard ->> 'key'
            and r.created_at > now() - p_receipt_ms * interval '1 millisecond';
        if found then
          refused := true;
          status := case when receipt.request_digest = guard ->> 'digest' then 'replayed' else 'key_reused' end;
          offsets := receipt.offsets;
          return next;
        end if;
      end if;
      if not refused and jsonb_array_length(guard -> 'expected') > 0 then
        select jsonb_agg(jsonb_build_array(x.partition_id, t.high_watermark)) into mismatches
          from (select (e ->> 0)::bigint as partition_id, (e ->> 1)::bigint as expected
                from jsonb_array_elements(guard -> 'expected') e) x,
            lateral (select coalesce(
              (select b.next_offset from tailrace.batches b where b.partition_id = x.partition_id
                order by b.base_offset desc limit 1),
              (select l.log_start_offset from tailrace.log_starts l where l.partition_id = x.partition_id)
            ) as high_watermark) t
          where t.high_watermark is distinct from x.expected;
        if mismatches is not null then
          refused := true;
          status := 'offset_mismatch';
          offsets := mismatches;
          return next;
        end if;
      end if;
    end if;

    -- 3. The batches of this request for one partition.
    j := k;
    bytes := p_batch_byte_lengths[k];
    while j < batch_count and p_batch_requests[j + 1] = p_batch_requests[k]
      and p_batch_slots[j + 1] = p_batch_slots[k] loop
      j := j + 1;
      bytes := bytes + p_batch_byte_lengths[j];
    end loop;
    if not refused then
      appended := tailrace.append_batches(p_partition_ids[p_batch_slots[k]], true,
        p_batch_record_counts[k:j], p_batch_byte_lengths[k:j], p_batch_max_timestamps[k:j], p_batch_stamps[k:j],
        case when batch_count = 1 then p_payload else substring(p_payload from cut for bytes) end);
      status := 'ok'; slot := p_batch_slots[k];
      base_offset := appended.base_offset; appended_ms := appended.appended_ms; offsets := null;
      return next;
      written := written || jsonb_build_array(
        jsonb_build_array(p_partition_ids[slot], base_offset,
          (select sum(c) from unnest(p_batch_record_counts[k:j]) c)));
    end if;
    cut := cut + bytes;
    k := j + 1;

    -- 4. The last batch of a request with a key: its receipt, in the same transaction. The unique key
    -- decides a race; an expired receipt is taken over.
    if not refused and guard ->> 'key' is not null
      and (k > batch_count or p_batch_requests[k] <> p_batch_requests[k - 1]) then
      insert into tailrace.receipts (partition_id, idempotency_key, request_digest, offsets, created_at)
      values ((guard ->> 'home')::bigint, guard ->> 'key', guard ->> 'digest', written, now())
      on conflict on constraint receipts_pkey do update
        set request_digest = excluded.request_digest, offsets = excluded.offsets, created_at = excluded.created_at
        where receipts.created_at <= now() - p_receipt_ms * interval '1 millisecond';
      if not found then
        raise unique_violation using message = 'another transaction holds this Idempotency-Key';
      end if;
    end if;
  end loop;
end $$;
