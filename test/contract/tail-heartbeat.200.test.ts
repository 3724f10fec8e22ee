import { expect, it } from 'vitest'
import { LIMITS } from '../../src/contract/limits.ts'
import { produce } from '../support/records.ts'
import { startTestServer } from '../support/server.ts'
import { openTail, TAIL_FORMS } from '../support/tail-reader.ts'

it('a tail that has nothing to send says that it lives, and where it stands', async () => {
  const server = await startTestServer()
  await produce(server.url, 'quiet', [{ value: 0 }, { value: 1 }])
  const began = performance.now()
  const tails = await Promise.all(
    TAIL_FORMS.map((form) => openTail(server.url, form, '/v1/topics/quiet/tail?from=earliest')),
  )
  for (const tail of tails) {
    expect(await tail.heartbeat()).toEqual({ type: 'heartbeat', position: '0:2' })
  }
  expect(performance.now() - began).toBeGreaterThan(LIMITS.tail_heartbeat_ms - 100)
  // Nor do they stop there.
  for (const tail of tails) await tail.heartbeat()
  for (const tail of tails) tail.close()
  await server.stop()
}, 60_000)
