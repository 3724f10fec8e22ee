import type pg from 'pg'

/** What pg_stat_user_tables counts for the tables that grow with the log. */
export type Scans = Record<string, { seq_scan: number; idx_scan: number }>

/** Of a pool of which one connection at a time is in use: what it has done so far is counted. */
export async function scansBy(pool: pg.Pool): Promise<Scans> {
  const client = await pool.connect()
  try {
    await client.query('select pg_stat_force_next_flush()')
    const { rows } = await client.query<{ relname: string; seq_scan: string; idx_scan: string }>(
      `select relname, seq_scan, idx_scan from pg_stat_user_tables
       where relname in ('batches', 'receipts', 'log_starts')`,
    )
    return Object.fromEntries(
      rows.map(({ relname, seq_scan, idx_scan }) => [
        relname,
        { seq_scan: Number(seq_scan), idx_scan: Number(idx_scan) },
      ]),
    )
  } finally {
    client.release()
  }
}

/** The sequential scans among them, which must be none. */
export function seqScans(scans: Scans): Record<string, number> {
  return Object.fromEntries(Object.entries(scans).map(([table, { seq_scan }]) => [table, seq_scan]))
}

export const NO_SEQ_SCANS = { batches: 0, receipts: 0, log_starts: 0 }
