import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { decode, rebuilt, valuesOf } from './bodies.ts'

/** Bodies seen in public repositories; they are not ours to copy, so this runs where they are at hand. */
const FOLDER = new URL('../../../shared/samples/drain/', import.meta.url)
const here = existsSync(new URL('INDEX.md', FOLDER))

/**
 * Lines of a sample, and how many of them have a right count. Where all of them are one too large (36), or count
 * something else (30, 32), a strict parser believes some that lead into the next line; we believe none.
 */
const LINES: Readonly<Record<string, readonly [lines: number, counted: number]>> = {
  '06': [4, 3],
  '12': [3, 2],
  '25': [2, 1],
  '30': [2, 0],
  '32': [1, 0],
  '36': [10, 0],
}

/** The column *Frames* of the index. */
function indexed(): Map<string, number> {
  const index = readFileSync(new URL('INDEX.md', FOLDER), 'utf8')
  const rows = index.matchAll(/^\|`([^`]+\.body)`\|\d+\|(\d+)/gm)
  return new Map([...rows].map(([, name, frames]) => [name!, Number(frames)]))
}

describe.runIf(here)('samples', () => {
  const frames = here ? indexed() : new Map<string, number>()
  const names = here ? readdirSync(FOLDER).filter((name) => name.endsWith('.body')) : ['none']

  it('are all in the index', () => {
    expect(names).toEqual([...frames.keys()])
  })

  describe.each(names)('%s', (name) => {
    const body = here ? readFileSync(new URL(name, FOLDER)) : Buffer.alloc(0)

    it.each([true, false])(
      'comes back byte for byte (with headers of Logplex: %s)',
      (is_logplex) => {
        expect(rebuilt(valuesOf(decode(body, { is_logplex }))).equals(body)).toBe(true)
      },
    )

    it('has its lines', () => {
      const values = valuesOf(decode(body, { is_logplex: false }))
      const isCounted = values.filter(({ flags }) => !flags?.includes('bad_count'))
      const strict = frames.get(name)!
      const expected = LINES[name.slice(0, 2)] ?? [Math.max(strict, 1), strict]
      expect([values.length, isCounted.length]).toEqual(expected)
      const isSyslog = values.filter(({ flags }) => !flags?.includes('not_syslog'))
      expect(isSyslog).toHaveLength(name.startsWith('32') ? 0 : values.length)
    })
  })
})
