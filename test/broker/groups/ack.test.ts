import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { formatAck, parseAck, type Ack } from '../../../src/broker/groups/ack.ts'
import { ProblemError } from '../../../src/contract/problem-error.ts'

const SEED = { seed: 17, numRuns: 1_000 }
const number = fc.maxSafeNat()
const name = fc.stringMatching(/^[A-Za-z0-9._-]{1,249}$/)
const acks: fc.Arbitrary<Ack> = fc.record({
  member_id: name,
  group_id: number,
  generation_id: number,
  offsets: fc.array(fc.tuple(number, number), { maxLength: 20 }).map((entries) => new Map(entries)),
})

function refusalOf(text: string): ProblemError {
  try {
    parseAck(text, 'body', '/ack')
  } catch (error) {
    if (error instanceof ProblemError) return error
    throw error
  }
  throw new Error(`${text} was taken`)
}

describe('an ack', () => {
  it('comes back as it went', () => {
    fc.assert(
      fc.property(acks, (ack) => {
        expect(parseAck(formatAck(ack), 'body', '/ack')).toEqual(ack)
      }),
      SEED,
    )
  })

  it('of any other text is refused, or says the same when it is written again', () => {
    fc.assert(
      fc.property(acks, fc.nat(), fc.constantFrom(...':,-. 0x9é\n'), (ack, at, sign) => {
        const text = formatAck(ack)
        const place = at % (text.length + 1)
        const bent = text.slice(0, place) + sign + text.slice(place)
        let read: Ack
        try {
          read = parseAck(bent, 'body', '/ack')
        } catch (error) {
          expect(error).toMatchObject({ code: 'invalid_request' })
          return
        }
        expect(parseAck(formatAck(read), 'body', '/ack')).toEqual(read)
      }),
      SEED,
    )
  })

  it.each([
    '',
    ':',
    'a',
    'a:1',
    ':1:',
    'a::',
    'a:x:',
    'a:1:1',
    'a:1:1-',
    'a:1:-1',
    'a:1:1-2,',
    'a:1:,1-2',
    'a:1:1-2;3-4',
    'a:1:1-2\n',
    'a:1:1.5-2',
    'a:1:1-1e3',
    'a:-1:1-2',
    'a:9007199254740992:1-2',
    'a:1:1-9007199254740992',
    'a:1:99999999999999999-1',
    'a b:1:1-2',
    `${'x'.repeat(250)}:1:`,
  ])('of "%s" is refused', (text) => {
    const { code, details } = refusalOf(text)
    expect(code).toBe('invalid_request')
    expect(details.errors).toMatchObject([{ in: 'body', pointer: '/ack' }])
  })

  it('of a text made to be slow is refused at once', () => {
    expect(refusalOf(`${'a:1:'.repeat(6_000)}x`).code).toBe('invalid_request')
    expect(refusalOf(`a:1:${'1-1,'.repeat(5_000)}`).code).toBe('invalid_request')
  })
})
