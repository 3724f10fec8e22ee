import { describe, expect, it } from 'vitest'
import { joinSplitLines } from '../../src/client/drain-lines.ts'
import { DrainLine, rawOf } from '../../src/contract/drain-lines.ts'
import { decode, framed, line, TIME } from '../drains/bodies.ts'

interface Record {
  key: string
  offset: number
  value: DrainLine
}

const HEAD = line('').slice(0, -1)

/** The frames in which Logplex sends a text of this process: 10,000 bytes each. */
function parts(text: string | Buffer, head = HEAD): Buffer[] {
  const bytes = Buffer.from(text as string)
  const starts = Array.from({ length: Math.ceil(bytes.length / 10_000) }, (_, n) => n * 10_000)
  return starts.map((at) => Buffer.concat([Buffer.from(head), bytes.subarray(at, at + 10_000)]))
}

function recordsOf(...messages: (string | Buffer)[]): Record[] {
  const { records } = decode(framed(...messages))
  return records.map((record, offset) => ({
    offset,
    ...(JSON.parse(record) as Omit<Record, 'offset'>),
  }))
}

async function join<T extends object>(records: Iterable<T> | AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const record of joinSplitLines(records)) all.push(record)
  return all
}

const long = (size: number) => 'abcdefghij'.repeat(size / 10)

describe('joinSplitLines', () => {
  it.each([15_000, 20_000, 25_000, 100_000])('joins a text of %i bytes', async (size) => {
    const text = long(size - 10) + 'end of it'
    const [joined, ...rest] = await join(recordsOf(...parts(`${text}\n`)))
    expect(rest).toEqual([])
    expect(joined).toEqual({
      ...{ offset: 0, key: 'app/web.1' },
      value: {
        ...{ timestamp: TIME, facility: 'local7', severity: 'info' },
        ...{ app: 'app', process: 'web.1', message: text },
      },
    })
  })

  it.each([0, 1, 2])('makes characters whole that were cut behind %i bytes', async (shift) => {
    const text = 'x'.repeat(shift) + '€'.repeat(5_000) + '😀'.repeat(3_000)
    const split = recordsOf(...parts(`${text}\n`))
    expect(split).toHaveLength(3)
    const [joined, ...rest] = await join(split)
    expect(rest).toEqual([])
    expect(joined!.value.message).toBe(text)
    expect(joined!.value.flags).toBeUndefined()
    expect(Buffer.from(rawOf(joined!.value)).toString()).toBe(`${HEAD}${text}\n`)
  })

  it('keeps the bytes of what is not UTF-8, or has no newline', async () => {
    const bytes = Buffer.concat([Buffer.from(long(10_000)), Buffer.from([0xe9, 0, 0x61])])
    const [joined] = await join(recordsOf(...parts(bytes)))
    expect(joined!.value.flags).toEqual(['not_utf8', 'no_newline', 'nul'])
    expect(Buffer.from(rawOf(joined!.value))).toEqual(Buffer.concat([Buffer.from(HEAD), bytes]))
    const [other] = await join(recordsOf(...parts(long(12_000))))
    expect(other!.value).toMatchObject({
      message: long(12_000),
      flags: ['no_newline'],
      raw: HEAD + long(12_000),
    })
    for (const { value } of [joined!, other!]) expect(DrainLine.parse(value)).toEqual(value)
  })

  it('joins through lines of other processes, which overtake', async () => {
    const [first, second] = parts(`${long(15_000)}\n`)
    const other = line('other', 'app web.2')
    const joined = await join(
      recordsOf(line('before'), first!, other, other, second!, line('after')),
    )
    expect(joined.map(({ offset }) => offset)).toEqual([0, 2, 3, 1, 5])
    expect(joined[3]!.value.message).toBe(long(15_000))
  })

  it.each([
    ['of another time', line('').slice(0, -1).replace('18:22', '18:23')],
    ['of another severity', line('', 'app web.1', 191).slice(0, -1)],
  ])('leaves apart what is %s', async (_, head) => {
    const [first] = parts(long(10_000))
    const records = recordsOf(first!, `${head}rest\n`)
    expect(await join(records)).toEqual(records)
  })

  it('tells records of different keys and topics apart', async () => {
    const [first, second] = recordsOf(...parts(`${long(15_000)}\n`))
    const keys = [first!, { ...second!, key: 'other/web.1' }]
    expect(await join(keys)).toEqual([keys[1], keys[0]])
    const topics = [
      { ...first!, topic: 'a' },
      { ...second!, topic: 'b' },
    ]
    expect(await join(topics)).toEqual([topics[1], topics[0]])
  })

  it('leaves a line as it is whose next part does not come', async () => {
    const [first] = recordsOf(...parts(`${long(15_000)}\n`))
    expect(await join([first!])).toEqual([first])
  })

  it('waits for 1,000 records, and with 100 lines, at most', async () => {
    const [first] = recordsOf(...parts(`${long(15_000)}\n`))
    const many = Array.from({ length: 1_500 }, (_, offset) => ({ offset, value: offset }))
    const waited = await join([first!, ...many])
    expect(waited.indexOf(first!)).toBe(1_000)
    const lines = Array.from({ length: 300 }, (_, n) => ({ ...first!, key: `app/web.${n}` }))
    const given: unknown[] = []
    for await (const record of joinSplitLines(lines)) {
      given.push(record)
      if (given.length === 200) break
    }
    expect(given).toEqual(lines.slice(0, 200))
  })

  it('does not gather without end', async () => {
    const all = recordsOf(...parts(long(2_000_000)))
    const joined = await join(all)
    expect(joined.length).toBe(2)
    expect(joined.map(({ value }) => value.message).join('')).toBe(long(2_000_000))
  })

  it('passes on what is no log line, from whatever gives it', async () => {
    const values = [1, null, 'x', { app: 1 }, { message: 'x' }, undefined]
    const records = values.map((value) => ({ value }))
    async function* live() {
      yield* records
    }
    expect(await join(live())).toEqual(records)
  })
})
