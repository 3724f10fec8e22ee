import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { bodyFrom } from '../support/drain-frames.ts'
import { fromLogplex, LOGPLEX } from '../support/drain-calls.ts'
import { useDrains } from '../support/use-drains.ts'

/** Bodies found in public repositories, where they are at hand; they are no part of this one. */
const FOLDER = new URL('../../../shared/samples/drain/', import.meta.url)
const names = existsSync(FOLDER) ? readdirSync(FOLDER).filter((name) => name.endsWith('.body')) : []

describe.runIf(names.length > 0)('bodies of other projects are stored whole', () => {
  const drains = useDrains()

  it.each(names)('%s', async (name) => {
    const body = readFileSync(new URL(name, FOLDER))
    for (const [drain, headers] of [
      ['logplex', fromLogplex()],
      ['unnamed', { 'content-type': LOGPLEX }],
    ] as const) {
      await drains.create(`${drain}-${name}`)
      const answer = await drains.post(`${drain}-${name}`, body, { headers })
      expect(answer).toMatchObject({ status: 204, text: '' })
      const values = await drains.values(`${drain}-${name}`)
      expect(values.length).toBeGreaterThan(0)
      expect(bodyFrom(values).equals(body)).toBe(true)
    }
  })
})
