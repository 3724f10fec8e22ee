import { getEventListeners } from 'node:events'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { CallError } from '../../src/client/index.ts'
import { BackOff, pause } from '../../src/client/tails/back-off.ts'

afterEach(() => {
  vi.restoreAllMocks()
})

const lost = new Error('lost')
const delays = (backOff: BackOff, count: number) =>
  Array.from({ length: count }, () => backOff.next(lost, false))

describe('waits', () => {
  it('double up to ten seconds', () => {
    vi.spyOn(Math, 'random').mockReturnValue(1)
    const bounds = [100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]
    expect(delays(new BackOff(), 9)).toEqual(bounds)
    const backOff = new BackOff()
    delays(backOff, 5000)
    expect(delays(backOff, 1)).toEqual([10_000])
  })

  it('are anything below the bound', () => {
    vi.spyOn(Math, 'random').mockReturnValueOnce(0).mockReturnValueOnce(0.25).mockReturnValueOnce(1)
    expect(delays(new BackOff(), 3)).toEqual([0, 50, 400])
  })

  it('begin anew after success', () => {
    vi.spyOn(Math, 'random').mockReturnValue(1)
    const backOff = new BackOff()
    delays(backOff, 5)
    backOff.reset()
    expect(delays(backOff, 2)).toEqual([100, 200])
  })

  it('come on top of what the server asks for', () => {
    vi.spyOn(Math, 'random').mockReturnValue(1)
    const busy = new CallError(503, undefined, 'busy', 2)
    expect(new BackOff().next(busy, false)).toBe(2100)
  })

  it('leave nothing on the signal that may end them', async () => {
    const { signal } = new AbortController()
    await pause(1, signal)
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })
})
