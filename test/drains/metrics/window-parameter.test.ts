import { describe, expect, it } from 'vitest'
import {
  DEFAULT_METRICS_WINDOW,
  MetricsWindow,
  windowMs,
} from '../../../src/contract/drain-metrics.ts'
import { LIMITS } from '../../../src/contract/limits.ts'

describe('the query parameter `window`', () => {
  it.each([
    ['1000', 1000],
    ['1500ms', 1500],
    ['1s', 1000],
    ['90s', 90_000],
    ['5m', 300_000],
    ['60m', 3_600_000],
    ['1h', 3_600_000],
    ['3600000', 3_600_000],
  ])('%s', (text, ms) => {
    expect(windowMs(text)).toBe(ms)
    expect(MetricsWindow.parse(text)).toBe(text)
  })

  it.each([
    '',
    '0',
    '999',
    '999ms',
    '61m',
    '2h',
    '1d',
    '1 m',
    '1.5m',
    '-1m',
    '+1m',
    'm',
    '1e6',
    '5M',
    '3600001',
  ])('and not %j', (text) => {
    expect(windowMs(text)).toBeUndefined()
    expect(MetricsWindow.safeParse(text).success).toBe(false)
  })

  it('has the default of the limits', () => {
    expect(windowMs(DEFAULT_METRICS_WINDOW)).toBe(LIMITS.metrics_default_window_ms)
  })
})
