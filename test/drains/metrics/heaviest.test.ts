import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Heaviest } from '../../../src/drains/metrics/heaviest.ts'

describe('Heaviest', () => {
  it('gives each name a series of its parity while there is room', () => {
    for (const parity of [0, 1] as const) {
      const heaviest = new Heaviest(3, parity)
      const series = ['a', 'b', 'c', 'a'].map((name) => heaviest.seriesOf(name)!)
      expect(new Set(series).size).toBe(3)
      expect(series[3]).toBe(series[0])
      for (const one of series) expect(one % 2).toBe(parity)
      expect(series.map((one) => heaviest.nameOf(one))).toEqual(['a', 'b', 'c', 'a'])
    }
  })

  it('keeps the heavy ones in a flood of names that come once', () => {
    const heaviest = new Heaviest(20, 0)
    const heavy = Array.from({ length: 10 }, (_, k) => `/heavy-${k}`)
    for (let k = 0; k < 200_000; k++) heaviest.seriesOf(k % 20 < 10 ? heavy[k % 10]! : `/once-${k}`)
    expect(heaviest.size).toBe(20)
    const before = heavy.map((name) => heaviest.seriesOf(name))
    expect(before).not.toContain(undefined)
    for (let k = 0; k < 1000; k++) heaviest.seriesOf(`/more-${k}`)
    expect(heavy.map((name) => heaviest.seriesOf(name))).toEqual(before)
  })

  it('lets a name in that becomes heavy, and an old one out after it has faded', () => {
    const heaviest = new Heaviest(2, 0)
    for (let k = 0; k < 1000; k++) heaviest.seriesOf(k % 2 ? 'old' : 'older')
    const old = heaviest.seriesOf('old')!
    for (let k = 0; k < 100; k++) heaviest.seriesOf('new')
    expect(heaviest.nameOf(old)).toBe('old')
    for (let k = 0; k < 10; k++) heaviest.fade(0.5)
    for (let k = 0; k < 2; k++) {
      for (const name of ['new', 'newer']) heaviest.seriesOf(name)
    }
    expect(heaviest.seriesOf('new')).toBeDefined()
    expect(heaviest.seriesOf('newer')).toBeDefined()
    expect(heaviest.nameOf(old)).toBeUndefined()
  })

  it('has always as many names as series, none twice', () => {
    const names = fc.array(fc.nat(30).map(String), { maxLength: 400 })
    fc.assert(
      fc.property(names, fc.integer({ min: 1, max: 8 }), (all, capacity) => {
        const heaviest = new Heaviest(capacity, 1)
        const given = new Map<number, string>()
        for (const name of all) {
          const series = heaviest.seriesOf(name)
          if (series === undefined) continue
          expect(given.get(series) ?? name).toBe(name)
          given.set(series, name)
          expect(heaviest.nameOf(series)).toBe(name)
        }
        const alive = [...given.keys()].filter((series) => heaviest.nameOf(series) !== undefined)
        expect(alive).toHaveLength(heaviest.size)
        expect(heaviest.size).toBe(Math.min(capacity, new Set(all).size))
      }),
      { seed: 7070, numRuns: 500 },
    )
  })

  it('gives out series again only when asked to', () => {
    const heaviest = new Heaviest(1, 0)
    let last = heaviest.seriesOf('first')!
    const given = new Set([last])
    for (let k = 0; !heaviest.exhausted; k++) {
      // What has faded is displaced at once.
      heaviest.fade(0)
      last = heaviest.seriesOf(`name-${k}`)!
      expect(given.has(last)).toBe(false)
      given.add(last)
    }
    expect(given.size).toBe(32_766)
    heaviest.recycle()
    expect(heaviest.exhausted).toBe(false)
    heaviest.fade(0)
    const again = heaviest.seriesOf('again')!
    expect(given.has(again)).toBe(true)
    expect(again).not.toBe(last)
  })
})
