import { randomBytes } from 'node:crypto'
import type pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { queryWithPayload } from '../../src/store/payload-query.ts'
import { openTestStore, type TestStore } from '../support/log.ts'

let store: TestStore
let client: pg.PoolClient

beforeAll(async () => {
  store = await openTestStore()
  client = await store.pools.append.connect()
})
afterAll(async () => {
  client.release()
  await store.close()
})

const ECHO = `select $1::text as label, encode(sha256($2::bytea), 'hex') as digest, length($2::bytea) as bytes`
const echo = (payload: Buffer[], sent?: () => void) =>
  queryWithPayload<{ label: string; digest: string; bytes: number }>(
    client,
    { name: 'echo', text: ECHO, values: ['é\n"'], payload },
    sent,
  )

async function digestOf(payload: Buffer): Promise<string> {
  const { rows } = await client.query<{ digest: string }>(
    `select encode(sha256($1::bytea), 'hex') as digest`,
    [payload],
  )
  return rows[0]?.digest ?? ''
}

describe('a payload in pieces', () => {
  it.each([
    ['none', []],
    ['one, empty', [0]],
    ['one, small', [7]],
    ['one, large', [3_000_000]],
    ['many small ones', Array.from({ length: 3_000 }, (_, k) => k % 50)],
    ['small beside large', [1, 4095, 4096, 4097, 100_000, 0, 3, 3, 70_000, 1]],
  ])('arrives as the same bytes: %s', async (_name, sizes) => {
    const pieces = sizes.map((size) => randomBytes(size))
    const whole = Buffer.concat(pieces)
    const { rows } = await echo(pieces)
    expect(rows).toEqual([{ label: 'é\n"', digest: await digestOf(whole), bytes: whole.length }])
  })

  it('says when it is sent, before the answer', async () => {
    const events: string[] = []
    await echo([randomBytes(2_000_000)], () => events.push('sent')).then(() => events.push('done'))
    expect(events).toEqual(['sent', 'done'])
  })

  it('leaves the connection usable after an error', async () => {
    const refused = queryWithPayload(client, {
      name: 'refuse',
      text: `select 1 / length($1::bytea)`,
      values: [],
      payload: [],
    })
    await expect(refused).rejects.toMatchObject({ code: '22012' })
    expect((await echo([Buffer.from('x')])).rows[0]?.bytes).toBe(1)
  })
})
