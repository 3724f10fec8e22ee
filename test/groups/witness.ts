import type { TestDatabase } from '../support/postgres.ts'
import type { MemberChange, PartitionState, Testimony } from './history.ts'

/**
 * An independent witness: triggers that write down every state of the group's rows. A state is noted under the
 * lock of its row, so those of one partition are in their true order, and none is missed as by looking now and then.
 */
const WITNESS = `
  create schema witness;
  create unlogged table witness.partitions (seq bigserial, at timestamptz, partition_id bigint, owner text,
    owner_generation bigint, target text, delivered bigint, committed bigint);
  create unlogged table witness.members (seq bigserial, at timestamptz, member_id text, is_member boolean,
    lease_until timestamptz);

  create function witness.note_partition() returns trigger language plpgsql as $$
  begin
    insert into witness.partitions (at, partition_id, owner, owner_generation, target, delivered, committed)
      values (clock_timestamp(), new.partition_id, new.owner, new.owner_generation, new.target, new.delivered,
        new.committed);
    return null;
  end $$;
  create function witness.note_member() returns trigger language plpgsql as $$
  declare
    one tailrace.group_members := coalesce(new, old);
  begin
    insert into witness.members (at, member_id, is_member, lease_until)
      values (clock_timestamp(), one.member_id, tg_op = 'INSERT', one.lease_until);
    return null;
  end $$;

  create trigger witness after insert or update on tailrace.group_partitions
    for each row execute function witness.note_partition();
  create trigger witness after insert or delete on tailrace.group_members
    for each row execute function witness.note_member();`

export async function engageWitness(database: TestDatabase): Promise<void> {
  await database.query(WITNESS)
}

/** All it has seen. */
export async function hearWitness(database: TestDatabase): Promise<Testimony> {
  const partitions = await database.query<Row<PartitionState>>(
    `select ${ms('w.at')} as at, p.partition, w.owner, w.owner_generation::float, w.target, w.delivered::float,
       w.committed::float
     from witness.partitions w join tailrace.partitions p using (partition_id) order by w.seq`,
  )
  const members = await database.query<Row<MemberChange>>(
    `select ${ms('at')} as at, member_id, is_member, ${ms('lease_until')} as lease_until
     from witness.members order by seq`,
  )
  return { partitions, members }
}

/** An interface is no index signature, which a row must be. */
type Row<T> = { [K in keyof T]: T[K] }

const ms = (column: string) => `(extract(epoch from ${column}) * 1000)::float`
