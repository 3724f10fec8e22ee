import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  batch,
  begin,
  encode,
  end,
  records,
  upToDate,
  type Form,
  type Message,
} from './messages.ts'
import { open, readAll } from './reading.ts'
import { ScriptedServer, type Script } from './scripted-server.ts'

let server: ScriptedServer
beforeAll(async () => {
  server = await ScriptedServer.start()
})
afterAll(() => server.stop())

const MESSAGES: Message[] = [
  begin('0:0'),
  batch('0:3', ...records(0, 3)),
  upToDate('0:3'),
  batch('0:4', ...records(3, 4)),
  end('0:4'),
]
const BOM = '\u{FEFF}'

/** The whole stream, with what a reader must read over between its messages. */
function streamOf(form: Form, noise: string, lineEnd = '\n'): Buffer {
  const texts = MESSAGES.flatMap((message) => encode(form, message))
  return Buffer.from(BOM + texts.join(noise).replaceAll('\n', lineEnd))
}

/** Each write is a chunk of its own, and a chunk is what a reader is given. */
function sendCut(stream: Buffer, cuts: readonly number[]): Script {
  return async (connection) => {
    const bounds = [0, ...[...cuts].sort((a, b) => a - b), stream.length]
    for (const [k, bound] of bounds.slice(1).entries()) {
      const piece = stream.subarray(bounds[k], bound)
      if (piece.length > 0) await connection.write(piece)
    }
  }
}

const STREAMS: [string, Form, Buffer][] = [
  ['lines', 'ndjson', streamOf('ndjson', '')],
  ['lines with blank ones', 'ndjson', streamOf('ndjson', '\n \n', '\r\n')],
  ['events', 'sse', streamOf('sse', '')],
  ['events with comments', 'sse', streamOf('sse', ': hello\n\nretry: 1000\n\n', '\r\n')],
  ['events with carriage returns', 'sse', streamOf('sse', '\n:\n', '\r')],
]

describe.each(STREAMS)('%s', (_, form, stream) => {
  it('may come byte by byte', async () => {
    server.script(sendCut(stream, [...stream.keys()]))
    expect(await readAll(open(server.url, form))).toEqual(records(0, 4))
    expect(server.connections).toHaveLength(1)
  })

  it('may be cut anywhere', async () => {
    const cuts = fc.array(fc.nat(stream.length), { maxLength: 8 })
    await fc.assert(
      fc.asyncProperty(cuts, async (at) => {
        server.script(sendCut(stream, at))
        expect(await readAll(open(server.url, form))).toEqual(records(0, 4))
        expect(server.connections).toHaveLength(1)
      }),
      { seed: 7070, numRuns: 30 },
    )
  })
})

it.each(['ndjson', 'sse', 'websocket'] as const)('a record of 8 MB comes as %s', async (form) => {
  const [record] = records(0, 1)
  const large = { ...record!, value: 'é'.repeat(4 << 20) }
  server.script((connection) => connection.say(begin('0:0'), batch('0:1', large), end('0:1')))
  const read = await readAll(open(server.url, form))
  expect(read[0]?.value === large.value).toBe(true)
})
