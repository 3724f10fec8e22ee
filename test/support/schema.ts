import type { TestDatabase } from './postgres.ts'

/** What schema `tailrace` consists of, as the catalogs see it: for comparing two databases. */
export async function schemaOf(database: TestDatabase): Promise<string[]> {
  const rows = await database.query<{ thing: string }>(`
    select format('%s.%s %s %s %s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
        a.attnotnull, a.attstorage, pg_get_expr(d.adbin, d.adrelid)) as thing
      from pg_attribute a join pg_class c on c.oid = a.attrelid
      left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
      where c.relnamespace = 'tailrace'::regnamespace and a.attnum > 0 and not a.attisdropped
    union all select format('%s %s %s', c.relname, c.relkind, c.reloptions) from pg_class c
      where c.relnamespace = 'tailrace'::regnamespace
    union all select pg_get_indexdef(indexrelid) from pg_index i join pg_class c on c.oid = i.indexrelid
      where c.relnamespace = 'tailrace'::regnamespace
    union all select format('%s %s', conname, pg_get_constraintdef(oid)) from pg_constraint
      where connamespace = 'tailrace'::regnamespace
    union all select pg_get_functiondef(oid) from pg_proc where pronamespace = 'tailrace'::regnamespace
    union all select pg_get_viewdef(c.oid) from pg_class c
      where c.relnamespace = 'tailrace'::regnamespace and c.relkind = 'v'
    union all select format('trigger %s', tgname) from pg_trigger t join pg_class c on c.oid = t.tgrelid
      where c.relnamespace = 'tailrace'::regnamespace and not t.tgisinternal
    union all select format('migration %s %s %s', version, name, checksum) from tailrace.migrations
    order by thing`)
  return rows.map(({ thing }) => thing)
}
