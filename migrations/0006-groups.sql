-- Consumer groups: who reads what, and how far each group has come. Everything a member's call needs is here,
-- so any node serves any call. Locks are taken in this order: group, members, partitions of the group.

create table tailrace.groups (
  group_id      bigint generated always as identity primary key,
  name          text not null unique
                check (name ~ '^[A-Za-z0-9._-]{1,249}$' and name not in ('.', '..')),
  -- Raised by every rebalance.
  generation_id bigint not null default 0,
  -- Raised whenever a member comes, goes or wants something else, so that a plan made before is refused.
  membership    bigint not null default 0,
  -- The membership that the partitions were last shared out for. Another one: they are to be shared out anew.
  planned_for   bigint not null default 0,
  assignor      text not null,
  created_at    timestamptz not null default now()
) with (fillfactor = 50);

create table tailrace.group_members (
  group_id             bigint not null,
  member_id            text not null,
  -- Names of topics, and prefixes that end in an asterisk.
  topics               text[] not null,
  auto_offset_reset    text not null,
  session_timeout_ms   int not null,
  rebalance_timeout_ms int not null,
  -- The generation in which this process became the member; calls of one before it are refused.
  joined_generation    bigint not null,
  client               text,
  joined_at            timestamptz not null,
  seen_at              timestamptz not null,
  lease_until          timestamptz not null,
  primary key (group_id, member_id)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500,
  autovacuum_vacuum_cost_delay = 0);

-- One row per partition that a group has ever had. Owner, fence and committed offset share it, so the row is
-- the lock of them all; the states it goes through are drawn in src/broker/groups/hand-over.ts.
create table tailrace.group_partitions (
  group_id          bigint not null,
  partition_id      bigint not null,
  -- The next offset to read; null where nothing was ever committed.
  committed         bigint,
  committed_at      timestamptz,
  -- Behind the last record handed out to the owner; null where it has not been given any.
  delivered         bigint,
  owner             text,
  -- The generation in which the owner became it: who knows only an older one is fenced.
  owner_generation  bigint not null default 0,
  -- Who shall have it, and since which generation. Another one than the owner: it is being handed over.
  target            text,
  target_generation bigint not null default 0,
  -- When the owner, if it has not let go by itself, loses it.
  revoke_until      timestamptz,
  -- The owner got it after its generation had begun, so that the number alone does not tell it.
  came_late         boolean not null default false,
  primary key (group_id, partition_id)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500,
  autovacuum_vacuum_cost_delay = 0);

-- Is a member's session over? Never judged sooner than one session after Postgres started: nobody could be
-- heard while it was away.
create function tailrace.session_over(p_lease_until timestamptz, p_session_timeout_ms int) returns boolean
  language sql stable
  return greatest(p_lease_until, pg_postmaster_start_time() + p_session_timeout_ms * interval '1 millisecond') < now();

-- A little longer than was promised, so that not every call has to renew it.
create function tailrace.lease_from_now(p_session_timeout_ms int) returns timestamptz
  language sql stable
  return now() + p_session_timeout_ms * interval '1.05 milliseconds';

-- Is a topic among those a member subscribed to?
create function tailrace.subscribes(p_topics text[], p_name text) returns boolean
  language sql immutable parallel safe
  return p_name = any (p_topics)
    or exists (select from unnest(p_topics) t where right(t, 1) = '*' and starts_with(p_name, left(t, -1)));

-- A member comes, or comes again. Who comes again under its own id keeps its partitions; what its former self
-- was given and has not committed is given anew, and nothing that one still says counts.
--
-- status 'ok', 'inconsistent_group_protocol' (others of the group use another assignor), 'group_full'
create function tailrace.join_group(
  p_name text, p_member_id text, p_topics text[], p_auto_offset_reset text,
  p_session_timeout_ms int, p_rebalance_timeout_ms int, p_assignor text, p_client text, p_most_members int,
  out status text, out group_id bigint
)
language plpgsql volatile as $$
declare
  known tailrace.groups;
  comes_again boolean;
  generation bigint;
  lease timestamptz := tailrace.lease_from_now(p_session_timeout_ms);
begin
  -- Again, where it was just being deleted.
  loop
    insert into tailrace.groups (name, assignor) values (p_name, coalesce(p_assignor, 'cooperative_sticky'))
      on conflict (name) do nothing;
    select g.* into known from tailrace.groups g where g.name = p_name for update;
    exit when found;
  end loop;
  group_id := known.group_id;
  if p_assignor <> known.assignor then
    if exists (select from tailrace.group_members m where m.group_id = known.group_id
        and m.member_id <> p_member_id and not tailrace.session_over(m.lease_until, m.session_timeout_ms)) then
      status := 'inconsistent_group_protocol';
      return;
    end if;
    known.assignor := p_assignor;
  end if;
  comes_again := exists (select from tailrace.group_members m
    where m.group_id = known.group_id and m.member_id = p_member_id);
  if not comes_again and p_most_members <=
      (select count(*) from tailrace.group_members m where m.group_id = known.group_id
        and not tailrace.session_over(m.lease_until, m.session_timeout_ms)) then
    status := 'group_full';
    return;
  end if;
  generation := known.generation_id + comes_again::int;
  update tailrace.groups g set membership = g.membership + 1, generation_id = generation,
    assignor = known.assignor where g.group_id = known.group_id;
  insert into tailrace.group_members (group_id, member_id, topics, auto_offset_reset, session_timeout_ms,
      rebalance_timeout_ms, joined_generation, client, joined_at, seen_at, lease_until)
    values (known.group_id, p_member_id, p_topics, p_auto_offset_reset, p_session_timeout_ms,
      p_rebalance_timeout_ms, generation, p_client, now(), now(), lease)
    on conflict on constraint group_members_pkey do update set
      topics = excluded.topics, auto_offset_reset = excluded.auto_offset_reset,
      session_timeout_ms = excluded.session_timeout_ms, rebalance_timeout_ms = excluded.rebalance_timeout_ms,
      joined_generation = excluded.joined_generation, client = excluded.client,
      joined_at = excluded.joined_at, seen_at = excluded.seen_at, lease_until = excluded.lease_until;
  if comes_again then
    update tailrace.group_partitions p set owner_generation = generation, delivered = null,
        owner = p.target, revoke_until = null, came_late = p.target is distinct from p_member_id
      where p.group_id = known.group_id and p.owner = p_member_id;
  end if;
  status := 'ok';
