import fc from 'fast-check'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import type { TailedRecord } from '../../src/client/index.ts'
import {
  batch,
  begin,
  draining,
  encode,
  end,
  FORMS,
  record,
  upToDate,
  type Message,
} from './messages.ts'
import { open } from './reading.ts'
import { ScriptedServer, type Connection, type Script } from './scripted-server.ts'

/**
 * A small model of a server with a log of two partitions, which grows with every connection, and of a network
 * that breaks connections anywhere. Every record must come exactly once, and those of a partition in order.
 */

let server: ScriptedServer
beforeAll(async () => {
  server = await ScriptedServer.start()
})
afterAll(() => server.stop())
afterEach(() => {
  vi.restoreAllMocks()
})

/** How a connection is lost: after so many bytes or messages, at once or with a farewell. */
interface Loss {
  after: number
  how: 'cut' | 'end' | 'drain'
}

const place = (topic: string | undefined, partition: number) =>
  `${topic ? `${topic}/` : ''}${String(partition)}`
const format = (offsets: readonly number[], topic?: string) =>
  offsets.map((offset, partition) => `${place(topic, partition)}:${String(offset)}`).join(',')
const parse = (position: string) => position.split(',').map((entry) => Number(entry.split(':')[1]))

/** Everything from here to there, in batches of one partition after the other. */
function* stream(
  from: readonly number[],
  to: readonly number[],
  size: number,
  topic?: string,
): Generator<Message> {
  const at = [...from]
  while (at.some((offset, partition) => offset < to[partition]!)) {
    for (const partition of at.keys()) {
      const next = Math.min(at[partition]! + size, to[partition]!)
      const some: TailedRecord[] = []
      while (at[partition]! < next) some.push(record(partition, at[partition]!++, topic))
      if (some.length > 0) yield batch(format(at, topic), ...some)
    }
  }
}

class ModelServer {
  readonly #ends: readonly number[]
  readonly #size: number
  readonly #topic: string | undefined
  /** Grows, which must not move the end of a tail until `latest`. */
  #growth = 0

  constructor(ends: readonly number[], size: number, topic: string | undefined) {
    this.#ends = ends
    this.#size = size
    this.#topic = topic
  }

  #messages({ position, query }: Connection): Message[] {
    const topic = this.#topic
    const from = position === undefined || position === 'earliest' ? [0, 0] : parse(position)
    const asked = query['until']!
    const to = asked === 'latest' ? this.#ends.map((end) => end + this.#growth++) : parse(asked)
    const until = format(to, topic)
    const history = [...stream(from, to, this.#size, topic)]
    return [begin(format(from, topic), until), ...history, upToDate(until), end(until)]
  }

  readonly serve: Script = async (connection) => {
    await connection.say(...this.#messages(connection))
  }

  lose({ after, how }: Loss): Script {
    return async (connection) => {
      const messages = this.#messages(connection)
      if (how === 'drain') {
        const sent = messages
          .slice(0, 1 + (after % messages.length))
          .filter(({ type }) => type !== 'end')
        await connection.say(...sent, draining(sent.at(-1)!.position))
        return
      }
      await sendPart(connection, messages, after)
      if (how === 'cut') connection.cut()
      else connection.end()
    }
  }
}

/** A part of a stream ends anywhere; of a WebSocket, between messages. */
async function sendPart(connection: Connection, messages: Message[], after: number): Promise<void> {
  const texts = messages.flatMap((message) => encode(connection.form, message))
  if (connection.form === 'websocket') {
    for (const text of texts.slice(0, after % texts.length)) await connection.write(text)
    return
  }
  const bytes = Buffer.from(texts.join(''))
  // All but the end, which would complete it.
  const last = Buffer.byteLength(texts.at(-1)!)
  await connection.write(bytes.subarray(0, after % (bytes.length - last)))
}

const losses = fc.array(
  fc.record({ after: fc.nat(20_000), how: fc.constantFrom('cut', 'end', 'drain') }),
  { maxLength: 8 },
)
const tails = fc.record({
  losses,
  ends: fc.tuple(fc.nat(60), fc.nat(60)),
  size: fc.integer({ min: 1, max: 25 }),
  topic: fc.constantFrom(undefined, 'orders', 'a-1.b_2'),
})

describe.each(FORMS)('as %s', (form) => {
  it('each record comes exactly once and in order, however often connections are lost', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0)
    await fc.assert(
      fc.asyncProperty(tails, async ({ losses, ends, size, topic }) => {
        const model = new ModelServer(ends, size, topic)
        server.script(...losses.map((loss) => model.lose(loss)), model.serve)
        const options = { from: 'earliest', until: 'latest' }
        const following = open(server.url, form, options, topic ? [topic] : 'orders')
        const offsets: number[][] = [[], []]
        for await (const { partition, offset } of following) offsets[partition]!.push(offset)
        // Whenever `until` was resolved, it was at or after what was there first, and stayed there.
        const reached = parse(following.position!)
        expect(offsets).toEqual(reached.map((to) => [...Array(to).keys()]))
        const untils = server.connections.map(({ query }) => query['until']!)
        expect(untils.slice(1 + untils.lastIndexOf('latest'))).toEqual(
          expect.toSatisfy((later: string[]) => new Set(later).size <= 1),
        )
        expect(server.connections.length).toBeLessThanOrEqual(losses.length + 1)
      }),
      { seed: 7070, numRuns: 60 },
    )
  })
})
