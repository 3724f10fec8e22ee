-- How members move through their partitions: each call below is one short transaction, fenced in the row it writes.

-- Notes what members commit and what they are given, for several calls of several groups at once. Each call is
-- all or nothing; one that is refused does no harm to the others.
--
--   p_durable                                          false where nothing is committed: what was handed out may be
--                                                      forgotten in a crash, and is handed out again
--   p_group_ids[], p_member_ids[], p_generation_ids[]  of each call: who says it, and what it knows
--   p_explicit[]                                       the call names offsets of its own choice
--   p_calls[]                                          of each entry: the index of its call, ascending
--   p_partition_ids[]
--   p_seen[]       with p_delivered: where the partition stood when the records were read, coalesce(delivered,
--                  committed); another call may have been given the same meanwhile
--   p_delivered[]  behind the last record handed out, or null
--   p_committed[]  the next offset to read, or null
--
-- status of each call: ok; or of its first entry (by index) that cannot be:
--   illegal_generation  the partition is not this member's, or only since a later generation
--   revoked             it is being handed over: no more records of it (fewer may be said to have arrived)
--   moved               p_seen is not so any more
--   past_delivered      nobody was given what is said to be done with
--   before_log_start    not kept any more
-- handed_over: a partition changed hands by this commit, as all that its owner held is done.
create function tailrace.advance_offsets(
  p_durable boolean,
  p_group_ids bigint[], p_member_ids text[], p_generation_ids bigint[], p_explicit boolean[],
  p_calls int[], p_partition_ids bigint[], p_seen bigint[], p_delivered bigint[], p_committed bigint[]
)
returns table (status text, entry int, handed_over boolean)
language plpgsql volatile
set enable_seqscan = off
as $$
declare
  first int := 1;
  last int;
begin
  if not p_durable then perform set_config('synchronous_commit', 'off', true); end if;
  -- Every lock before the first write, in one order for all.
  perform from tailrace.group_partitions p
    where (p.group_id, p.partition_id) in (
      select p_group_ids[x.call], x.partition_id from unnest(p_calls, p_partition_ids) as x (call, partition_id))
    order by p.group_id, p.partition_id for update;

  for c in 1 .. cardinality(p_group_ids) loop
    last := first - 1;
    while p_calls[last + 1] = c loop last := last + 1; end loop;

    select j.status, j.entry into status, entry from (
      select x.entry,
        case
          -- Said for the second time, as the first answer was lost.
          when not p_explicit[c] and x.delivered is null and x.committed <= p.committed then null
          when p.owner is distinct from p_member_ids[c] or p.owner_generation > p_generation_ids[c]
            or p_generation_ids[c] > (select g.generation_id from tailrace.groups g where g.group_id = p_group_ids[c])
            then 'illegal_generation'
          when x.delivered > coalesce(p.delivered, 0) and p.target is distinct from p.owner then 'revoked'
          when x.delivered is not null and coalesce(p.delivered, p.committed) is distinct from x.seen then 'moved'
          when x.committed > greatest(x.delivered, coalesce(p.delivered, p.committed, 0))
            -- Where Postgres has started since the member joined, what was handed out may have been forgotten, and
            -- an ack of ours is believed.
            and (p_explicit[c]
              or not exists (select from tailrace.group_members m where m.group_id = p_group_ids[c]
                and m.member_id = p_member_ids[c] and m.joined_at < pg_postmaster_start_time())
              or x.committed > (select b.high_watermark from tailrace.partition_bounds(array[x.partition_id]) b))
            then 'past_delivered'
          when p_explicit[c] and x.committed < (select s.log_start_offset from tailrace.log_starts s
            where s.partition_id = x.partition_id) then 'before_log_start'
        end as status
      from unnest(p_partition_ids[first:last], p_seen[first:last], p_delivered[first:last], p_committed[first:last])
          with ordinality as x (partition_id, seen, delivered, committed, entry)
        left join tailrace.group_partitions p on p.group_id = p_group_ids[c] and p.partition_id = x.partition_id
    ) j where j.status is not null order by j.entry limit 1;

    handed_over := false;
    if not found then
      status := 'ok';
      entry := null;
      update tailrace.group_partitions p set
        committed = n.committed,
        committed_at = case when n.committed is distinct from p.committed then now() else p.committed_at end,
        delivered = case when n.is_done then null else n.delivered end,
        owner = case when n.is_done then p.target else p.owner end,
        owner_generation = case when n.is_done then p.target_generation else p.owner_generation end,
        came_late = p.came_late or n.is_done,
        revoke_until = case when n.is_done then null else p.revoke_until end
      from (
        select q.partition_id, greatest(q.committed, x.committed) as committed,
          coalesce(x.delivered, case when x.committed > q.delivered then x.committed else q.delivered end) as delivered,
          q.target is distinct from q.owner
            and coalesce(x.delivered, q.delivered, 0) <= coalesce(greatest(q.committed, x.committed), 0) as is_done
        from unnest(p_partition_ids[first:last], p_delivered[first:last], p_committed[first:last])
            as x (partition_id, delivered, committed)
          join tailrace.group_partitions q on q.group_id = p_group_ids[c] and q.partition_id = x.partition_id
        where q.owner = p_member_ids[c]
      ) n
      where p.group_id = p_group_ids[c] and p.partition_id = n.partition_id;
      handed_over := exists (
        select from tailrace.group_partitions p
        where p.group_id = p_group_ids[c] and p.partition_id = any (p_partition_ids[first:last])
          and p.owner is distinct from p_member_ids[c]);
    end if;
    return next;
    first := last + 1;
  end loop;
