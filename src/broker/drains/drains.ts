import type {
  CreateDrain,
  Drain,
  DrainCommands,
  DrainSummary,
  DrainWithCredential,
} from '../../contract/drains.ts'
import { LIMITS } from '../../contract/limits.ts'
import { ProblemError } from '../../contract/problem-error.ts'
import type { Database } from '../../store/database.ts'
import * as store from '../../store/drains.ts'
import type { StorePools } from '../../store/pool.ts'
import { createTopic } from '../../store/topics.ts'
import type { TopicDirectory } from '../topic-directory.ts'
import { told } from '../told.ts'
import { createCredential } from './credentials.ts'
import { unknownDrain, type DrainDirectory } from './drain-directory.ts'
import { NOTHING_COUNTED, type DrainTally } from './tally.ts'

interface Broker {
  database: Database
  pools: StorePools
  topics: TopicDirectory
  drains: { directory: DrainDirectory; tally: DrainTally }
}

/** `https://host` of this server, as senders reach it. */
type Base = string

function summary(base: Base, drain: store.DrainRow): DrainSummary {
  return {
    name: drain.name,
    topic: drain.topic,
    url: `${base}/drains/${drain.name}`,
    created_at: drain.created_at.toISOString(),
  }
}

function withCredential(
  base: Base,
  drain: store.DrainRow,
  credential: string,
): DrainWithCredential {
  const shown = summary(base, drain)
  return { ...shown, credential, commands: commandsFor(shown.url, credential) }
}

function commandsFor(url: string, credential: string): DrainCommands {
  const withUser = url.replace('://', `://logs:${credential}@`)
  const header = JSON.stringify({ Authorization: `Bearer ${credential}` })
  return {
    heroku: `heroku drains:add ${withUser} -a APP`,
    heroku_fir: `heroku telemetry:add ${url} --signals logs --transport http --headers '${header}' -a APP`,
    curl: `curl -d 'hello' ${withUser}`,
  }
}

/**
 * Creates a drain, and its topic where there is none; the topic first, as a drain that was created without an answer
 * would have a credential that nobody knows, and its name would be taken.
 */
export function createDrain(
  broker: Broker,
  base: Base,
  { name, topic = name, partitions, config }: CreateDrain,
): Promise<DrainWithCredential> {
  return told(true, async () => {
    // A refusal makes no topic.
    if (await store.getDrain(broker.database, name)) throw nameIsTaken(name)
    const created = await createTopic(broker.database, { name: topic, partitions, config: {} })
    if (created) broker.topics.remember(created)
    const { credential, hash } = createCredential()
    const row = { name, topic, credential_hash: hash, config }
    const drain = await store.createDrain(broker.database, row)
    if (!drain) throw nameIsTaken(name)
    broker.drains.directory.remember(drain)
    return withCredential(base, drain, credential)
  })
}

function nameIsTaken(name: string): ProblemError {
  const detail = `There is a drain ${name} already.`
  return new ProblemError('drain_already_exists', detail, { written: 'no' })
}

/** A page of drains by name, and the name after which the next page begins. */
export function listDrains(
  broker: Broker,
  base: Base,
  page: { after?: string | undefined; prefix?: string | undefined; limit: number },
): Promise<{ drains: DrainSummary[]; next_after: string | undefined }> {
  return told(false, async () => {
    const rows = await store.listDrains(broker.database, {
      after: page.after ?? '',
      prefix: page.prefix ?? '',
      limit: page.limit + 1,
    })
    const drains = rows.slice(0, page.limit).map((drain) => summary(base, drain))
    return { drains, next_after: rows.length > page.limit ? drains.at(-1)?.name : undefined }
  })
}

/** The drain of this name, for its owner. */
export function drainNamed(
  broker: Pick<Broker, 'database'>,
  name: string,
): Promise<store.DrainRow> {
  return told(false, async () => {
    const drain = await store.getDrain(broker.database, name)
    if (!drain) throw unknownDrain(name)
    return drain
  })
}

/** A drain, and what it has received. */
export async function describeDrain(broker: Broker, base: Base, name: string): Promise<Drain> {
  const drain = await drainNamed(broker, name)
  return told(false, async () => {
    // What this node has counted is told first, so that who has just sent something sees it.
    await broker.drains.tally.flush()
    const [counts, sources] = await Promise.all([
      store.drainCounts(broker.database, drain.drain_id),
      store.drainSources(broker.database, drain.drain_id, LIMITS.drain_sources_shown),
    ])
    return {
      ...summary(base, drain),
      ...asReceived(counts ?? NOTHING),
      sources: sources.map(asSource),
    }
  })
}

const time = (date: Date | null) => date?.toISOString() ?? null

/** Before anything has come. */
const NOTHING: store.DrainCountsRow = {
  ...NOTHING_COUNTED,
  ...{ last_gap_at: null, last_looped_at: null, last_frame_at: null },
}

function asReceived(counts: store.DrainCountsRow): Pick<Drain, 'received' | 'gaps' | 'looped'> {
  const { frames, lines, bytes, duplicates, flagged, last_frame_id, arrival_lag_ms } = counts
  const last_frame_at = time(counts.last_frame_at)
  return {
    received: {
      ...{ frames, lines, bytes, duplicates, flagged },
      ...{ last_frame_at, last_frame_id, arrival_lag_ms },
    },
    gaps: { count: counts.gaps, dropped_lines: counts.dropped, last_at: time(counts.last_gap_at) },
    looped: { lines: counts.looped, last_at: time(counts.last_looped_at) },
  }
}

function asSource(row: store.DrainSourceRow): Drain['sources'][number] {
  return {
    source: row.source,
    frames: row.frames,
    first_seen_at: row.first_seen_at.toISOString(),
    last_seen_at: row.last_seen_at.toISOString(),
  }
}

/** Gives a drain a new credential; the one it had counts for `grace_ms` yet. */
export function rotateDrain(
  broker: Broker,
  base: Base,
  name: string,
  graceMs: number,
): Promise<DrainWithCredential> {
  return told(true, async () => {
    const { credential, hash } = createCredential()
    const rotation = { credential_hash: hash, grace_ms: graceMs }
    const drain = await store.rotateCredential(broker.database, name, rotation)
    if (!drain) throw unknownDrain(name, 'no')
    broker.drains.directory.remember(drain)
    return withCredential(base, drain, credential)
  })
}

/** Deletes a drain; its topic stays. */
export function deleteDrain(broker: Broker, name: string): Promise<void> {
  return told(true, async () => {
    const gone = await store.deleteDrain(broker.pools, name)
    broker.drains.directory.forget(name)
    if (!gone) throw unknownDrain(name, 'no')
  })
}