end $$;

-- A member goes; what it had is free at once. p_generation_id: what it knows, or null.
--
-- status 'ok', 'unknown_member_id', 'illegal_generation' (somebody else is the member by now)
create function tailrace.leave_group(p_group_id bigint, p_member_id text, p_generation_id bigint) returns text
language plpgsql volatile as $$
declare
  joined bigint;
begin
  perform from tailrace.groups g where g.group_id = p_group_id for update;
  select m.joined_generation into joined from tailrace.group_members m
    where m.group_id = p_group_id and m.member_id = p_member_id for update;
  if not found then return 'unknown_member_id'; end if;
  if p_generation_id < joined then return 'illegal_generation'; end if;
  delete from tailrace.group_members m where m.group_id = p_group_id and m.member_id = p_member_id;
  update tailrace.groups g set membership = g.membership + 1 where g.group_id = p_group_id;
  update tailrace.group_partitions p set owner = null, delivered = null, revoke_until = null
    where p.group_id = p_group_id and p.owner = p_member_id;
  return 'ok';
end $$;

-- The partitions are shared out well as they are.
create function tailrace.keep_plan(p_group_id bigint, p_membership bigint) returns void
language sql volatile
as $$ update tailrace.groups g set planned_for = p_membership where g.group_id = p_group_id $$;

-- Puts a plan into effect, if the group is still as it was when the plan was made. Any node may, and of several
-- one does.
--
--   p_expired[]                    members whose sessions are over
--   p_partition_ids[], p_targets[] who shall have each partition of the group, or null
--   p_from_start[]                 true for partitions added to a topic that the group reads already: whatever
--                                  the members' auto_offset_reset says, nothing of them is skipped
--
-- A partition of which its owner holds nothing uncommitted changes hands here, as does one whose owner is gone
-- or had its time; any other when its owner has committed. False: the group has changed, plan again.
create function tailrace.apply_rebalance(
  p_group_id bigint, p_generation_id bigint, p_membership bigint, p_expired text[],
  p_partition_ids bigint[], p_targets text[], p_from_start boolean[]
) returns boolean
language plpgsql volatile as $$
declare
  next_generation bigint := p_generation_id + 1;
  gone int;
begin
  perform from tailrace.groups g where g.group_id = p_group_id
    and g.generation_id = p_generation_id and g.membership = p_membership for update;
  if not found then return false; end if;
  delete from tailrace.group_members m where m.group_id = p_group_id and m.member_id = any (p_expired)
    and tailrace.session_over(m.lease_until, m.session_timeout_ms);
  get diagnostics gone = row_count;
  if gone <> cardinality(p_expired) then
    -- One of them was heard of meanwhile; those already deleted come back with the transaction.
    raise exception 'a member is alive after all' using errcode = '40001';
  end if;
  update tailrace.groups g set generation_id = next_generation,
    membership = p_membership + (gone > 0)::int, planned_for = p_membership + (gone > 0)::int
    where g.group_id = p_group_id;

  insert into tailrace.group_partitions (group_id, partition_id, committed)
    select p_group_id, x.partition_id, case when x.from_start then 0 end
    from unnest(p_partition_ids, p_from_start) as x (partition_id, from_start)
    on conflict do nothing;
  perform from tailrace.group_partitions p where p.group_id = p_group_id order by p.partition_id for update;
  delete from tailrace.group_partitions p where p.group_id = p_group_id
    and not exists (select from tailrace.partitions t where t.partition_id = p.partition_id);

  update tailrace.group_partitions p set came_late = false where p.group_id = p_group_id and p.came_late;
  update tailrace.group_partitions p set
    target = f.target, target_generation = next_generation,
    owner = case when f.free then f.target else p.owner end,
    owner_generation = case when f.free then next_generation else p.owner_generation end,
    delivered = case when f.free then null else p.delivered end,
    revoke_until = case when f.free then null
      else coalesce(p.revoke_until, now() + f.rebalance_timeout_ms * interval '1 millisecond') end
  from (
    select q.partition_id, x.target, m.rebalance_timeout_ms,
      m.member_id is null or q.revoke_until < now()
        or coalesce(q.delivered, 0) <= coalesce(q.committed, 0) as free
    from tailrace.group_partitions q
      join unnest(p_partition_ids, p_targets) as x (partition_id, target) using (partition_id)
      left join tailrace.group_members m on m.group_id = p_group_id and m.member_id = q.owner
    where q.group_id = p_group_id
  ) f
  where p.group_id = p_group_id and p.partition_id = f.partition_id and p.owner is distinct from f.target;
  -- Who shall keep what it has, keeps it, whatever was planned before; and what nobody has, nobody shall.
  update tailrace.group_partitions p set target = p.owner, target_generation = next_generation, revoke_until = null
  from unnest(p_partition_ids, p_targets) as x (partition_id, target)
  where p.group_id = p_group_id and p.partition_id = x.partition_id and p.owner is not distinct from x.target
    and p.target is distinct from p.owner;
  return true;
end $$;