end $$;

-- The same for a call about one partition, which nearly all are: 0.25 ms where the function above takes 0.7. False:
-- it cannot be; the function above says why.
--
--   p_committed  what the member says is done of what it was given before, or null
create function tailrace.note_delivered(
  p_group_id bigint, p_member_id text, p_generation_id bigint, p_partition_id bigint,
  p_seen bigint, p_delivered bigint, p_committed bigint
) returns boolean
language plpgsql volatile
set enable_seqscan = off
as $$
begin
  -- Forgotten in a crash, it is handed out again.
  if p_committed is null then perform set_config('synchronous_commit', 'off', true); end if;
  update tailrace.group_partitions p set
    delivered = p_delivered,
    committed = greatest(p.committed, p_committed),
    committed_at = case when p_committed > coalesce(p.committed, -1) then now() else p.committed_at end
  where p.group_id = p_group_id and p.partition_id = p_partition_id and p.owner = p_member_id
    and p.owner_generation <= p_generation_id and p.target = p.owner
    and coalesce(p.delivered, p.committed) is not distinct from p_seen
    and coalesce(p_committed <= coalesce(p.delivered, p.committed, 0), true);
  return found;
end $$;

-- And for a commit of one partition that is not being handed over.
create function tailrace.commit_offset(
  p_group_id bigint, p_member_id text, p_generation_id bigint, p_explicit boolean,
  p_partition_id bigint, p_committed bigint
) returns boolean
language plpgsql volatile
set enable_seqscan = off
as $$
begin
  update tailrace.group_partitions p set
    committed = greatest(p.committed, p_committed),
    committed_at = case when p_committed > coalesce(p.committed, -1) then now() else p.committed_at end
  where p.group_id = p_group_id and p.partition_id = p_partition_id and p.owner = p_member_id
    and p.owner_generation <= p_generation_id and p.target = p.owner
    and p_committed <= coalesce(p.delivered, p.committed, 0)
    and p_generation_id <= (select g.generation_id from tailrace.groups g where g.group_id = p_group_id)
    and (not p_explicit or p_committed >= (select s.log_start_offset from tailrace.log_starts s
      where s.partition_id = p_partition_id));
  return found;
end $$;

-- What one member has: a row per partition it owns, with where that stands. No row: it has none, or is no member.
create function tailrace.owned_partitions(p_group_id bigint, p_member_id text)
returns table (partition_id bigint, topic text, partition int, owner_generation bigint, is_revoked boolean, came_late boolean,
  committed bigint, delivered bigint, log_start_offset bigint, high_watermark bigint)
language sql stable
set enable_seqscan = off
as $$
  with owned as materialized (
    select p.* from tailrace.group_partitions p where p.group_id = p_group_id and p.owner = p_member_id)
  select o.partition_id, t.name, n.partition, o.owner_generation, o.target is distinct from o.owner,
    o.came_late, o.committed, o.delivered, b.log_start_offset, b.high_watermark
  from owned o
    join tailrace.partition_bounds(array(select q.partition_id from owned q order by q.partition_id)) b
      using (partition_id)
    join tailrace.partitions n using (partition_id)
    join tailrace.topics t on t.topic_id = n.topic_id
  order by t.name, n.partition
$$;

-- Of groups that members of this node wait in: their generations, how many of their partitions are on the way from
-- one member to another, and whether the group must be planned anew, because a session is over, a hand-over has taken
-- too long, or there are topics or partitions that nobody has got yet.
create function tailrace.group_news(p_group_ids bigint[])
returns table (group_id bigint, generation_id bigint, on_the_way bigint, is_due boolean)
language sql stable
as $$
  select g.group_id, g.generation_id, w.on_the_way,
    w.is_overdue or g.planned_for <> g.membership
    or exists (select from tailrace.group_members m where m.group_id = g.group_id
      and tailrace.session_over(m.lease_until, m.session_timeout_ms))
    or exists (select from tailrace.topics t join tailrace.partitions n using (topic_id)
      where exists (select from tailrace.group_members m
          where m.group_id = g.group_id and tailrace.subscribes(m.topics, t.name))
        and not exists (select from tailrace.group_partitions p
          where p.group_id = g.group_id and p.partition_id = n.partition_id and p.target is not null))
  from unnest(p_group_ids) as x (group_id)
    join tailrace.groups g using (group_id),
    lateral (
      select count(*) filter (where p.owner is distinct from p.target) as on_the_way,
        coalesce(bool_or(p.revoke_until < now()), false) as is_overdue
      from tailrace.group_partitions p where p.group_id = g.group_id) w
