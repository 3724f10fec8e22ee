import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeTextLines, isSyslogText } from '../../src/drains/text-lines.ts'
import { bytesOf, keysOf, NOBODY, SHOP, valuesOf } from './decoded-records.ts'

const decode = (body: string | Buffer) => decodeTextLines(Buffer.from(body), SHOP)

describe('lines of text', () => {
  it('are one record each', () => {
    const decoded = decode('first\nsecond\r\n\n \t\r\n  third')
    expect(valuesOf(decoded)).toEqual([
      { message: 'first' },
      { message: 'second' },
      { message: '  third' },
    ])
    expect(keysOf(decoded)).toEqual(['shop', 'shop', 'shop'])
    expect(decoded.seen).toMatchObject({ lines: 3, flagged: 0, newest_ms: undefined })
    expect(decoded.seen.sources).toEqual(new Set(['shop']))
  })

  it('have no key where nobody says whose they are', () => {
    expect(keysOf(decodeTextLines(Buffer.from('x'), NOBODY))).toEqual([undefined])
  })

  it('may hold NUL and what is not UTF-8', () => {
    const decoded = decode(Buffer.from([0x61, 0, 0x0a, 0xe9, 0x62, 0x0a]))
    expect(valuesOf(decoded)).toEqual([
      { message: 'a\0', flags: ['nul'] },
      { message: '\ufffdb', flags: ['not_utf8'], raw_base64: '6WI=' },
    ])
    expect(decoded.seen.flagged).toBe(1)
  })

  it.each(['', '\n', '\r\n \n\t'])('are none in %j', (body) => {
    expect(decode(body).records).toEqual([])
    expect(decode(body).seen.lines).toBe(0)
  })

  it('add up to the body', () => {
    const line = fc.uint8Array({ maxLength: 12 }).filter((bytes) => bytes.some((b) => b > 0x20))
    fc.assert(
      fc.property(fc.array(line, { maxLength: 6 }), fc.boolean(), (lines, isEnded) => {
        const body = lines
          .map((bytes) =>
            Buffer.from(bytes)
              .toString('latin1')
              .replaceAll(/[\n\r]/g, ' '),
          )
          .join('\n')
        const bytes = Buffer.from(isEnded ? `${body}\n` : body, 'latin1')
        const values = valuesOf(decode(bytes))
        const kept = values.map((value) => bytesOf([value]).toString('latin1'))
        expect(kept.join('\n')).toBe(body)
      }),
      { seed: 7070, numRuns: 2000 },
    )
  })

  it('are cut where they are too long', () => {
    const line = 'é"'.repeat(900_000)
    const decoded = decode(`${line}\nshort\n`)
    const values = valuesOf(decoded)
    const short = values.pop()
    expect(short).toEqual({ message: 'short' })
    expect(values.length).toBeGreaterThan(2)
    expect(bytesOf(values).toString()).toBe(line)
    expect(values.map(({ part }) => part.index)).toEqual(values.map((_, index) => index))
    expect(decoded.seen.lines).toBe(2)
  })

  it('are no longer taken apart where there are too many', () => {
    const decoded = decode('a\n'.repeat(1_000_003))
    expect(decoded.records).toHaveLength(1_000_001)
    expect(JSON.parse(decoded.records.at(-1) ?? '').value).toEqual({
      message: 'a\na\na\n',
      flags: ['not_split'],
    })
  })
})

describe('texts of syslog messages', () => {
  it('are told by how they begin', () => {
    expect(isSyslogText(Buffer.from('<14>1 2026-11-21T18:30:00.5Z host cf - - - hello'))).toBe(true)
  })

  it.each(['<14>2 x', '<1414>1 x', '<>1 x', ' <14>1 x', '<14>1'])('are not %j', (text) => {
    expect(isSyslogText(Buffer.from(text))).toBe(false)
  })
})
