-- The log as SQL sees it: one row per record, for psql, reports and joins. Read-only by nature.

-- A member of a record line. Postgres cannot decode "\u0000" or half a surrogate pair inside JSON; one
-- such record must not fail everybody's query, so it reads as null here (column record still has it all).
create function tailrace.record_member(p_line text, p_member text) returns json
  language plpgsql immutable strict
as $$
begin
  return p_line::json -> p_member;
exception when others then
  return null;
end $$;

-- topic and "partition" reach the primary key of the batches. "offset" is computed from two columns, and
-- Postgres cannot turn a condition on it around; for a range of a long log say it on base_offset or
-- next_offset as well (and next_offset > 100), or call tailrace.records_from, which seeks.
create view tailrace.records as
select t.name as topic,
  p.partition,
  b.base_offset + line.number - 1 as "offset",
  to_timestamp(coalesce(substring(line.text from '^\{"timestamp":(\d+)')::bigint,
    (extract(epoch from b.appended_at) * 1000)::bigint) / 1000.0) as "timestamp",
  tailrace.record_member(line.text, 'key') #>> '{}' as key,
  tailrace.record_member(line.text, 'value') as value,
  tailrace.record_member(line.text, 'headers') as headers,
  line.text as record,
  b.base_offset,
  b.next_offset
from tailrace.topics t
join tailrace.partitions p using (topic_id)
join tailrace.log_starts s using (partition_id)
join tailrace.batches b on b.partition_id = p.partition_id and b.next_offset > s.log_start_offset
cross join lateral string_to_table(convert_from(b.payload, 'UTF8'), e'\n') with ordinality as line (text, number)
where line.number <= b.next_offset - b.base_offset
  and b.base_offset + line.number - 1 >= s.log_start_offset;

-- Up to p_max_records records of one partition from an offset on, in order. Seeks by the primary key: a
-- batch holds at least one record, so no more than p_max_records batches are looked at.
create function tailrace.records_from(
  p_topic text, p_partition int default 0, p_offset bigint default 0, p_max_records int default 1000
)
returns setof tailrace.records
language sql stable
as $$
  with target as materialized (
    select p.partition_id, coalesce((
      select b.base_offset from tailrace.batches b
      where b.partition_id = p.partition_id and b.base_offset <= greatest(p_offset, s.log_start_offset)
      order by b.base_offset desc limit 1), 0) as first_base
    from tailrace.topics t
    join tailrace.partitions p using (topic_id)
    join tailrace.log_starts s using (partition_id)
    where t.name = p_topic and p.partition = p_partition
  ), bound as materialized (
    select first_base, (
      select max(b.base_offset) from (
        select b.base_offset from tailrace.batches b
        where b.partition_id = target.partition_id and b.base_offset >= first_base
        order by b.base_offset limit p_max_records) b) as last_base
    from target
  )
  select r.* from tailrace.records r
  where r.topic = p_topic and r.partition = p_partition and r."offset" >= p_offset
    and r.base_offset >= (select first_base from bound) and r.base_offset <= (select last_base from bound)
  order by r."offset" limit p_max_records;
$$;