$$;

-- Members say that they live, many of them at once. A member that is none (any more) has no row. Lost in a crash of
-- Postgres they do no harm: after one every session begins anew.
--   p_generation_ids[]  what each knows, or null; of one that somebody has replaced nothing is noted
create function tailrace.heartbeat_members(
  p_groups text[], p_member_ids text[], p_generation_ids bigint[], p_clients text[]
)
returns table (call bigint, generation_id bigint, joined_generation bigint)
language plpgsql volatile as $$
begin
  perform set_config('synchronous_commit', 'off', true);
  perform from tailrace.group_members m
    where (m.group_id, m.member_id) in (
      select g.group_id, x.member_id from unnest(p_groups, p_member_ids) as x (name, member_id)
        join tailrace.groups g using (name))
    order by m.group_id, m.member_id for update;
  return query
    with x as (
      select * from unnest(p_groups, p_member_ids, p_generation_ids, p_clients) with ordinality
        as x (name, member_id, generation_id, client, call)),
    beaten as (
      update tailrace.group_members m set seen_at = now(), client = x.client,
        lease_until = tailrace.lease_from_now(m.session_timeout_ms)
      from x join tailrace.groups g using (name)
      where m.group_id = g.group_id and m.member_id = x.member_id
        and coalesce(x.generation_id >= m.joined_generation, true))
    select x.call, g.generation_id, m.joined_generation
    from x join tailrace.groups g using (name)
      join tailrace.group_members m on m.group_id = g.group_id and m.member_id = x.member_id;
end $$;

-- Sets where a group goes on, by hand. While members live it is refused or, where asked to, done under a new
-- generation, so that nothing they still hold is committed over it.
--
-- status 'ok', 'unknown_group', 'non_empty_group'
create function tailrace.set_group_offsets(
  p_name text, p_partition_ids bigint[], p_offsets bigint[], p_may_create boolean, p_may_fence boolean
) returns text
language plpgsql volatile as $$
declare
  known tailrace.groups;
begin
  -- Again, where it was just being deleted.
  loop
    if p_may_create then
      insert into tailrace.groups (name, assignor) values (p_name, 'cooperative_sticky') on conflict (name) do nothing;
    end if;
    select g.* into known from tailrace.groups g where g.name = p_name for update;
    exit when found;
    if not p_may_create then return 'unknown_group'; end if;
  end loop;
  if not p_may_fence and exists (select from tailrace.group_members m where m.group_id = known.group_id
      and not tailrace.session_over(m.lease_until, m.session_timeout_ms)) then
    return 'non_empty_group';
  end if;
  if p_may_fence then
    update tailrace.groups g set generation_id = g.generation_id + 1 where g.group_id = known.group_id;
  end if;
  perform from tailrace.group_partitions p where p.group_id = known.group_id order by p.partition_id for update;
  insert into tailrace.group_partitions as p (group_id, partition_id, committed, committed_at)
    select known.group_id, x.partition_id, x.next_offset, now()
    from unnest(p_partition_ids, p_offsets) as x (partition_id, next_offset)
    on conflict on constraint group_partitions_pkey do update set
      committed = excluded.committed, committed_at = excluded.committed_at, delivered = null,
      owner = p.target, came_late = p.came_late or p.owner is distinct from p.target, owner_generation = known.generation_id + p_may_fence::int, revoke_until = null;
  return 'ok';
end $$;

-- Forgets a group that has no members. status 'ok', 'unknown_group', 'non_empty_group'
create function tailrace.delete_group(p_name text) returns text
language plpgsql volatile as $$
declare
  known tailrace.groups;
begin
  select g.* into known from tailrace.groups g where g.name = p_name for update;
  if not found then return 'unknown_group'; end if;
  if exists (select from tailrace.group_members m where m.group_id = known.group_id
      and not tailrace.session_over(m.lease_until, m.session_timeout_ms)) then
    return 'non_empty_group';
  end if;
  delete from tailrace.group_members m where m.group_id = known.group_id;
  delete from tailrace.group_partitions p where p.group_id = known.group_id;
  delete from tailrace.groups g where g.group_id = known.group_id;
  return 'ok';
end $$;
