import { drainLines } from './drains.ts'
import { fetchPages } from './fetch.ts'
import { groupPolls, heartbeats, rebalances } from './groups.ts'
import { createRowTable, produceBatch, produceSingle } from './produce.ts'
import { compare, type Comparison, type Contest, type Figure } from './rounds.ts'
import { crossNodeLatency, idleTails, tailFanOut, tailLatency } from './tails.ts'
import { openStage, type Stage } from './stage.ts'

/** `npm run bench [-- --json] [-- --rounds N] [-- name ...]`: ratios, each taken in turns within one run. */
const json = process.argv.includes('--json')
const roundsAt = process.argv.indexOf('--rounds')
const rounds = roundsAt === -1 ? 5 : Number(process.argv[roundsAt + 1])
const wanted = process.argv.slice(2).filter((word) => /^[a-z_]+$/.test(word))

/** The hot tables must never be read from end to end: a plan gone wrong shows here first. */
async function sequentialScans(stage: Stage): Promise<Record<string, number>> {
  // Statistics arrive up to a second after the connections that made them fall idle.
  await new Promise((resolve) => setTimeout(resolve, 1500))
  const rows = await stage.query<{ relname: string; seq_scan: string }>(
    `select relname, seq_scan from pg_stat_user_tables
     where schemaname = 'tailrace' and relname in ('batches', 'log_starts', 'receipts')`,
  )
  return Object.fromEntries(rows.map((row) => [row.relname, Number(row.seq_scan)]))
}

function rate(value: number): string {
  return Math.round(value).toLocaleString('en').padStart(11)
}

function table(rows: readonly Comparison[]): string {
  const lines = rows.map(
    (row) =>
      `${row.name.padEnd(22)} ${row.ratio.toFixed(2).padStart(6)} ${`>= ${String(row.reach)}`.padStart(7)}` +
      ` ${rate(row.ours)} ${rate(row.theirs)}  ${row.unit.padEnd(11)} ${row.against}`,
  )
  const head = `${''.padEnd(22)} ${'ratio'.padStart(6)} ${'reach'.padStart(7)} ${'ours'.padStart(11)} ${'theirs'.padStart(11)}`
  return [head, ...lines].join('\n')
}

/** Groups of figures, by the name they are asked for. */
const FIGURES: Readonly<Record<string, (stage: Stage) => Promise<Figure[]>>> = {
  tail_latency: tailLatency,
  cross_node: crossNodeLatency,
  tail_idle: idleTails,
  tail_fan_out: tailFanOut,
  rebalance: rebalances,
  heartbeats,
}

function figureTable(figures: readonly Figure[]): string {
  return figures
    .map(({ name, value, reach, unit }) => {
      const shown = value >= 1000 ? Math.round(value).toLocaleString('en') : value.toFixed(2)
      const bound = reach === undefined ? '' : `<= ${String(reach)}`
      return `${name.padEnd(22)} ${shown.padStart(11)} ${bound.padStart(7)}  ${unit}`
    })
    .join('\n')
}

function requireKnown(names: readonly string[]): void {
  const unknown = wanted.filter((name) => !names.includes(name))
  if (unknown.length > 0) throw new Error(`no such row: ${unknown.join(', ')}; ${names.join(', ')}`)
}

const READERS = new Set(['fetch_vs_rows', 'group_poll_vs_fetch'])

/** Fetch and groups read what the batches before it wrote. */
async function fill(batch: Contest): Promise<void> {
  await batch.ours()
  await batch.theirs()
}

const stage = await openStage()
try {
  await createRowTable(stage)
  // Building an index reads its table once; from here on nothing may.
  await stage.query('select pg_stat_reset()')
  const batch = produceBatch(stage)
  const contests = [
    produceSingle(stage),
    batch,
    fetchPages(stage),
    groupPolls(stage),
    drainLines(stage),
  ]
  requireKnown([...contests.map((contest) => contest.name), ...Object.keys(FIGURES)])
  const results: Comparison[] = []
  let isFilled = false
  for (const contest of contests) {
    if (wanted.length > 0 && !wanted.includes(contest.name)) continue
    if (READERS.has(contest.name) && !isFilled) await fill(batch)
    isFilled ||= contest === batch || READERS.has(contest.name)
    results.push(await compare(contest, rounds))
  }
  const figures: Figure[] = []
  for (const [name, measure] of Object.entries(FIGURES)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue
    process.stderr.write(`\r\x1b[K${name} `)
    figures.push(...(await measure(stage)))
  }
  process.stderr.write('\r\x1b[K')
  const seq_scan = await sequentialScans(stage)
  const all = Object.fromEntries([
    ...results.map(({ name, ...rest }) => [name, rest]),
    ...figures.map(({ name, value }) => [name, value]),
  ])
  if (json) process.stdout.write(`${JSON.stringify({ ...all, seq_scan })}\n`)
  else {
    const scans = Object.entries(seq_scan).map(([name, count]) => `${name} ${String(count)}`)
    process.stdout.write(
      `${results.length > 0 ? `${table(results)}\n` : ''}${figureTable(figures)}\nsequential scans of hot tables: ${scans.join(', ')}\n`,
    )
  }
} finally {
  await stage.close()
}
