import type { Line } from './lines.ts'
import type { LogplexNode } from './logplex.ts'

/** What senders went through, added up over all nodes. */
export interface Figures {
  sent: number
  acknowledged: number
  displaced: number
  tries_spent: number
  refused_by_4xx: number
  frames: number
  /** Tries of frames beyond their first. */
  retries: number
  closed: number
  timed_out: number
  connects: number
  connects_refused: number
}

export function figuresOf(sent: readonly Line[], nodes: readonly LogplexNode[]): Figures {
  const frames = nodes.flatMap((node) => node.frames)
  const answers = frames.flatMap((frame) => frame.answers)
  const ended = (fate: Line['fate']) => sent.filter((line) => line.fate === fate).length
  const total = (count: (node: LogplexNode) => number) =>
    nodes.reduce((sum, node) => sum + count(node), 0)
  return {
    sent: sent.length,
    acknowledged: ended('acknowledged'),
    displaced: ended('displaced'),
    tries_spent: ended('tries_spent'),
    refused_by_4xx: ended('refused'),
    frames: frames.length,
    retries: frames.reduce((sum, { answers }) => sum + Math.max(answers.length - 1, 0), 0),
    closed: answers.filter((answer) => answer === 'closed').length,
    timed_out: answers.filter((answer) => answer === 'timeout').length,
    connects: total(({ connected }) => connected),
    connects_refused: total(({ refused }) => refused),
  }
}

/** What came between two moments. */
export function difference(after: Figures, before: Figures): Figures {
  const names = Object.keys(after) as (keyof Figures)[]
  const entries = names.map((name) => [name, after[name] - before[name]])
  return Object.fromEntries(entries) as Record<keyof Figures, number>
}

/** `sent 120, retries 3`, without what is nought. */
export function inWords(figures: object): string {
  return Object.entries(figures)
    .filter(([, count]) => count !== 0)
    .map(([name, count]) => `${name.replaceAll('_', ' ')} ${String(count)}`)
    .join(', ')
}
