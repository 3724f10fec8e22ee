import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { size } from '../tails/random.ts'
import { Site } from './site.ts'
import { readStoredLines } from './stored-lines.ts'
import { hasSyslogNg, SyslogNg } from './syslog-ng.ts'

/** A sender that is not ours and names no frames delivers a file, whole, through restarts of the server. */
const LINES = size('DRAINS_FILE_LINES', 100_000)

const isInstalled = hasSyslogNg()
if (!isInstalled) console.log('syslog-ng with its http() is not installed: this proof is left out')

describe.runIf(isInstalled)('syslog-ng', () => {
  let site: Site
  let folder: string
  let sender: SyslogNg
  beforeAll(async () => {
    site = await Site.open()
    folder = await temporaryFolder('syslog-ng')
  })
  afterAll(async () => {
    await sender.stop()
    await rm(folder, { recursive: true, force: true })
    await site.close()
  })

  it('delivers every line once', async () => {
    const file = join(folder, 'app.log')
    const lines = Array.from({ length: LINES }, (_, k) => `line ${String(k)} ${'é'.repeat(k % 50)}`)
    await writeFile(file, lines.map((line) => `${line}\n`).join(''))
    const url = await site.createDrain('files', 4)
    sender = await SyslogNg.start(folder, file, `${url}?dedupe=body`)
    await untilStored(LINES * 0.2)
    await site.kill()
    await untilStored(LINES * 0.5)
    await site.roll()
    await untilStored(LINES * 0.7)
    await site.killPostgres()
    await untilStored(LINES)
    const stored = await readStoredLines(site.postgres, 'files')
    const counts = new Map<string, number>()
    for (const { message } of stored) counts.set(message, (counts.get(message) ?? 0) + 1)
    const missing = lines.filter((line) => !counts.has(line))
    const twice = [...counts].filter(([, count]) => count > 1)
    console.log(
      `${String(stored.length)} stored of ${String(LINES)}, ${String(missing.length)} missing, ` +
        `${String(twice.length)} more than once; it said:\n${sender.said.slice(-2000)}`,
    )
    expect(missing.slice(0, 20)).toEqual([])
    expect(twice.slice(0, 20)).toEqual([])
    expect(counts.size).toBe(LINES)
    expect(sender.said).toContain('Server disconnected')
  })

  /** Until so many are there; the test's own time-out is the bound. */
  async function untilStored(count: number): Promise<void> {
    while ((await countStored()) < count) await sleep(100)
  }

  async function countStored(): Promise<number> {
    const sql = `select coalesce(sum(next_offset - base_offset), 0)::float8 as count from tailrace.batches`
    const [row] = await site.postgres.query<{ count: number }>(sql)
    return row?.count ?? 0
  }
})
