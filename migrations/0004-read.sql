-- The ways out of the log. Each runs in one snapshot (stable), so records and high watermark agree.

-- Where each partition begins and ends. A partition that does not exist has no row.
create function tailrace.partition_bounds(p_partition_ids bigint[])
returns table (partition_id bigint, log_start_offset bigint, high_watermark bigint)
language plpgsql stable
set enable_seqscan = off
set enable_bitmapscan = off
as $$
begin
  foreach partition_id in array p_partition_ids loop
    select s.log_start_offset into log_start_offset from tailrace.log_starts s
      where s.partition_id = partition_bounds.partition_id;
    continue when not found;
    select b.next_offset into high_watermark from tailrace.batches b
      where b.partition_id = partition_bounds.partition_id order by b.base_offset desc limit 1;
    high_watermark := coalesce(high_watermark, log_start_offset);
    return next;
  end loop;
end $$;

-- The batches a page needs: from the one that holds the offset, until p_max_records records or
-- p_max_bytes bytes are there, at least one. The first row carries the bounds alone.
--
--   p_position  'offset' (p_offset is one), 'earliest', 'latest', 'last' (p_offset records before the end)
--
-- An offset outside the log returns the bounds only. No row at all: no such partition.
-- A loop with an exit rather than a window sum: a sum would visit every batch up to p_max_records.
create function tailrace.fetch_batches(
  p_partition_id bigint, p_position text, p_offset bigint, p_max_records int, p_max_bytes int
)
returns table (log_start_offset bigint, high_watermark bigint, fetch_offset bigint,
  base_offset bigint, next_offset bigint, appended_ms bigint, payload bytea)
language plpgsql stable
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
  first_base bigint;
  bytes bigint := 0;
  batch record;
begin
  select p.log_start_offset, p.high_watermark into log_start_offset, high_watermark
    from tailrace.partition_bounds(array[p_partition_id]) p;
  if not found then return; end if;
  fetch_offset := case p_position
    when 'earliest' then log_start_offset
    when 'latest' then high_watermark
    when 'last' then greatest(high_watermark - p_offset, log_start_offset)
    else p_offset end;
  return next;
  if fetch_offset < log_start_offset or fetch_offset >= high_watermark then return; end if;

  select b.base_offset into first_base from tailrace.batches b
    where b.partition_id = p_partition_id and b.base_offset <= fetch_offset
    order by b.base_offset desc limit 1;
  for batch in
    select b.base_offset, b.next_offset, b.appended_at, b.payload from tailrace.batches b
      where b.partition_id = p_partition_id and b.base_offset >= first_base
      order by b.base_offset
  loop
    base_offset := batch.base_offset;
    next_offset := batch.next_offset;
    appended_ms := extract(epoch from batch.appended_at) * 1000;
    payload := batch.payload;
    return next;
    -- A first batch that begins before the offset may have little left behind it, so it does not count.
    if base_offset >= fetch_offset then bytes := bytes + octet_length(payload); end if;
    exit when bytes >= p_max_bytes or next_offset >= fetch_offset + p_max_records;
  end loop;
end $$;

-- The first batch, at or after log_start_offset, with a record of at least this timestamp (epoch ms).
-- prefix_max_timestamp never goes down, so a binary search over the primary key finds where it first
-- reaches the timestamp; from there on max_timestamp decides, as the reason may lie before the log start.
create function tailrace.find_timestamp(p_partition_id bigint, p_from_offset bigint, p_timestamp bigint)
returns table (base_offset bigint, next_offset bigint, appended_ms bigint, payload bytea)
language plpgsql stable
set enable_seqscan = off
set enable_bitmapscan = off
as $$
declare
  low bigint := p_from_offset;
  high bigint;
  probe record;
begin
  select p.high_watermark into high from tailrace.partition_bounds(array[p_partition_id]) p;
  while low < high loop
    select b.base_offset, b.next_offset, b.prefix_max_timestamp into probe from tailrace.batches b
      where b.partition_id = p_partition_id and b.base_offset <= (low + high) / 2
      order by b.base_offset desc limit 1;
    if not found or probe.prefix_max_timestamp >= p_timestamp then
      high := least(high - 1, greatest(probe.base_offset, low));
    else
      low := probe.next_offset;
    end if;
  end loop;
  select b.base_offset into low from tailrace.batches b
    where b.partition_id = p_partition_id and b.base_offset <= low order by b.base_offset desc limit 1;
  return query
    select b.base_offset, b.next_offset, (extract(epoch from b.appended_at) * 1000)::bigint, b.payload
      from tailrace.batches b
      where b.partition_id = p_partition_id and b.base_offset >= low
        and b.next_offset > p_from_offset and b.max_timestamp >= p_timestamp
      order by b.base_offset limit 1;
end $$;
