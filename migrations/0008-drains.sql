-- Log drains: where senders post to, and what came of it.

-- Control plane; not written while lines come in.
create table tailrace.drains (
  drain_id bigint generated always as identity primary key,
  name text not null unique check (name ~ '^[A-Za-z0-9._-]{1,249}$'),
  -- The name of the topic, not its id: a drain goes on when its topic was deleted, into a new one.
  topic text not null check (topic ~ '^[A-Za-z0-9._-]{1,249}$'),
  -- SHA-256 of the credentials: the present one, and the one before it for as long as it still counts.
  credential_hash bytea not null,
  old_credential_hash bytea,
  old_credential_until timestamptz,
  config jsonb not null default '{}',
  created_at timestamptz not null default now()
);

-- What a drain has received, added up about once a second by each node. A node that is killed takes its last second
-- of counting with it; the lines themselves are in the topic.
create table tailrace.drain_counts (
  drain_id bigint primary key,
  frames bigint not null default 0,
  lines bigint not null default 0,
  bytes bigint not null default 0,
  duplicates bigint not null default 0,
  flagged bigint not null default 0,
  looped bigint not null default 0,
  gaps bigint not null default 0,
  dropped bigint not null default 0,
  last_gap_at timestamptz,
  last_looped_at timestamptz,
  last_frame_at timestamptz,
  last_frame_id text,
  -- From the time that its youngest line names to its arrival, for the last frame whose lines name one.
  arrival_lag_ms bigint
);

create table tailrace.drain_sources (
  drain_id bigint not null,
  source text not null,
  frames bigint not null,
  first_seen_at timestamptz not null,
  last_seen_at timestamptz not null,
  primary key (drain_id, source)
);

-- Adds what a node has counted since it last did.
--   p_counts  [{"drain_id","frames",...,"last_frame_id","frame_age_ms","gap_age_ms","looped_age_ms","arrival_lag_ms",
--               "sources":[{"source","frames"}]}]
--             ages are how long ago things were on that node, so that all times are of this database's clock
--   p_sources how many sources a drain may have; those that come when it has more are not counted
create function tailrace.count_drains(p_counts jsonb, p_sources int) returns void
  language plpgsql volatile
as $$
begin
  insert into tailrace.drain_counts as c (drain_id, frames, lines, bytes, duplicates, flagged, looped, gaps, dropped,
      last_gap_at, last_looped_at, last_frame_at, last_frame_id, arrival_lag_ms)
    select n.drain_id, n.frames, n.lines, n.bytes, n.duplicates, n.flagged, n.looped, n.gaps, n.dropped,
      now() - n.gap_age_ms * interval '1 millisecond', now() - n.looped_age_ms * interval '1 millisecond',
      now() - n.frame_age_ms * interval '1 millisecond', n.last_frame_id, n.arrival_lag_ms
    from jsonb_to_recordset(p_counts) as n (drain_id bigint, frames bigint, lines bigint, bytes bigint,
      duplicates bigint, flagged bigint, looped bigint, gaps bigint, dropped bigint, gap_age_ms float8,
      looped_age_ms float8, frame_age_ms float8, last_frame_id text, arrival_lag_ms bigint)
    -- One that was deleted meanwhile.
    where exists (select from tailrace.drains d where d.drain_id = n.drain_id)
    order by n.drain_id
  on conflict (drain_id) do update set
    frames = c.frames + excluded.frames, lines = c.lines + excluded.lines, bytes = c.bytes + excluded.bytes,
    duplicates = c.duplicates + excluded.duplicates, flagged = c.flagged + excluded.flagged,
    looped = c.looped + excluded.looped, gaps = c.gaps + excluded.gaps, dropped = c.dropped + excluded.dropped,
    last_gap_at = greatest(c.last_gap_at, excluded.last_gap_at),
    last_looped_at = greatest(c.last_looped_at, excluded.last_looped_at),
    last_frame_id = case when excluded.last_frame_at >= coalesce(c.last_frame_at, '-infinity')
      then excluded.last_frame_id else c.last_frame_id end,
    arrival_lag_ms = case when excluded.last_frame_at >= coalesce(c.last_frame_at, '-infinity')
      then coalesce(excluded.arrival_lag_ms, c.arrival_lag_ms) else c.arrival_lag_ms end,
    last_frame_at = greatest(c.last_frame_at, excluded.last_frame_at);

  insert into tailrace.drain_sources as s (drain_id, source, frames, first_seen_at, last_seen_at)
    select (n ->> 'drain_id')::bigint, x.source, x.frames, now(), now()
    from jsonb_array_elements(p_counts) n, jsonb_to_recordset(n -> 'sources') as x (source text, frames bigint)
    where exists (select from tailrace.drain_sources k
        where k.drain_id = (n ->> 'drain_id')::bigint and k.source = x.source)
      or (select count(*) from tailrace.drain_sources k where k.drain_id = (n ->> 'drain_id')::bigint) < p_sources
        and exists (select from tailrace.drains d where d.drain_id = (n ->> 'drain_id')::bigint)
    order by 1, 2
  on conflict (drain_id, source) do update set
    frames = s.frames + excluded.frames, last_seen_at = greatest(s.last_seen_at, excluded.last_seen_at);
end $$;

-- Deletes a drain and what was counted; its topic stays.
create function tailrace.delete_drain(p_name text) returns boolean
  language plpgsql volatile
as $$
declare
  gone bigint;
begin
  delete from tailrace.drains where name = p_name returning drain_id into gone;
  delete from tailrace.drain_counts where drain_id = gone;
  delete from tailrace.drain_sources where drain_id = gone;
  return gone is not null;
end $$;
