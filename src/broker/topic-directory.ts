import { LIMITS } from '../contract/limits.ts'
import { ProblemError } from '../contract/problem-error.ts'
import type { TopicConfig } from '../contract/topics.ts'
import type { Database } from '../store/database.ts'
import { createTopic, getTopic, type TopicRow } from '../store/topics.ts'
import { told } from './told.ts'

/** Past this many topics the oldest answer is forgotten. */
const REMEMBERED_TOPICS = 10_000

interface Entry {
  topic: TopicRow
  checked_at: number
}

/** Why a topic is not there, and the command that makes it. */
export function unknownTopic(name: string, written?: 'no'): ProblemError {
  return new ProblemError('unknown_topic_or_partition', `There is no topic ${name}.`, {
    hint: `Create it by producing, curl -d hello http://HOST/t/${name}, or with POST /v1/topics {"name":"${name}"}.`,
    ...(written ? { written } : {}),
  })
}

export function unknownPartition(topic: TopicRow, partition: number, written?: 'no'): ProblemError {
  const last = topic.partitions - 1
  return new ProblemError(
    'unknown_topic_or_partition',
    `Topic ${topic.name} has no partition ${String(partition)}.`,
    {
      hint: last === 0 ? 'Its only partition is 0.' : `Its partitions are 0 to ${String(last)}.`,
      ...(written ? { written } : {}),
    },
  )
}

/** A topic's largest record, in bytes of its stored line. */
export function maxRecordBytes(config: TopicConfig): number {
  return config.max_record_bytes ?? LIMITS.record_bytes
}

/**
 * What this node knows of topics. An answer is trusted for LIMITS.topic_cache_ms; partitions that were
 * deleted since are noticed by the append itself.
 */
export class TopicDirectory {
  readonly #database: Database
  readonly #entries = new Map<string, Entry>()
  readonly #lookups = new Map<string, Promise<TopicRow | undefined>>()

  constructor(database: Database) {
    this.#database = database
  }

  /** What is known without asking the database, if it is fresh. */
  known(name: string): TopicRow | undefined {
    const entry = this.#entries.get(name)
    return entry && performance.now() - entry.checked_at < LIMITS.topic_cache_ms
      ? entry.topic
      : undefined
  }

  /** The topic, from the database unless known; callers that come while it is asked share the answer. */
  async find(name: string): Promise<TopicRow | undefined> {
    const known = this.known(name)
    if (known) return known
    let lookup = this.#lookups.get(name)
    if (!lookup) {
      lookup = this.#lookUp(name).finally(() => this.#lookups.delete(name))
      this.#lookups.set(name, lookup)
    }
    return lookup
  }

  async #lookUp(name: string): Promise<TopicRow | undefined> {
    const topic = await getTopic(this.#database, name)
    if (topic) this.remember(topic)
    else this.forget(name)
    return topic
  }

  /** The topic, for a read; a problem where there is none. */
  async require(name: string): Promise<TopicRow> {
    const topic = await told(false, () => this.find(name))
    if (!topic) throw unknownTopic(name)
    return topic
  }

  /** The topic, for a produce, created with one partition where it is missing. */
  async findOrCreate(name: string): Promise<{ topic: TopicRow; created: boolean }> {
    const topic = await createTopic(this.#database, { name, partitions: 1, config: {} })
    if (topic) {
      this.remember(topic)
      return { topic, created: true }
    }
    const existing = await this.find(name)
    if (existing) return { topic: existing, created: false }
    throw unknownTopic(name, 'no')
  }

  remember(topic: TopicRow): void {
    this.#entries.delete(topic.name)
    this.#entries.set(topic.name, { topic, checked_at: performance.now() })
    if (this.#entries.size <= REMEMBERED_TOPICS) return
    const [oldest] = this.#entries.keys()
    if (oldest !== undefined) this.#entries.delete(oldest)
  }

  forget(name: string): void {
    this.#entries.delete(name)
  }
}
